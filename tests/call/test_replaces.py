"""Another far end takes the caller's place (RFC 3891): the conversation goes on with it."""

import pytest

from sipgw.ai import events as ai
from sipgw.call import effects as do
from sipgw.call.commands import HangUpCall, HoldCall
from sipgw.call.feed import Kind
from sipgw.call.states import TABLE, Seen, State
from sipgw.flow import Flow
from sipgw.media import plane
from sipgw.options import CallOptions
from sipgw.sip import events as sip
from tests.fakes.control import EPOCH, Control, only, request, route, sdp, told


def test_the_conversation_goes_on_with_who_took_the_callers_place() -> None:
    control = Control()
    phone = control.invite().talks()
    control.advance(5.0)
    effects = phone.replaced(caller="bob")
    assert [type(one).__name__ for one in effects] == ["Answer", "HangUp", "Media"]
    # 200 to the new one, then a BYE to the old one that says why.
    answer, bye = only(do.Answer, effects), only(do.HangUp, effects)
    assert (answer.leg, bye.leg, bye.headers) == ("leg2", "leg1", (("Reason", 'Q.850;cause=16;text="replaced"'),))
    # The same ports and the same session, towards another address.
    assert b"m=audio 20002 RTP/AVP 0 101\r\n" in answer.body
    update = only(plane.UpdateSession, [one.command for one in effects if isinstance(one, do.Media)])
    assert (update.session, update.stream.remote) == (phone.session, ("192.0.2.7", 41_000))
    assert told(effects) == []
    phone.ack()
    assert control.states()[-1] == "talking"
    # What the backend hears and says still is this call's.
    control.advance(5.0)
    phone.bye()
    phone.over()
    assert phone.attempt == 1
    record = control.record
    assert (record.cause, record.caller, record.sip_call_id, record.seconds) == ("normal", "alice", "abc@phone", 10.0)
    (one,) = record.replacements
    assert (one.when, one.caller, one.source, one.sip_call_id) == (EPOCH + 5.0, "bob", "192.0.2.8", "abc@phone")
    (happened,) = [one for one in control.happenings if one.kind is Kind.REPLACED]
    assert happened.data == {"caller": "bob", "source": "192.0.2.8", "sip_call_id": "abc@phone"}
    assert control.calls.causes == {"normal": 1}


def test_the_old_leg_is_nothing_to_the_call_any_more() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.replaced()
    phone.ack()
    for event in (sip.HungUp("leg1", request("BYE")), sip.Released("leg1"), sip.Lost("leg1", "no_answer_to_bye")):
        assert control.carry(control.calls.on_sip(event, control.now)) == []
    assert control.states()[-1] == "talking"
    phone.bye()
    phone.over()


def test_a_place_that_may_not_be_named_is_not_followed() -> None:
    control = Control()
    phone = control.invite().talks()
    effects = phone.replaced(body=sdp(address="127.0.0.1"))
    update = only(plane.UpdateSession, [one.command for one in effects if isinstance(one, do.Media)])
    assert update.stream.remote == ("0.0.0.0", 0)


def test_its_description_is_of_a_session_of_its_own() -> None:
    control = Control()
    phone = control.invite().talks()
    before, after = only(do.Answer, control.effects).body, only(do.Answer, phone.replaced()).body
    first, second = (next(line for line in body.split(b"\r\n") if line[:2] == b"o=") for body in (before, after))
    assert first.split()[1] != second.split()[1]


def test_another_codec_may_come_with_it() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.replaced(body=sdp(formats="8 101"))
    phone.bye()
    phone.over()
    assert control.record.codec == "PCMA"


def test_without_an_offer_ours_is_out_and_sound_moves_with_the_ack() -> None:
    control = Control()
    phone = control.invite().talks()
    effects = phone.replaced(body=b"")
    assert b"m=audio 20002 RTP/AVP 111 9 0 8 101 102\r\n" in only(do.Answer, effects).body
    assert not [one for one in effects if isinstance(one, do.Media)]
    effects = phone.ack(sdp(port=42_000))
    update = only(plane.UpdateSession, [one.command for one in effects if isinstance(one, do.Media)])
    assert update.stream.remote == ("192.0.2.7", 42_000)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (sdp(formats="18"), 488),
        (b"nonsense", 400),
        (sdp().replace(b"m=audio", b"m=text"), 488),
        (sdp().replace(b"IP4 192.0.2.7", b"IP6 2001:db8::7"), 488),
    ],
)
def test_who_cannot_be_served_is_refused_and_nothing_changes(body: bytes, status: int) -> None:
    control = Control()
    phone = control.invite().talks()
    effects = phone.replaced(body=body)
    (refusal,) = effects
    assert isinstance(refusal, do.Refuse)
    assert (refusal.leg, refusal.status) == ("leg2", status)
    phone.reinvite(sdp(port=43_000))
    phone.bye()
    phone.over()
    assert control.record.replacements == ()


