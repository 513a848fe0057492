"""When a worker counts as stuck, by what the kernel says of it."""

import os

import pytest

from sipgw.worker.watch import INTERVAL, LIMIT, Usage, Watch, usage_of


class Looks:
    """A watch that looks every interval at a worker whose last sign of life was at 100."""

    def __init__(self) -> None:
        self.watch, self.now = Watch(), 100.0
        self.watch.look(self.now, 100.0, Usage(0, 0, runnable=False))

    def stuck_after(self, usage: Usage, longest: float = 20.0) -> float | None:
        """Seconds, where each second brings `usage`; None where it never is."""
        while self.now < 100 + longest:
            self.now += INTERVAL
            passed = self.now - 100.0
            so_far = Usage(usage.ran * passed, usage.waited * passed, usage.runnable)
            if self.watch.look(self.now, 100.0, so_far):
                return passed
        return None


@pytest.mark.parametrize(
    ("usage", "after"),
    [
        pytest.param(Usage(0, 0, runnable=False), LIMIT, id="stopped, or waits for something that does not come"),
        pytest.param(Usage(1, 0, runnable=True), LIMIT, id="spins, and has a CPU"),
        pytest.param(Usage(0.5, 0.5, runnable=True), 2 * LIMIT, id="spins, with half a CPU"),
        pytest.param(Usage(0, 0, runnable=True), None, id="has waited for a CPU all the time"),
        pytest.param(Usage(0.02, 0.98, runnable=True), None, id="gets hardly any CPU"),
    ],
)
def test_what_had_a_cpu_and_gave_no_sign_of_life_is_stuck(usage: Usage, after: float | None) -> None:
    assert Looks().stuck_after(usage) == after


def test_a_sign_of_life_begins_the_count_anew() -> None:
    watch, usage = Watch(), Usage(0, 0, runnable=False)
    for number in range(100):
        assert not watch.look(number * 1.0, number // 3 * 1.0, usage)


def test_time_in_which_we_did_not_look_ourselves_counts_little() -> None:
    watch, usage = Watch(), Usage(0, 0, runnable=False)
    watch.look(100.0, 100.0, usage)
    assert not watch.look(1000.0, 100.0, usage)


def test_the_kernel_is_asked() -> None:
    before = usage_of(os.getpid())
    sum(range(3_000_000))
    after = usage_of(os.getpid())
    assert after.ran > before.ran
    assert after.waited >= before.waited
    assert after.runnable
    with pytest.raises(OSError):
        usage_of(2**22)
