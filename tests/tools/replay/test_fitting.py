"""The caller's messages and packets, made to fit another dialog."""

import numpy as np

from sipgw.rtp.packet import Packet, parse
from sipgw.sip.message import Request, Response
from sipgw.sip.message import parse as read
from sipgw.tools.replay import fitting
from sipgw.tools.replay.fitting import Dialog
from sipgw.tools.replay.script import Reaction
from sipgw_codecs.registry import LAWS
from tests.fakes.captured import message, sdp

OURS = Dialog("<sip:echo@192.0.2.9>;tag=ours", "sip:192.0.2.9:5070")


def request(data: bytes) -> Request:
    found = read(data)
    assert isinstance(found, Request)
    return found


def response(data: bytes) -> Response:
    found = read(data)
    assert isinstance(found, Response)
    return found


INVITE = request(message("INVITE sip:echo@192.0.2.9 SIP/2.0", cseq="1 INVITE", body=sdp()))
OK = response(message("SIP/2.0 200 OK", cseq="1 INVITE", tag="ours"))
BUSY = response(message("SIP/2.0 486 Busy Here", cseq="1 INVITE", tag="ours"))


def test_a_request_in_the_dialog_gets_our_tag_and_our_contact_and_keeps_its_own_branch_and_number() -> None:
    bye = message(
        "BYE sip:192.0.2.9 SIP/2.0", cseq="7 BYE", tag="theirs", branch="z9hG4bK77", more="Route: <sip:p;lr>\r\n"
    )
    fitted = fitting.within(request(bye), OURS)
    assert (fitted.uri, fitted.to.tag, fitted.via.branch) == ("sip:192.0.2.9:5070", "ours", "z9hG4bK77")
    assert str(fitted.cseq) == "7 BYE"
    assert "Route" not in fitted.headers


def test_the_ack_of_a_200_is_a_transaction_of_its_own_to_our_contact_with_the_captured_answer() -> None:
    captured = request(message("ACK sip:192.0.2.9 SIP/2.0", cseq="1 ACK", tag="b", branch="z9hG4bK2", body=sdp()))
    ack = fitting.acknowledging(Reaction(0.1, captured), INVITE, OK, OURS)
    assert (ack.method, ack.uri, ack.to.tag, str(ack.cseq)) == ("ACK", "sip:192.0.2.9:5070", "ours", "1 ACK")
    assert ack.via.branch == "z9hG4bK2"
    assert ack.body == sdp()
    assert ack.content_type == "application/sdp"


def test_without_a_captured_one_the_ack_of_a_200_is_made_of_the_invite_under_another_branch() -> None:
    ack = fitting.acknowledging(None, INVITE, OK, OURS)
    assert ack.uri == "sip:192.0.2.9:5070"
    assert ack.via.branch not in (None, INVITE.via.branch)
    assert ack.body == b""
    assert "Content-Type" not in ack.headers
    assert bytes(ack) == bytes(fitting.acknowledging(None, INVITE, OK, OURS))


def test_the_ack_of_a_refusal_belongs_to_the_invites_transaction() -> None:
    captured = request(message("ACK sip:192.0.2.9 SIP/2.0", cseq="1 ACK", tag="b", branch="z9hG4bK2", body=sdp()))
    ack = fitting.acknowledging(Reaction(0.1, captured), INVITE, BUSY, OURS)
    assert (ack.uri, ack.via, ack.to.tag, ack.body) == (INVITE.uri, INVITE.via, "ours", b"")


def test_a_cancel_has_the_uri_and_the_branch_of_its_invite() -> None:
    cancel = request(message("CANCEL sip:elsewhere SIP/2.0", cseq="1 CANCEL", branch="z9hG4bKx"))
    fitted = fitting.cancelling(cancel, INVITE)
    assert (fitted.uri, fitted.via) == (INVITE.uri, INVITE.via)


def test_a_bye_that_was_not_captured_is_made_of_the_invite() -> None:
    bye = fitting.hanging_up(INVITE, OURS, 5)
    assert (bye.method, bye.uri, bye.to.tag, str(bye.cseq)) == ("BYE", OURS.target, "ours", "5 BYE")
    assert bye.from_.tag == "a"
    assert bye.body == b""


def test_our_request_gets_the_captured_status_but_our_own_transaction() -> None:
    ours = request(message("BYE sip:ann@192.0.2.7 SIP/2.0", cseq="9 BYE", tag="b", branch="z9hG4bKours", swapped=True))
    captured = response(message("SIP/2.0 481 Gone", cseq="3 BYE", tag="x", branch="z9hG4bKother", swapped=True))
    reply = fitting.replying(Reaction(0.0, captured), ours)
    assert (reply.status, reply.reason, reply.via.branch, str(reply.cseq)) == (481, "Gone", "z9hG4bKours", "9 BYE")
    assert fitting.replying(None, ours).status == 200


def test_a_packet_under_the_same_type_stays_as_it_is() -> None:
    data = bytes(Packet(0, True, 1, 2, 3, b"x" * 160))
    assert fitting.packet(data, {0: "PCMU"}, {0: "PCMU"}) is data


def test_a_packet_gets_the_payload_type_that_means_the_same_to_us() -> None:
    data = bytes(Packet(101, True, 1, 2, 3, b"\5\0\0\0"))
    fitted = parse(fitting.packet(data, {101: "TELEPHONE-EVENT"}, {0: "PCMU", 96: "TELEPHONE-EVENT"}))
    assert fitted == Packet(96, True, 1, 2, 3, b"\5\0\0\0")


def test_speech_in_the_other_law_is_converted() -> None:
    data = bytes(Packet(8, False, 1, 2, 3, bytes(range(160))))
    fitted = parse(fitting.packet(data, {8: "PCMA"}, {0: "PCMU"}))
    heard = LAWS["PCMU"].decode(np.frombuffer(fitted.payload, np.uint8)).astype(int)
    said = LAWS["PCMA"].decode(np.frombuffer(bytes(range(160)), np.uint8)).astype(int)
    assert fitted.payload_type == 0
    assert np.abs(heard - said).max() <= 1 + np.abs(said).max() // 16


def test_what_is_no_rtp_or_means_nothing_stays_as_it_is() -> None:
    for data in (b"", b"\x80", b"\x80\xc8\0\1abcd", b"\x80\x63" + bytes(20), b"\x80\x08"):
        assert fitting.packet(data, {8: "PCMA"}, {0: "PCMU"}) == data
