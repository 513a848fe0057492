"""The agent as the one who calls: ladders in simulated time."""

import pytest

from sipgw.flow import Flow
from sipgw.sip.events import Answered, HungUp, Lost, Progressed, Refused, Released
from tests.fakes.sip_phone import FLOW, OURS, PHONE, Heard, Phone, Wire, reply

SDP = b"v=0\r\n"


@pytest.fixture
def wire() -> Wire:
    return Wire()


def calling(wire: Wire, flow: Flow = FLOW) -> tuple[str, Heard]:
    """A call of the agent's that has just been sent: its leg and the INVITE."""
    leg = wire.agent.invite(
        "sip:human@127.0.0.1:5070", flow, SDP, wire.now, from_='"AI" <sip:gw@127.0.0.1>', headers=(("X-A", "1"),)
    )
    (invite,) = wire.take()
    return leg, invite


def up(wire: Wire) -> tuple[str, Heard]:
    """A call of the agent's that was answered."""
    leg, invite = calling(wire)
    wire.gets(reply(invite, 200, to_tag="human"))
    wire.events()
    return leg, invite


def empty(wire: Wire) -> bool:
    core = wire.agent._core
    return not any((core.legs, core.exchange._transactions, core.exchange._by_flow)) and wire.agent.next_timer() is None


def test_an_invite_says_who_calls_whom(wire: Wire) -> None:
    leg, invite = calling(wire)
    assert invite.first == "INVITE sip:human@127.0.0.1:5070 SIP/2.0"
    assert invite["From"] == f'"AI" <sip:gw@127.0.0.1>;tag={leg}'
    assert invite["To"] == "<sip:human@127.0.0.1:5070>"
    assert invite["Via"].startswith("SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bK")
    assert (invite["CSeq"], invite["Max-Forwards"], invite["Contact"]) == ("1 INVITE", "70", "<sip:127.0.0.1:5060>")
    assert (invite["X-A"], invite["Content-Type"], invite.body) == ("1", "application/sdp", "v=0\r\n")
    assert invite.flow == FLOW


def test_a_call_on_tcp_says_so_in_via_and_contact(wire: Wire) -> None:
    _, invite = calling(wire, Flow("tcp", ("::1", 5060), ("::1", 5070)))
    assert invite["Via"].startswith("SIP/2.0/TCP [::1]:5060;")
    assert invite["Contact"] == "<sip:[::1]:5060;transport=tcp>"


def test_a_call_from_ringing_to_their_bye(wire: Wire) -> None:
    leg, invite = calling(wire)
    assert wire.gets(reply(invite, 100)) == []
    assert wire.events() == []
    wire.gets(reply(invite, 180, to_tag="human"))
    (ringing,) = wire.events()
    assert isinstance(ringing, Progressed)
    early = wire.agent.dialog(leg)
    assert early is not None
    assert not early.confirmed
    (ack,) = wire.gets(reply(invite, 200, to_tag="human", body="v=0\r\n", contact="<sip:h@127.0.0.1:5099>"))
    assert ack.first == "ACK sip:h@127.0.0.1:5099 SIP/2.0"
    assert ack.flow.remote == ("127.0.0.1", 5099)
    assert (ack["CSeq"], ack["To"], ack["From"]) == ("1 ACK", f"{invite['To']};tag=human", invite["From"])
    (answered,) = wire.events()
    assert isinstance(answered, Answered)
    phone = Phone(call_id=invite["Call-ID"], tag="human", to_tag=leg, cseq=77)
    assert [heard.brief for heard in wire.gets(phone.bye())] == ["200"]
    assert [type(event) for event in wire.events()] == [HungUp]
    wire.until(100.0)
    assert empty(wire)


def test_each_repeat_of_a_200_gets_the_same_ack(wire: Wire) -> None:
    _, invite = calling(wire)
    ok = reply(invite, 200, to_tag="human")
    acks = [wire.gets(ok)[0].text for _ in range(3)]
    assert len(set(acks)) == 1
    assert len(wire.events()) == 1


def test_a_second_phone_that_answers_gets_ack_and_bye(wire: Wire) -> None:
    leg, invite = calling(wire)
    wire.gets(reply(invite, 200, to_tag="first"))
    ack, bye = wire.gets(reply(invite, 200, to_tag="second"))
    assert (ack.brief, bye.brief) == ("ACK", "BYE")
    assert ack.to_tag == bye.to_tag == "second"
    assert [heard.brief for heard in wire.gets(reply(invite, 200, to_tag="second"))] == ["ACK"]
    wire.gets(reply(bye, 200))
    assert [type(event) for event in wire.events()] == [Answered]
    dialog = wire.agent.dialog(leg)
    assert dialog is not None
    assert dialog.remote_tag == "first"


