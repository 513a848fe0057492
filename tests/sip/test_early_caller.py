"""What may come before the answer to our INVITE, and offers in responses to one without: ladders in simulated time.

RFC 3261 13.2.2.4 (forking), RFC 3262 section 5 (offers in responses), RFC 6228 (199), RFC 3311 (UPDATE).
"""

import pytest

from sipgw.sip.events import Answered, EarlyEnded, Progressed, Refused, Reinvited, Released
from tests.fakes.sip_phone import FLOW, Heard, Phone, Wire, reply

SDP = b"v=0\r\n"
THEIRS = "v=1\r\n"


def calling(body: bytes = SDP) -> tuple[Wire, str, Heard]:
    wire = Wire()
    leg = wire.agent.invite("sip:human@127.0.0.1:5070", FLOW, body, 0.0, from_="<sip:gw@127.0.0.1>")
    (invite,) = wire.take()
    return wire, leg, invite


def early(invite: Heard, sequence: int = 1, phone: str = "desk", status: int = 183, body: str = THEIRS) -> str:
    """A reliable provisional response."""
    return reply(invite, status, to_tag=phone, body=body, more=f"Require: 100rel\r\nRSeq: {sequence}\r\n")


def briefs(heard: list[Heard]) -> list[str]:
    return [one.brief for one in heard]


def of_theirs(invite: Heard, phone: str, method: str, body: str, branch: str = "z9hG4bK-u") -> str:
    """A request of a phone that we called, in its early dialog."""
    ours = invite["From"].partition(";tag=")[2]
    return Phone(invite["Call-ID"], tag=phone, to_tag=ours, cseq=7, branch=branch).request(method, body)


# --- early media and forks --------------------------------------------------------------------------------------------


def test_early_media_is_told_with_its_description_and_the_phone_it_comes_from() -> None:
    wire, leg, invite = calling()
    wire.gets(reply(invite, 183, to_tag="desk", body=THEIRS))
    wire.gets(reply(invite, 180, to_tag="mobile"))
    desk, mobile = wire.events()
    assert isinstance(desk, Progressed)
    assert (desk.leg, desk.phone, desk.response.body, desk.offers) == (leg, "desk", THEIRS.encode(), False)
    assert isinstance(mobile, Progressed)
    assert (mobile.phone, mobile.response.body) == ("mobile", b"")


def test_a_phone_that_rings_no_longer_is_forgotten_and_the_others_ring_on() -> None:
    wire, leg, invite = calling()
    assert "199" in invite["Supported"]
    wire.gets(reply(invite, 180, to_tag="desk"))
    wire.gets(reply(invite, 180, to_tag="mobile", contact="<sip:mobile@127.0.0.1:5071>"))
    wire.events()
    wire.gets(reply(invite, 199, to_tag="desk"))
    (ended,) = wire.events()
    assert isinstance(ended, EarlyEnded)
    assert (ended.leg, ended.phone) == (leg, "desk")
    dialog = wire.agent.dialog(leg)
    assert dialog is not None
    assert dialog.remote_tag == "mobile"
    wire.gets(reply(invite, 200, to_tag="mobile"))
    assert isinstance(wire.events()[0], Answered)


def test_a_reliable_199_is_acknowledged_like_any_other() -> None:
    wire, leg, invite = calling()
    (prack,) = wire.gets(early(invite, status=199, body=""))
    assert prack.brief == "PRACK"
    assert [type(event) for event in wire.events()] == [EarlyEnded]
    assert wire.agent.dialog(leg) is None


# --- an INVITE without an offer ---------------------------------------------------------------------------------------


def test_the_answer_to_an_offer_in_the_200_goes_into_the_ack() -> None:
    wire, leg, invite = calling(b"")
    assert wire.gets(reply(invite, 200, to_tag="desk", body=THEIRS)) == []
    # The far end repeats it meanwhile, which changes nothing.
    assert wire.gets(reply(invite, 200, to_tag="desk", body=THEIRS)) == []
    (answered,) = wire.events()
    assert isinstance(answered, Answered)
    assert answered.offers
    assert answered.response.body == THEIRS.encode()
    wire.agent.acknowledge(leg, SDP, 0.1)
    (ack,) = wire.take()
    assert (ack.brief, ack["CSeq"], ack.body, ack["Content-Type"]) == ("ACK", "1 ACK", "v=0\r\n", "application/sdp")
    # The ACK was lost.
    (again,) = wire.gets(reply(invite, 200, to_tag="desk", body=THEIRS))
    assert again.text == ack.text
    wire.agent.hang_up(leg, 1.0)
    assert briefs(wire.take()) == ["BYE"]


