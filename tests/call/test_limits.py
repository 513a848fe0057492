"""How many calls at a time and a second: of all, of one source, of one route."""

import pytest

from sipgw.call.limits import Excess, Limits
from sipgw.errors import Cause
from sipgw.options import CallOptions, RouteOptions
from sipgw.sip.buckets import Bucket

ANY = RouteOptions()


def admitted(limits: Limits, count: int, now: float, source: str = "a", route: RouteOptions = ANY) -> int:
    """How many of so many calls pass."""
    first = len(limits._of_call)
    return sum(limits.admit(f"{source}{first + n}", source, route, now) is None for n in range(count))


# --- calls a second -----------------------------------------------------------------------------------------------


def test_a_seconds_worth_may_come_at_once_and_then_as_many_as_time_brings() -> None:
    limits = Limits(CallOptions(calls_per_second=5))
    assert admitted(limits, 9, 100.0) == 5
    assert admitted(limits, 9, 100.19) == 0
    assert admitted(limits, 9, 100.2) == 1
    assert admitted(limits, 9, 101.0) == 4
    assert admitted(limits, 9, 200.0) == 5


def test_less_than_one_a_second_is_one_and_then_a_wait() -> None:
    limits = Limits(CallOptions(calls_per_second=0.1))
    assert admitted(limits, 2, 0.0) == 1
    assert limits.admit("x", "a", ANY, 3.0) == Excess(Cause.RATE_LIMITED, "0.1 calls a second of all", 7)
    assert admitted(limits, 2, 10.0) == 1


@pytest.mark.parametrize("rate", [0.5, 1.0, 3.0, 7.0, 1000.0])
def test_over_a_long_time_the_rate_is_kept_however_they_come(rate: float) -> None:
    bucket, passed = Bucket(), 0
    for tick in range(100_000):
        now = tick / 1000
        if not bucket.wait(rate, now):
            bucket.take(rate, now)
            passed += 1
    assert passed == pytest.approx(100 * rate + max(rate, 1), rel=0.01, abs=1)


def test_a_bucket_whose_rate_is_changed_goes_on() -> None:
    limits = Limits(CallOptions(calls_per_second=2))
    assert admitted(limits, 5, 0.0) == 2
    limits.options = CallOptions(calls_per_second=10)
    assert admitted(limits, 20, 0.0) == 8
    limits.options = CallOptions()
    assert admitted(limits, 20, 0.0) == 20


# --- calls at a time ----------------------------------------------------------------------------------------------


def test_a_source_has_so_many_calls_and_others_have_theirs() -> None:
    limits = Limits(CallOptions(source_max_calls=2))
    assert [limits.admit(name, "a", ANY, 0.0) for name in ("1", "2", "3")] == [
        *(None, None),
        Excess(Cause.SOURCE_FULL, "2 calls of a"),
    ]
    assert limits.excess("a", 0.0) == Excess(Cause.SOURCE_FULL, "2 calls of a")
    assert limits.excess("b", 0.0) is None
    assert limits.admit("4", "b", ANY, 0.0) is None
    limits.release("1")
    limits.release("1")
    limits.release("never admitted")
    assert admitted(limits, 2, 0.0) == 1


def test_a_route_that_is_full_is_busy_and_others_are_not() -> None:
    limits = Limits(CallOptions())
    sales = RouteOptions("1", max_calls=1)
    fast = RouteOptions("2", calls_per_second=1)
    assert admitted(limits, 2, 0.0, route=sales) == 1
    assert admitted(limits, 2, 0.0, route=fast) == 1
    assert limits.admit("x", "a", sales, 9.0) == Excess(Cause.ROUTE_FULL, "1 calls of route 1")
    assert admitted(limits, 2, 1.0, route=fast) == 1
    # The same number for other sources is another route.
    assert admitted(limits, 2, 1.0, route=RouteOptions("1", max_calls=1, sources=("192.0.2.1",))) == 1


def test_a_route_of_a_new_configuration_goes_on_counting() -> None:
    limits = Limits(CallOptions())
    assert admitted(limits, 3, 0.0, route=RouteOptions("1", max_calls=3)) == 3
    assert admitted(limits, 3, 0.0, route=RouteOptions("1", ("other",), max_calls=4)) == 1


def test_what_one_limit_refuses_takes_nothing_from_the_others() -> None:
    limits = Limits(CallOptions(calls_per_second=5, source_calls_per_second=1))
    assert admitted(limits, 50, 0.0, "noisy") == 1
    assert sum(admitted(limits, 1, 0.0, source) for source in "abcdef") == 4


def test_who_calls_no_longer_is_forgotten() -> None:
    limits = Limits(CallOptions(source_calls_per_second=1, source_max_calls=9))
    limits.admit("stays", "up", ANY, 0.0)
    for number in range(5000):
        limits.admit(f"{number}", f"source {number}", ANY, number / 100)
        limits.release(f"{number}")
    assert len(limits._meters) < 13_000
    for number in range(5000, 20_000):
        limits.admit(f"{number}", f"source {number}", ANY, 1000.0 + number)
        limits.release(f"{number}")
    assert len(limits._meters) < 2500
    assert limits._meters["source", "up"].calls == 1