@pytest.mark.parametrize("status", [302, 404, 486, 503, 603])
def test_a_refusal_is_acknowledged_and_told(wire: Wire, status: int) -> None:
    leg, invite = calling(wire)
    (ack,) = wire.gets(reply(invite, status, to_tag="x", contact="<sip:x@192.0.2.1>"))
    assert ack.brief == "ACK"
    (event,) = wire.events()
    assert isinstance(event, Refused)
    assert (event.leg, event.status, event.initial) == (leg, status, True)
    assert wire.agent.dialog(leg) is None
    wire.until(100.0)
    assert empty(wire)


def test_nobody_answers(wire: Wire) -> None:
    leg, _ = calling(wire)
    assert wire.ladder(100.0) == [(when, "INVITE") for when in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)]
    assert wire.events() == [Refused(leg, 408, None)]
    assert empty(wire)


def test_the_transport_fails(wire: Wire) -> None:
    leg, _ = calling(wire)
    wire.agent.transport_failed(Flow("udp", OURS, ("127.0.0.1", 1)), 0.0)
    assert wire.events() == []
    wire.agent.transport_failed(FLOW, 0.0)
    assert wire.events() == [Refused(leg, 503, None)]
    assert empty(wire)


# Giving up


def test_cancel_follows_the_invite_and_487_releases_the_leg(wire: Wire) -> None:
    leg, invite = calling(wire)
    wire.gets(reply(invite, 180, to_tag="human"))
    wire.events()
    wire.agent.hang_up(leg, 0.0, headers=(("Reason", "SIP;cause=200"),))
    (cancel,) = wire.take()
    assert cancel.first == "CANCEL sip:human@127.0.0.1:5070 SIP/2.0"
    for name in ("Via", "From", "To", "Call-ID"):
        assert cancel[name] == invite[name]
    assert (cancel["CSeq"], cancel["Reason"]) == ("1 CANCEL", "SIP;cause=200")
    assert wire.gets(reply(cancel, 200)) == []
    assert [heard.brief for heard in wire.gets(reply(invite, 487, to_tag="human"))] == ["ACK"]
    assert wire.events() == [Released(leg)]
    wire.until(100.0)
    assert empty(wire)


def test_cancel_waits_for_a_provisional_response(wire: Wire) -> None:
    leg, invite = calling(wire)
    wire.agent.hang_up(leg, 0.0)
    assert wire.take() == []
    assert [heard.brief for heard in wire.gets(reply(invite, 100))] == ["CANCEL"]
    assert wire.gets(reply(invite, 180, to_tag="human")) == []
    assert wire.events() == []


def test_a_200_that_crosses_the_cancel_gets_ack_and_bye(wire: Wire) -> None:
    leg, invite = calling(wire)
    wire.gets(reply(invite, 100))
    wire.agent.hang_up(leg, 0.0)
    (cancel,) = wire.take()
    ack, bye = wire.gets(reply(invite, 200, to_tag="human"))
    assert (ack.brief, bye.brief) == ("ACK", "BYE")
    wire.gets(reply(cancel, 481))
    assert [heard.brief for heard in wire.gets(reply(invite, 200, to_tag="human"))] == ["ACK"]
    wire.gets(reply(bye, 200))
    assert wire.events() == [Released(leg)]
    wire.until(100.0)
    assert empty(wire)


def test_a_200_before_the_cancel_could_be_sent_gets_ack_and_bye(wire: Wire) -> None:
    leg, invite = calling(wire)
    wire.agent.hang_up(leg, 0.0)
    assert [heard.brief for heard in wire.gets(reply(invite, 200, to_tag="human"))] == ["ACK", "BYE"]


@pytest.mark.parametrize("provisional", [True, False])
def test_a_call_given_up_ends_though_nobody_answers(wire: Wire, provisional: bool) -> None:
    leg, invite = calling(wire)
    if provisional:
        wire.gets(reply(invite, 100))
    wire.agent.hang_up(leg, 0.0)
    wire.until(100.0)
    assert wire.events() == [Released(leg)]
    assert empty(wire)


def test_busy_after_the_hang_up_is_a_release(wire: Wire) -> None:
    leg, invite = calling(wire)
    wire.agent.hang_up(leg, 0.0)
    wire.gets(reply(invite, 486, to_tag="human"))
    assert wire.events() == [Released(leg)]


# Re-INVITE


def test_a_reinvite_of_ours(wire: Wire) -> None:
    leg, _ = up(wire)
    wire.agent.reinvite(leg, b"v=1\r\n", 0.0)
    (invite,) = wire.take()
    assert (invite["CSeq"], invite.body, invite.to_tag) == ("2 INVITE", "v=1\r\n", "human")
    wire.gets(reply(invite, 180))
    assert wire.events() == []
    (ack,) = wire.gets(reply(invite, 200, contact="<sip:moved@127.0.0.1:5098>"))
    assert (ack["CSeq"], ack.first) == ("2 ACK", "ACK sip:moved@127.0.0.1:5098 SIP/2.0")
    assert [type(event) for event in wire.events()] == [Answered]
    assert wire.gets(reply(invite, 200))[0].text == ack.text
    assert wire.events() == []


