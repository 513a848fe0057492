"""Calls written down: another process goes on as the one that died would have."""

from collections.abc import Iterable
from dataclasses import fields, replace

import pytest
from msgspec.msgpack import encode

from sipgw.ai import events as ai
from sipgw.call import effects as do
from sipgw.call.call import Call
from sipgw.call.cdr import Draft
from sipgw.call.commands import HoldCall, PlayPrompt
from sipgw.call.deeds import Deeds
from sipgw.call.holdings import Holdings
from sipgw.call.negotiation import Negotiation
from sipgw.call.reoffer import Reoffer
from sipgw.call.snapshot import (
    CallSnapshot,
    KeptDeeds,
    KeptHoldings,
    KeptNegotiation,
    KeptRecorder,
    KeptReoffer,
    KeptSteering,
    KeptTargets,
)
from sipgw.call.targets import Targets
from sipgw.media import plane
from sipgw.options import CallOptions
from tests.call.test_races import STAGES, Move, World, at
from tests.fakes.control import AI, EPOCH, Control, commands, only, route, sdp, told

ANSWERED = [stage for stage in STAGES if at(stage).control.kept()]


def compared(effects: Iterable[do.Effect]) -> list[do.Effect]:
    """Effects without the serial numbers of timers: the other process has started them anew."""

    def named(timer: str) -> str:
        return timer.rpartition("/")[0]

    return [
        replace(effect, id=named(effect.id)) if isinstance(effect, do.StartTimer | do.CancelTimer) else effect
        for effect in effects
    ]


def moves(world: World) -> dict[str, Move]:
    return {**world.phones[0].moves(), **world.moves()}


@pytest.mark.parametrize("stage", ANSWERED)
def test_whatever_happens_next_the_other_process_does_the_same(stage: str) -> None:
    for name in moves(at(stage)):
        if name.startswith("restart"):
            continue
        seen = []
        for restart in (False, True):
            world = at(stage)
            if restart:
                world.control.restart()
            before = len(world.control.effects)
            moves(world)[name]()
            seen.append((compared(world.control.effects[before:]), world.control.kept()))
        (effects, kept), (others, others_kept) = seen
        assert others == effects, name
        for one, other in zip(kept, others_kept, strict=True):
            assert replace(other, held=replace(other.held, serial=one.held.serial)) == one, name


def test_most_stages_are_tried() -> None:
    assert {"answered", "talking", "switching", "apologising", "ending", "reinvited"} <= set(ANSWERED)


def test_a_call_that_was_not_answered_is_not_written_down() -> None:
    control = Control()
    control.invite()
    assert control.kept() == []
    assert control.calls.snapshot("nobody") is None


def test_a_call_whose_media_died_is_hung_up_and_its_record_says_so() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.report(ai.Turn(420))
    control.advance(60.0)
    effects = control.restart(media=False)
    bye = only(do.HangUp, effects)
    assert dict(bye.headers[:1]) == {"Reason": 'Q.850;cause=41;text="gateway_restarted"'}
    assert commands(effects) == []
    control.advance(0.1)
    phone.released()
    control.settled()
    record = control.record
    assert (record.cause, record.hung_up_by, record.status) == ("gateway_restarted", "gateway", 200)
    assert record.seconds == pytest.approx(60.0)
    assert (record.turns_ms, record.target, record.caller) == ((420,), "ai", "alice")


def test_timers_go_on() -> None:
    control = Control(CallOptions(routes=(route("ai", max_duration=100.0),)))
    phone = control.invite().talks()
    control.advance(60.0)
    control.restart()
    assert "HangUp" not in [type(effect).__name__ for effect in control.advance(39.9)]
    only(do.HangUp, control.advance(0.2))
    phone.over()
    assert control.record.cause == "time_limit"
    assert control.record.seconds == pytest.approx(100.0)


def test_a_timer_that_ran_out_meanwhile_fires_at_once() -> None:
    control = Control(CallOptions(routes=(route("ai", max_duration=100.0),)))
    control.invite().talks()
    control.now += 200.0  # with nobody there to notice
    control.restart()
    only(do.HangUp, control.advance(0.0))


def test_times_survive_a_clock_that_begins_anew() -> None:
    """After a power cut the machine counts from zero again."""
    control = Control(now=5000.0)
    control.invite().talks()
    control.advance(30.0)
    control.now, control.wall = 10.0, lambda now: EPOCH + 5020.0 + now
    control.restart(media=False)
    control.advance(3.0)
    record = control.record
    assert record.started == pytest.approx(EPOCH + 5000.0)
    assert record.ended == pytest.approx(EPOCH + 5030.0)


