"""What crosses on the wire: requests and responses that meet, in both roles and after a restart (RFC 5407).

Those of one role alone stand in `test_agent.py` and `test_agent_uac.py`; here are both sides of each, and the rest.
"""

import pytest

from sipgw.sip.events import (
    Answered,
    Cancelled,
    Confirmed,
    HungUp,
    Invited,
    Lost,
    Progressed,
    Refused,
    Reinvited,
    Released,
)
from tests.fakes.sip_phone import FLOW, Heard, Phone, Wire, answered, reply
from tests.sip.test_agent import empty as nothing_left
from tests.sip.test_agent_uac import calling, empty, up
from tests.sip.test_memory import restored

SDP = b"v=0\r\n"


def briefs(heard: list[Heard]) -> list[str]:
    return [one.brief for one in heard]


def kinds(wire: Wire) -> list[type]:
    return [type(event) for event in wire.events()]


def asked(wire: Wire) -> str:
    """A call of theirs that waits for our answer: its leg."""
    wire.gets(Phone().invite())
    return wire.events()[0].leg


def unacknowledged(wire: Wire) -> tuple[str, Phone]:
    """A call of theirs that we answered; its ACK is out."""
    leg = asked(wire)
    wire.agent.answer(leg, SDP, 0.0)
    return leg, Phone().within(wire.take()[-1])


# CANCEL and 200


def test_their_cancel_and_our_200_cross_and_the_call_goes_on_until_their_bye() -> None:
    leg, phone = unacknowledged(wire := Wire())
    assert briefs(wire.gets(Phone().cancel())) == ["200"]
    # They got the 200: ACK, and BYE as they did not want it any more.
    wire.gets(phone.ack())
    assert briefs(wire.gets(phone.bye())) == ["200"]
    confirmed, gone = wire.events()
    assert (type(confirmed), type(gone), gone.leg) == (Confirmed, HungUp, leg)
    wire.until(100.0)
    assert nothing_left(wire)


def test_the_same_after_a_restart() -> None:
    leg, phone = unacknowledged(wire := Wire())
    other = restored(wire, leg)
    assert briefs(other.take()) == ["200"]
    assert briefs(other.gets(Phone().cancel())) == ["200"]
    other.gets(phone.ack())
    assert briefs(other.gets(phone.bye())) == ["200"]
    assert kinds(other) == [Confirmed, HungUp]


def test_a_cancel_after_the_ack_is_about_nothing() -> None:
    leg, _ = answered(wire := Wire())
    assert briefs(wire.gets(Phone().cancel())) == ["200"]
    assert briefs(restored(wire, leg).gets(Phone().cancel())) == ["481"]
    assert wire.events() == []


def test_our_200_leaves_the_moment_their_cancel_has_come_and_is_dropped() -> None:
    leg = asked(wire := Wire())
    assert briefs(wire.gets(Phone().cancel())) == ["200", "487"]
    wire.agent.answer(leg, SDP, 0.0)
    assert wire.take() == []
    assert kinds(wire) == [Cancelled]
    assert wire.drops()[-1] == "late_command"


def test_a_200_in_place_of_the_487_to_our_cancel_gets_ack_and_bye_from_each_phone() -> None:
    leg, invite = calling(wire := Wire())
    wire.gets(reply(invite, 180, to_tag="one"))
    wire.agent.hang_up(leg, 0.0, (("Reason", "Q.850;cause=16"),))
    assert briefs(wire.take()) == ["CANCEL"]
    ack, first = wire.gets(reply(invite, 200, to_tag="one"))
    other, second = wire.gets(reply(invite, 200, to_tag="two"))
    assert (ack.brief, other.brief, first["Reason"], second["Reason"]) == ("ACK", "ACK", *("Q.850;cause=16",) * 2)
    wire.gets(reply(first, 200))
    wire.gets(reply(second, 200))
    assert kinds(wire) == [Progressed, Released]
    wire.until(100.0)
    assert empty(wire)


# CANCEL before any provisional response


def test_their_cancel_comes_before_anything_but_100_left() -> None:
    asked(wire := Wire())
    assert briefs(wire.gets(Phone().cancel())) == ["200", "487"]
    wire.gets(Phone().ack(branch="z9hG4bK-1"))
    assert kinds(wire) == [Cancelled]
    wire.until(100.0)
    assert nothing_left(wire)


