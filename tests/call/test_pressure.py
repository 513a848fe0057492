"""Too busy for new calls: begins and ends only with what lasts."""

from collections.abc import Iterable

from sipgw.call.pressure import Load, Pressure
from sipgw.options import CallOptions

OPTIONS = CallOptions(max_lag_ms=100, max_late_ms=10)
CALM = Load(1.0, 0.1)


def measured(pressure: Pressure, loads: Iterable[Load], options: CallOptions = OPTIONS, at: float = 0.0) -> list[str]:
    """One load a second: what the gate is after each, and the alarms."""
    story = []
    for second, load in enumerate(loads):
        alarms = pressure.measured(load, options, at + second)
        story += ["shut" if pressure.high else "open", *(name for name, _ in alarms)]
    return story


def test_one_bad_second_is_nothing() -> None:
    bad = Load(900.0, 80.0)
    assert measured(Pressure(), [CALM, bad, CALM, bad, bad, CALM]) == ["open"] * 6


def test_three_bad_seconds_shut_the_gate_and_are_one_alarm() -> None:
    bad = Load(101.0, 0.1)
    assert measured(Pressure(), [CALM, *[bad] * 6]) == ["open"] * 3 + ["shut", "loop_lags"] + ["shut"] * 3


def test_late_packets_shut_it_too() -> None:
    pressure = Pressure()
    (name, detail) = [pressure.measured(Load(1.0, 12.3), OPTIONS, second) for second in range(3)][2][0]
    assert (name, detail) == ("media_late", "packets leave 12 ms late on average; new calls are refused")


def test_it_opens_again_only_once_it_is_half_as_bad_for_a_while() -> None:
    pressure = Pressure()
    measured(pressure, [Load(150.0, 0.0)] * 3)
    hardly = Load(51.0, 0.0)
    assert measured(pressure, [hardly] * 9, at=3.0) == ["shut"] * 9
    assert measured(pressure, [CALM, CALM, hardly, CALM, CALM, CALM], at=12.0) == ["shut"] * 5 + ["open"]


def test_the_next_time_is_another_alarm() -> None:
    pressure = Pressure()
    bad = Load(150.0, 0.0)
    story = measured(pressure, [bad] * 3 + [CALM] * 3 + [bad] * 3)
    assert story.count("loop_lags") == 2


def test_both_at_once_are_two_alarms_and_one_refusal_until_both_are_over() -> None:
    pressure = Pressure()
    assert measured(pressure, [Load(150.0, 20.0)] * 3) == ["open", "open", "shut", "loop_lags", "media_late"]
    assert measured(pressure, [Load(150.0, 0.0)] * 4, at=3.0) == ["shut"] * 4
    assert measured(pressure, [CALM] * 3, at=7.0) == ["shut", "shut", "open"]


def test_no_limit_never_shuts_and_opens_what_was_shut() -> None:
    off = CallOptions(max_lag_ms=0, max_late_ms=0)
    awful = Load(9999.0, 9999.0)
    assert measured(Pressure(), [awful] * 9, off) == ["open"] * 9
    pressure = Pressure()
    measured(pressure, [awful] * 3)
    assert measured(pressure, [awful] * 3, off, at=3.0) == ["shut", "shut", "open"]