def test_a_200_without_an_offer_is_acknowledged_at_once() -> None:
    wire, _, invite = calling(b"")
    assert briefs(wire.gets(reply(invite, 200, to_tag="desk"))) == ["ACK"]
    (answered,) = wire.events()
    assert isinstance(answered, Answered)
    assert not answered.offers


def test_hanging_up_acknowledges_first() -> None:
    wire, leg, invite = calling(b"")
    wire.gets(reply(invite, 200, to_tag="desk", body=THEIRS))
    wire.agent.hang_up(leg, 0.1)
    assert briefs(wire.take()) == ["ACK", "BYE"]


def test_a_call_taken_back_is_acknowledged_and_ended_when_it_is_answered_all_the_same() -> None:
    wire, leg, invite = calling(b"")
    wire.agent.hang_up(leg, 0.0)
    ack, bye = wire.gets(reply(invite, 200, to_tag="desk", body=THEIRS))
    assert (ack.brief, bye.brief) == ("ACK", "BYE")
    wire.gets(reply(bye, 200))
    assert [type(event) for event in wire.events()] == [Released]


def test_a_second_phone_that_answers_is_hung_up_while_the_first_waits_for_our_answer() -> None:
    wire, leg, invite = calling(b"")
    wire.gets(reply(invite, 200, to_tag="desk", body=THEIRS))
    assert briefs(wire.gets(reply(invite, 200, to_tag="mobile", body=THEIRS))) == ["ACK", "BYE"]
    wire.agent.acknowledge(leg, SDP, 0.1)
    (ack,) = wire.take()
    assert (ack.brief, ack["To"].partition("tag=")[2]) == ("ACK", "desk")


def test_an_offer_that_waits_for_our_answer_keeps_others_out() -> None:
    wire, leg, invite = calling(b"")
    wire.gets(reply(invite, 200, to_tag="desk", body=THEIRS))
    wire.events()
    assert briefs(wire.gets(of_theirs(invite, "desk", "INVITE", THEIRS))) == ["491"]
    wire.agent.reinvite(leg, SDP, 0.1)
    (refused,) = wire.events()
    assert isinstance(refused, Refused)
    assert (refused.status, refused.initial) == (491, False)


def test_a_reinvite_without_an_offer_asks_for_theirs() -> None:
    wire, leg, invite = calling()
    wire.gets(reply(invite, 200, to_tag="desk", body=THEIRS))
    wire.events()
    wire.agent.reinvite(leg, b"", 0.1)
    (again,) = wire.take()
    assert wire.gets(reply(again, 200, body=THEIRS)) == []
    (answered,) = wire.events()
    assert isinstance(answered, Answered)
    assert answered.offers
    wire.agent.acknowledge(leg, SDP, 0.2)
    (ack,) = wire.take()
    assert (ack["CSeq"], ack.body) == ("2 ACK", "v=0\r\n")


def test_nothing_waits_for_an_answer() -> None:
    wire, leg, _ = calling(b"")
    wire.agent.acknowledge(leg, SDP, 0.0)
    assert wire.take() == []
    assert wire.drops() == ["late_command"]


def test_the_answer_to_an_offer_in_a_reliable_response_goes_into_the_prack() -> None:
    wire, leg, invite = calling(b"")
    assert wire.gets(early(invite)) == []
    (progressed,) = wire.events()
    assert isinstance(progressed, Progressed)
    assert progressed.offers
    # It is repeated until then.
    assert wire.gets(early(invite)) == []
    wire.agent.acknowledge(leg, SDP, 0.1)
    (prack,) = wire.take()
    assert (prack.brief, prack["RAck"], prack.body) == ("PRACK", "1 1 INVITE", "v=0\r\n")
    # What comes with a description from here on is no offer any more.
    assert briefs(wire.gets(early(invite, 2))) == ["PRACK"]
    assert briefs(wire.gets(reply(invite, 200, to_tag="desk", body=THEIRS))) == ["ACK"]
    assert [getattr(event, "offers", None) for event in wire.events()] == [False, False]