def test_their_cancel_overtakes_their_invite() -> None:
    wire = Wire()
    assert briefs(wire.gets(Phone().cancel())) == ["481"]
    assert briefs(wire.gets(Phone().invite())) == ["100"]
    # It is not repeated: theirs to end, by a BYE or by letting it ring.
    assert kinds(wire) == [Invited]


def test_our_cancel_is_never_sent_where_nobody_said_a_word() -> None:
    leg, _ = calling(wire := Wire())
    wire.agent.hang_up(leg, 0.0)
    assert {name for _, name in wire.ladder(100.0)} == {"INVITE"}
    assert wire.events() == [Released(leg)]
    assert empty(wire)


# BYE and 200


def test_their_bye_in_an_early_dialog_crosses_our_200() -> None:
    leg, phone = unacknowledged(wire := Wire())
    assert briefs(wire.gets(phone.bye())) == ["200"]
    assert kinds(wire) == [HungUp]
    # The 200 is not repeated, and the ACK that still comes is for nobody.
    assert wire.until(40.0) == []
    assert wire.gets(phone.ack()) == []
    assert wire.agent.dialog(leg) is None
    assert nothing_left(wire)


def test_the_same_bye_after_a_restart_ends_the_repeats() -> None:
    leg, phone = unacknowledged(wire := Wire())
    other = restored(wire, leg)
    other.take()
    assert briefs(other.gets(phone.bye())) == ["200"]
    assert other.until(40.0) == []
    assert kinds(other) == [HungUp]


def test_their_bye_overtakes_their_200_and_the_200_is_still_acknowledged() -> None:
    leg, invite = calling(wire := Wire())
    wire.gets(reply(invite, 180, to_tag="human"))
    phone = Phone(call_id=invite["Call-ID"], tag="human", to_tag=leg, cseq=5)
    assert briefs(wire.gets(phone.bye())) == ["481"]
    assert briefs(wire.gets(reply(invite, 200, to_tag="human"))) == ["ACK"]
    assert kinds(wire) == [Progressed, Answered]


@pytest.mark.parametrize("restart", [False, True])
def test_byes_of_both_sides_cross(restart: bool) -> None:
    leg, invite = up(wire := Wire())
    if restart:
        wire = restored(wire, leg)
    wire.agent.hang_up(leg, 0.0)
    (bye,) = wire.take()
    phone = Phone(call_id=invite["Call-ID"], tag="human", to_tag=leg, cseq=5)
    assert briefs(wire.gets(phone.bye())) == ["200"]
    wire.gets(reply(bye, 481))
    assert wire.events() == [Released(leg)]


# 2xx and ACK


def test_our_ack_is_lost_and_is_sent_again_as_often_as_the_200_comes() -> None:
    _, invite = calling(wire := Wire())
    ok = reply(invite, 200, to_tag="human")
    first = [wire.gets(ok)[0].text]
    for when in (0.5, 1.5, 3.5, 7.5):
        wire.until(when)
        first += [heard.text for heard in wire.gets(ok)]
    assert len(first) == 5
    assert len(set(first)) == 1
    assert kinds(wire) == [Answered]


def test_their_ack_is_lost_and_comes_with_a_repeat() -> None:
    leg, phone = unacknowledged(wire := Wire())
    assert wire.ladder(2.0) == [(0.5, "200"), (1.5, "200")]
    wire.gets(phone.ack())
    wire.gets(phone.ack(branch="z9hG4bK-ack2"))
    assert kinds(wire) == [Confirmed]
    assert wire.ladder(100.0) == []
    assert wire.agent.dialog(leg) is not None


def test_a_200_repeated_to_a_restarted_agent_is_acknowledged_again() -> None:
    leg, invite = up(wire := Wire())
    other = restored(wire, leg)
    (ack,) = other.gets(reply(invite, 200, to_tag="human"))
    assert (ack.brief, ack["CSeq"], ack.to_tag, ack["Call-ID"]) == ("ACK", "1 ACK", "human", invite["Call-ID"])
    # One of another phone is not: its dialog is none of ours.
    assert other.gets(reply(invite, 200, to_tag="other")) == []
    assert other.events() == []


def test_a_second_phone_answers_while_the_first_hangs_up() -> None:
    leg, invite = up(wire := Wire())
    phone = Phone(call_id=invite["Call-ID"], tag="human", to_tag=leg, cseq=5)
    wire.gets(phone.bye())
    assert kinds(wire) == [HungUp]
    ack, bye = wire.gets(reply(invite, 200, to_tag="other"))
    assert (ack.brief, ack.to_tag, bye.brief, bye.to_tag) == ("ACK", "other", "BYE", "other")
    assert wire.events() == []


