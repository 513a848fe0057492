"""Who is let in: limits, a busy node, and what a flood of refused calls costs."""

from typing import Any

import pytest

from sipgw.call import effects as do
from sipgw.call.admission import PROPERLY
from sipgw.call.feed import Kind
from sipgw.call.pressure import Load
from sipgw.options import CallOptions
from tests.fakes.control import AI, Control, only, route

BUSY, CALM = Load(900.0, 0.0), Load(1.0, 0.0)


def refused(control: Control, leg: str, **more: Any) -> tuple[int, str, str | None]:
    """Status, cause and Retry-After of a call that is refused."""
    before = len(control.effects)
    control.invite(leg=leg, **more)
    refusal = only(do.Refuse, control.effects[before:])
    return refusal.status, control.records[-1].cause, dict(refusal.headers).get("Retry-After")


def test_who_calls_too_often_is_told_when_to_try_again() -> None:
    control = Control(CallOptions(routes=(route(),), calls_per_second=0.25))
    control.invite().talks()
    assert refused(control, "leg2") == (503, "rate_limited", "4")
    control.advance(3.5)
    assert refused(control, "leg3") == (503, "rate_limited", "1")
    control.advance(0.5)
    control.invite(leg="leg4").talks()
    assert control.drops() == ["rate_limited"] * 2


def test_a_source_with_too_many_calls_may_call_again_once_one_is_over() -> None:
    control = Control(CallOptions(routes=(route(),), source_max_calls=1, retry_after=7))
    first = control.invite(source="192.0.2.7").talks()
    assert refused(control, "leg2", source="192.0.2.7") == (503, "source_full", "7")
    control.invite(leg="leg3", source="192.0.2.8").talks()
    first.bye()
    assert refused(control, "leg4", source="192.0.2.7")[1] == "source_full", "it is not over before its record is"
    first.session_ended()
    control.invite(leg="leg5", source="192.0.2.7").talks()


def test_a_route_that_is_full_is_busy() -> None:
    control = Control(CallOptions(routes=(route(number="1", max_calls=1), route(number="2"))))
    control.invite(to="sip:1@gw.example").talks()
    assert refused(control, "leg2", to="sip:1@gw.example") == (486, "route_full", None)
    assert control.records[-1].reason == "1 calls of route 1"
    control.invite(leg="leg3", to="sip:2@gw.example").talks()


def test_who_may_not_call_takes_nothing_from_those_who_may() -> None:
    control = Control(CallOptions(routes=(route(anyone=False, sources=("192.0.2.7",)),), calls_per_second=1))
    for number in range(5):
        assert refused(control, f"stranger{number}", source="198.51.100.1")[1] == "forbidden"
    control.invite(source="192.0.2.7").talks()


@pytest.mark.parametrize("way", ["refused", "cancelled", "failed"])
def test_whatever_ends_a_call_makes_room(way: str) -> None:
    control = Control(CallOptions(routes=(route("ai", max_calls=1, last_resort="503"),)))
    phone = control.invite()
    if way == "refused":
        phone.fails()
    elif way == "cancelled":
        phone.cancel()
    else:
        phone.session_failed()
    if way != "failed":
        phone.session_ended()
    control.invite(leg="leg2").talks()


# --- ringing ------------------------------------------------------------------------------------------------------


def test_nobody_waits_longer_for_an_answer_than_the_route_allows() -> None:
    slow = route("ai", "spare", target_timeout=8.0, max_ringing=10.0)
    control = Control(CallOptions(routes=(slow,)))
    phone = control.invite()
    control.advance(9.9)
    assert not control.finals["leg1"]
    control.advance(0.1)
    refusal = only(do.Refuse, control.effects)
    assert refusal.status == 480
    assert ("Reason", 'Q.850;cause=19;text="no_answer"') in refusal.headers
    phone.over()
    assert (control.record.cause, control.record.hung_up_by) == ("no_answer", "gateway")


def test_how_long_it_rang_does_not_shorten_a_call() -> None:
    control = Control(CallOptions(routes=(route(max_ringing=5.0, max_duration=100.0),)))
    phone = control.invite()
    control.advance(4.0)
    phone.talks()
    control.advance(99.9)
    assert not control.byes
    control.advance(0.1)
    assert control.byes == {"leg1": 1}


# --- a busy node --------------------------------------------------------------------------------------------------


def test_a_busy_node_takes_no_new_calls_and_touches_none_that_run() -> None:
    control = Control(CallOptions(routes=(route(),), retry_after=9))
    running = control.invite().talks()
    control.busy(BUSY, 6)
    assert refused(control, "leg2") == (503, "lagging", "9")
    assert not control.byes
    alarms = [one for one in control.happenings if one.kind is Kind.ALARM]
    assert [one.data["name"] for one in alarms] == ["loop_lags"], "once, however long it lasts"
    assert [log.message for log in control.logs if "new calls" in log.message] == ["too busy for new calls"]
    control.busy(CALM, 3)
    assert control.logs[-1].message == "new calls are taken again"
    control.invite(leg="leg3").talks()
    running.bye()


def test_limits_of_a_new_configuration_count_at_once() -> None:
    control = Control(CallOptions(routes=(route(),)))
    control.invite().talks()
    control.calls.reconfigure(CallOptions(routes=(route(),), backends=(AI,), source_max_calls=1))
    assert refused(control, "leg2")[1] == "source_full"
    control.busy(BUSY, 3)
    assert refused(control, "leg3")[1] == "lagging"
    control.calls.reconfigure(CallOptions(routes=(route(),), backends=(AI,), max_lag_ms=0))
    control.busy(BUSY, 3)
    control.invite(leg="leg4").talks()


# --- a flood ------------------------------------------------------------------------------------------------------


def test_beyond_so_many_a_second_a_refusal_leaves_nothing_but_a_count() -> None:
    control = Control(CallOptions(routes=(route(),), max_calls=1, retry_after=9))
    control.invite().talks()
    assert control.calls.door("192.0.2.7", 0.0) is None, "refused properly"
    for number in range(PROPERLY):
        assert control.calls.door("192.0.2.7", 0.0) is None
        control.invite(leg=f"early{number}")
    records, effects = len(control.records), len(control.effects)
    for _ in range(500):
        refusal = control.calls.door("192.0.2.7", 0.0)
        assert refusal is not None
        assert (refusal.status, refusal.cause.record, refusal.headers) == (503, "overload", (("Retry-After", "9"),))
    assert (len(control.records), len(control.effects)) == (records, effects)
    assert control.calls.causes["overload"] == PROPERLY + 500
    assert control.drops() == ["overload"] * (PROPERLY + 500)
    # The next second has as many that are refused properly.
    assert control.calls.door("192.0.2.7", 1.0) is None


def test_whoever_may_call_passes_the_door_in_the_middle_of_a_flood() -> None:
    control = Control(CallOptions(routes=(route(),), source_calls_per_second=1))
    for number in range(100):
        if control.calls.door("198.51.100.1", 0.0) is None:
            control.invite(leg=f"flood{number}", source="198.51.100.1")
    assert len(control.calls.calls()) == 1
    assert control.calls.door("192.0.2.7", 0.0) is None
    control.invite(leg="welcome", source="192.0.2.7").talks()