def test_two_phones_that_offer_are_answered_each_in_its_own_dialog() -> None:
    wire, leg, invite = calling(b"")
    wire.gets(early(invite, 10, "desk"))
    wire.gets(early(invite, 20, "mobile"))
    wire.agent.acknowledge(leg, b"v=2\r\n", 0.1, "mobile")
    wire.agent.acknowledge(leg, b"v=3\r\n", 0.1)
    pracks = [(one["To"].partition("tag=")[2], one["RAck"], one.body) for one in wire.take()]
    assert pracks == [("mobile", "20 1 INVITE", "v=2\r\n"), ("desk", "10 1 INVITE", "v=3\r\n")]


def test_a_description_that_promises_nothing_is_no_offer() -> None:
    """An offer has to come in a reliable response (RFC 3261 13.2.1)."""
    wire, _, invite = calling(b"")
    wire.gets(reply(invite, 183, to_tag="desk", body=THEIRS))
    (progressed,) = wire.events()
    assert isinstance(progressed, Progressed)
    assert not progressed.offers


# --- UPDATE -----------------------------------------------------------------------------------------------------------


def test_a_phone_may_offer_anew_before_it_answers() -> None:
    wire, leg, invite = calling()
    wire.gets(early(invite))
    wire.events()
    assert wire.gets(of_theirs(invite, "desk", "UPDATE", THEIRS)) == []
    assert [type(event) for event in wire.events()] == [Reinvited]
    wire.agent.answer(leg, SDP, 0.1)
    (ok,) = wire.take()
    assert (ok.brief, ok["CSeq"], ok.body) == ("200", "7 UPDATE", "v=0\r\n")


@pytest.mark.parametrize(("body", "status"), [(SDP, "491"), (b"", "500")])
def test_before_the_first_offer_is_answered_for_certain_it_may_not(body: bytes, status: str) -> None:
    wire, _, invite = calling(body)
    wire.gets(reply(invite, 183, to_tag="desk", body=THEIRS))
    assert briefs(wire.gets(of_theirs(invite, "desk", "UPDATE", THEIRS))) == [status]


def test_we_may_offer_anew_before_the_answer() -> None:
    wire, leg, invite = calling()
    (prack,) = wire.gets(early(invite))
    wire.gets(reply(prack, 200))
    wire.events()
    wire.agent.update(leg, SDP, 0.1)
    (update,) = wire.take()
    assert (update["CSeq"], update.body, "Session-Expires" in update) == ("3 UPDATE", "v=0\r\n", False)
    wire.gets(reply(update, 200, body=THEIRS))
    (answered,) = wire.events()
    assert isinstance(answered, Answered)
    assert answered.response.body == THEIRS.encode()


def test_we_may_not_before_the_first_offer_is_answered_for_certain() -> None:
    wire, leg, invite = calling()
    wire.gets(reply(invite, 183, to_tag="desk", body=THEIRS))
    wire.events()
    wire.agent.update(leg, SDP, 0.1)
    assert wire.take() == []
    (refused,) = wire.events()
    assert isinstance(refused, Refused)
    assert (refused.status, refused.initial) == (491, False)


def test_a_refusal_ends_an_offer_that_waits_for_our_answer() -> None:
    wire, leg, invite = calling()
    wire.gets(early(invite))
    wire.gets(of_theirs(invite, "desk", "UPDATE", THEIRS))
    wire.events()
    heard = wire.gets(reply(invite, 486, to_tag="desk"))
    assert [(one.brief, one["CSeq"]) for one in heard] == [("ACK", "1 ACK"), ("487", "7 UPDATE")]
    assert [type(event) for event in wire.events()] == [Refused]
    assert wire.agent.dialog(leg) is None
