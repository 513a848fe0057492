"""When a far end counts as gone."""

from sipgw.media.latch import Latch, Sent
from sipgw.media.vigil import Vigil
from sipgw.options import MediaOptions

SOURCE = ("192.0.2.1", 4000)
NEVER = float("inf")


def vigil() -> tuple[Vigil, Latch]:
    latch = Latch(SOURCE)
    return Vigil(latch, MediaOptions(first_packet_timeout=5.0, inactivity_timeout=30.0)), latch


def test_nothing_is_missed_before_it_is_expected() -> None:
    watch, _ = vigil()
    assert watch.next_timer() == NEVER
    assert watch.handle_timers(100.0) is None


def test_a_first_packet_has_a_limit_of_its_own_and_its_absence_is_told_once() -> None:
    watch, _ = vigil()
    watch.begin(10.0)
    assert watch.next_timer() == 15.0
    assert watch.handle_timers(14.9) is None
    assert watch.handle_timers(15.0) == 5.0
    assert watch.handle_timers(60.0) is None
    assert watch.next_timer() == NEVER


def test_rtp_and_other_signs_put_the_end_off_and_begin_a_new_silence() -> None:
    watch, latch = vigil()
    watch.begin(10.0)
    latch.accepts(SOURCE, Sent(7, 1), 12.0)
    assert watch.next_timer() == 42.0
    watch.sign(20.0)
    assert watch.next_timer() == 50.0
    assert watch.handle_timers(51.0) == 31.0
    latch.accepts(SOURCE, Sent(7, 2), 60.0)
    assert watch.handle_timers(95.0) == 35.0