@pytest.mark.parametrize("status", [488, 491, 503])
def test_a_refused_reinvite_leaves_the_leg_up(wire: Wire, status: int) -> None:
    leg, _ = up(wire)
    wire.agent.reinvite(leg, SDP, 0.0)
    wire.gets(reply(wire.take()[0], status))
    (event,) = wire.events()
    assert isinstance(event, Refused)
    assert (event.status, event.initial) == (status, False)
    assert wire.agent.dialog(leg) is not None


def test_two_reinvites_at_once_are_refused_to_our_own_side(wire: Wire) -> None:
    leg, _ = up(wire)
    wire.agent.reinvite(leg, SDP, 0.0)
    wire.take()
    wire.agent.reinvite(leg, SDP, 0.0)
    assert wire.take() == []
    assert wire.events() == [Refused(leg, 491, None, initial=False)]


def test_a_peer_that_forgot_the_dialog_is_gone(wire: Wire) -> None:
    leg, _ = up(wire)
    wire.agent.reinvite(leg, SDP, 0.0)
    assert [heard.brief for heard in wire.gets(reply(wire.take()[0], 481))] == ["ACK"]
    assert wire.events() == [Lost(leg, "gone")]
    assert wire.agent.dialog(leg) is None


def test_a_peer_that_does_not_answer_a_reinvite_is_gone_and_gets_a_bye(wire: Wire) -> None:
    leg, _ = up(wire)
    wire.agent.reinvite(leg, SDP, 0.0)
    wire.take()
    assert [heard.brief for heard in wire.until(32.0)][-1] == "BYE"
    assert wire.events() == [Lost(leg, "gone")]
    wire.until(100.0)
    assert wire.events() == []
    assert empty(wire)


def test_a_reinvite_that_is_only_being_tried_does_not_block_the_leg_for_ever(wire: Wire) -> None:
    leg, _ = up(wire)
    wire.agent.reinvite(leg, SDP, 0.0)
    wire.gets(reply(wire.take()[0], 100))
    assert wire.ladder(31.9) == []
    assert wire.ladder(32.0) == [(32.0, "BYE")]
    assert wire.events() == [Lost(leg, "gone")]
    wire.until(100.0)
    assert empty(wire)


def test_a_reinvite_answered_after_our_bye_gets_its_ack(wire: Wire) -> None:
    leg, _ = up(wire)
    wire.agent.reinvite(leg, SDP, 0.0)
    (invite,) = wire.take()
    wire.agent.hang_up(leg, 0.0)
    (bye,) = wire.take()
    assert bye["CSeq"] == "3 BYE"
    assert [heard.brief for heard in wire.gets(reply(invite, 200))] == ["ACK"]
    wire.gets(reply(bye, 200))
    assert wire.events() == [Released(leg)]


def test_a_reinvite_refused_after_our_bye_says_nothing(wire: Wire) -> None:
    leg, _ = up(wire)
    wire.agent.reinvite(leg, SDP, 0.0)
    (invite,) = wire.take()
    wire.agent.hang_up(leg, 0.0)
    wire.gets(reply(invite, 481))
    assert wire.events() == []


# What does not belong


def test_a_bye_from_an_early_dialog_gets_481(wire: Wire) -> None:
    leg, invite = calling(wire)
    wire.gets(reply(invite, 180, to_tag="human"))
    phone = Phone(call_id=invite["Call-ID"], tag="human", to_tag=leg)
    assert [heard.brief for heard in wire.gets(phone.bye())] == ["481"]


def test_responses_that_belong_to_nothing_of_ours_are_dropped(wire: Wire) -> None:
    _, invite = calling(wire)
    good = reply(invite, 200, to_tag="x")
    for text, name in (
        (good.replace("branch=z9hG4bK", "branch=z9hG4bKx"), "stray_response"),
        (good.replace("1 INVITE", "1 BYE"), "stray_response"),
        (good.replace("UDP 127.0.0.1:5060", "UDP 127.0.0.9:5060"), "not_our_via"),
        (good.replace("Via: ", "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-x, "), "bad_message"),
        (good.replace("CSeq: 1", "CSeq: x"), "bad_message"),
    ):
        assert wire.gets(text) == []
        assert wire.drops()[-1] == name
    assert wire.events() == []


def test_a_200_without_a_readable_contact_is_acknowledged_to_the_request_uri(wire: Wire) -> None:
    _, invite = calling(wire)
    text = reply(invite, 200, to_tag="x").replace("Contact: <sip:phone@127.0.0.1:5070>\r\n", "")
    (ack,) = wire.gets(text)
    assert ack.first == "ACK sip:human@127.0.0.1:5070 SIP/2.0"
    assert ack.flow.remote == PHONE