# Re-INVITE and BYE


@pytest.mark.parametrize("restart", [False, True])
def test_their_reinvite_crosses_our_bye(restart: bool) -> None:
    leg, phone = answered(wire := Wire())
    if restart:
        wire = restored(wire, leg)
    wire.agent.hang_up(leg, 0.0)
    (bye,) = wire.take()
    assert briefs(wire.gets(phone.next("z9hG4bK-2").invite())) == ["481"]
    wire.gets(reply(bye, 200))
    assert wire.events() == [Released(leg)]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("status", [200, 481, 487])
def test_our_reinvite_crosses_their_bye(restart: bool, status: int) -> None:
    leg, phone = answered(wire := Wire())
    if restart:
        wire = restored(wire, leg)
    wire.agent.reinvite(leg, SDP, 0.0)
    (reinvite,) = wire.take()
    assert briefs(wire.gets(phone.bye())) == ["200"]
    assert briefs(wire.gets(reply(reinvite, status))) == ["ACK"]
    assert kinds(wire) == [HungUp]
    wire.until(100.0)
    assert empty(wire)


def test_their_reinvite_waits_when_their_bye_comes() -> None:
    leg, phone = answered(wire := Wire())
    wire.gets(phone.next("z9hG4bK-2").invite())
    assert kinds(wire) == [Reinvited]
    bye = phone.request("BYE", cseq=3, branch="z9hG4bK-bye")
    assert sorted(briefs(wire.gets(bye))) == ["200", "487"]
    wire.agent.answer(leg, SDP, 0.0)
    assert wire.take() == []
    assert kinds(wire) == [HungUp]


# A 200 to an INVITE whose call is gone


@pytest.mark.parametrize("provisional", [False, True])
def test_a_200_after_we_gave_up_gets_ack_and_bye(provisional: bool) -> None:
    leg, invite = calling(wire := Wire())
    if provisional:
        wire.gets(reply(invite, 180, to_tag="human"))
        wire.agent.hang_up(leg, 0.0)
    wire.until(60.0)
    (event,) = [event for event in wire.events() if not isinstance(event, Progressed)]
    assert event == (Released(leg) if provisional else Refused(leg, 408, None))
    ack, bye = wire.gets(reply(invite, 200, to_tag="human"))
    assert (ack.brief, ack["CSeq"], bye.brief, bye.to_tag) == ("ACK", "1 ACK", "BYE", "human")
    # Its repeats get the same ACK and nothing else.
    assert [heard.text for heard in wire.gets(reply(invite, 200, to_tag="human"))] == [ack.text]
    wire.gets(reply(bye, 200))
    assert wire.events() == []
    wire.until(200.0)
    assert empty(wire)


def test_a_200_to_what_we_never_sent_gets_nothing() -> None:
    _, invite = calling(wire := Wire())
    wire.until(60.0)
    forged = reply(invite, 200, to_tag="human").replace(invite["Via"], invite["Via"] + "x")
    assert wire.gets(forged) == []
    other_call = reply(invite, 200, to_tag="human").replace(invite["Call-ID"], "another")
    assert wire.gets(other_call) == []


def test_a_200_to_a_call_refused_by_another_phone_is_dropped() -> None:
    _, invite = calling(wire := Wire())
    wire.gets(reply(invite, 486, to_tag="one"))
    assert wire.gets(reply(invite, 200, to_tag="two")) == []


def test_of_given_up_calls_only_the_newest_are_known() -> None:
    wire = Wire()
    first, *others = [calling(wire)[1] for _ in range(1001)]
    wire.until(60.0)
    assert wire.gets(reply(first, 200, to_tag="x")) == []
    assert briefs(wire.gets(reply(others[0], 200, to_tag="x"))) == ["ACK", "BYE"]


def test_our_bye_to_who_answered_too_late_is_never_answered() -> None:
    leg, invite = calling(wire := Wire())
    wire.until(60.0)
    wire.gets(reply(invite, 200, to_tag="human"))
    assert {name for _, name in wire.ladder(200.0)} == {"BYE"}
    assert not [event for event in wire.events() if isinstance(event, Lost)]
    assert leg not in wire.agent._core.legs
    assert invite.flow == FLOW