def test_a_hold_that_nobody_answered_is_offered_again() -> None:
    control = Control()
    phone = control.invite().talks()
    first = only(do.Reinvite, control.command(HoldCall("n1-0001")))
    control.restart()
    again = only(do.Reinvite, control.advance(2.1))
    assert b"a=sendonly" in again.body
    assert again.body == first.body, "who took the first one takes it as said twice"
    phone.accepts(sdp(way="recvonly"))
    assert control.calls.calls()[0].held_by == ("gateway",)


def test_a_call_that_goes_on_counts_for_the_limits() -> None:
    control = Control(CallOptions(routes=(route("ai", max_calls=1),)))
    phone = control.invite(leg="leg1").talks()
    control.restart()
    control.invite(leg="leg2")
    assert control.record.cause == "route_full"
    phone.bye()
    phone.session_ended()
    control.invite(leg="leg3").talks()
    assert len(control.calls.calls()) == 1


def test_a_prompt_that_plays_goes_on_playing() -> None:
    control = Control()
    phone = control.invite().talks()
    control.command(PlayPrompt("n1-0001", "greeting"))
    control.restart()
    assert control.calls.calls()[0].prompt == "greeting"
    assert told(phone.played()) == [ai.Mute(False)]


def test_a_backend_is_taken_from_the_configuration_again_and_its_secrets_are_not_written_down() -> None:
    hush = replace(AI, name="spare", headers={"Authorization": "Bearer hush"})
    control = Control(CallOptions(routes=(route("ai", "spare"),), backends=(AI, hush)))
    phone = control.invite().talks()
    assert b"hush" not in encode(control.kept())
    control.restart()
    assert only(plane.ConnectBackend, commands(phone.fails())).backend == hush


def test_a_snapshot_of_another_version_costs_the_other_calls_nothing() -> None:
    control = Control()
    control.invite(leg="leg1").talks()
    control.invite(leg="leg2").talks()
    first, second = control.kept()
    other = Control()
    other.carry(other.calls.restore([replace(first, version=9), second], {second.session}, 0.0))
    assert [view.call for view in other.calls.calls()] == [second.call]
    assert other.drops() == ["not_restored"]


def test_every_change_is_told() -> None:
    control = Control()
    phone = control.invite()
    for move in (phone.ready, phone.ack, phone.packet, lambda: phone.report(ai.Turn(100)), phone.bye):
        before = {one.call: one for one in control.kept()}
        control.changed.clear()
        move()
        after = {one.call: one for one in control.kept()}
        assert before != after
        assert control.changed == {"n1-0001"}


# --- nothing is forgotten -----------------------------------------------------------------------------------------

WIRING = {
    Call: {"_around", "_reading", "id", "leg", "draft", "state", "serial", "_held", "_deeds"},
    Holdings: {"effects", "leg_id", "session", "_call", "asking"},
    Targets: {"_held", "_draft", "_around", "_happened", "_hook", "_question", "_advice", "ready_at_hand"},
    Deeds: {
        "_call",
        "_held",
        "_draft",
        "_around",
        "_happened",
        "_targets",
        "_refusal",
        "_takes_offers",
        "_early_spoken",
        "_hushed",
    },
    Negotiation: {"_theirs", "_agreement", "_destinations", "_heard", "_oddities", "_print", "_random"},
    Reoffer: {"_call", "_held", "_negotiation"},
}
"""What is not written down as it stands: it is wiring, is made anew, is over by the answer, or has another form."""

KEPT: dict[type, tuple[type, ...]] = {
    Call: (CallSnapshot,),
    Holdings: (KeptHoldings,),
    Deeds: (KeptDeeds, KeptSteering, KeptRecorder),
    Targets: (KeptTargets,),
    Negotiation: (KeptNegotiation,),
    Reoffer: (KeptReoffer,),
}


def test_whatever_a_call_remembers_is_written_down() -> None:
    """Fails for an attribute that was added and would be forgotten: write it down, or say in `WIRING` why not."""
    control = Control()
    control.invite().talks()
    call = control.calls._calls["n1-0001"]
    deeds = call._deeds
    for part in (call, call._held, deeds, deeds._targets, deeds._negotiation, deeds._reoffer):
        kept = {field.name for kind in KEPT[type(part)] for field in fields(kind)}
        remembered = {name.lstrip("_") for name in vars(part) if name not in WIRING[type(part)]}
        assert remembered <= kept, type(part)
    assert {field.name for field in fields(Draft)} - {"wall", "cause"} == {
        field.name for field in fields(type(control.kept()[0].noted))
    }