def test_it_may_happen_again() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.replaced("leg2")
    phone.ack()
    phone.replaced("leg3")
    phone.ack()
    phone.bye()
    phone.over()
    assert len(control.record.replacements) == 2


def test_a_call_that_waits_for_the_ack_of_its_200_waits_for_that_of_the_new_one() -> None:
    control = Control()
    phone = control.invite()
    phone.ready()
    phone.replaced()
    assert control.carry(control.calls.on_sip(sip.Confirmed("leg1", request("ACK")), control.now)) == []
    phone.packet()
    phone.ack()
    assert told(control.effects) == [ai.Open()]


def test_the_new_one_never_acknowledges() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.replaced()
    phone.lost("no_ack")
    phone.over()
    assert control.record.cause == "no_ack"


def test_the_far_ends_hold_ends_with_it() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.reinvite(sdp(way="sendonly"))
    phone.ack()
    assert told(phone.replaced()) == [ai.Mute(False)]
    assert [one.kind for one in control.happenings][-3:] == [Kind.HELD, Kind.REPLACED, Kind.RESUMED]


def test_our_hold_stays() -> None:
    control = Control()
    phone = control.invite().talks()
    control.command(HoldCall("n1-0001"))
    phone.accepts(sdp(way="recvonly"))
    assert b"a=sendonly\r\n" in only(do.Answer, phone.replaced()).body
    (view,) = control.calls.calls()
    assert view.held_by == ("gateway",)


@pytest.mark.parametrize("restart", [False, True])
def test_a_hold_that_was_on_its_way_is_asked_of_the_new_one_once_it_may_be(restart: bool) -> None:
    control = Control()
    phone = control.invite().talks()
    control.command(HoldCall("n1-0001"))
    phone.replaced(body=b"")
    if restart:
        control.restart()
    assert not [one for one in control.advance(5.0) if isinstance(one, do.Reinvite)]
    phone.ack(sdp(port=42_000))
    offered = only(do.Reinvite, control.advance(5.0))
    assert (offered.leg, b"a=sendonly\r\n" in offered.body) == ("leg2", True)


def test_a_restarted_gateway_goes_on_with_the_new_one() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.replaced()
    phone.ack()
    control.restart()
    assert [one.leg for one in control.kept()] == ["leg2"]
    phone.bye()
    phone.over()
    assert len(control.record.replacements) == 1


# --- where there is nothing to take over --------------------------------------------------------------------------


def test_a_call_that_is_not_there_is_481() -> None:
    control = Control()
    asked = sip.Invited(
        "leg2", request(body=sdp()), Flow("udp", ("127.0.0.1", 5060), ("192.0.2.8", 5060)), replaces="x"
    )
    assert control.calls.on_sip(asked, 0.0) == [do.Refuse("leg2", 481)]
    assert control.records == []


def test_a_call_that_ends_is_declined() -> None:
    control = Control()
    phone = control.invite().talks()
    control.command(HangUpCall("n1-0001"))
    assert phone.replaced() == [do.Refuse("leg2", 603)]
    phone.over()


def test_a_call_that_breaks_over_it_leaves_nobody_without_an_answer() -> None:
    control = Control()
    phone = control.invite().talks()
    broken = sip.Invited("leg2", None, Flow("udp", ("127.0.0.1", 1), ("192.0.2.8", 1)), replaces="leg1")  # type: ignore[arg-type]
    effects = control.calls.on_sip(broken, control.now)
    assert effects[-1] == do.Refuse("leg2", 500)
    control.invites["leg2"] += 1
    control.carry(effects)
    phone.over()
    assert control.record.cause == "internal"


def test_every_state_knows_what_to_do() -> None:
    known = {state for state, seen in TABLE if seen is Seen.REPLACING}
    assert known == set(State) - {State.NEW, State.ENDED}


def test_while_draining_a_call_may_still_change_hands() -> None:
    control = Control(CallOptions(routes=(route("ai"),), max_calls=1))
    phone = control.invite().talks()
    control.drain()
    assert only(do.Answer, phone.replaced()).leg == "leg2"
