"""What a tap keeps for a recording, and what it leaves out."""

from sipgw.media.tap import LONGEST, Passed, Tap


def packet(now: float) -> Passed:
    return now, 0, b"\x55" * 160, "PCMU"


def test_both_directions_are_kept_until_they_are_taken() -> None:
    tap = Tap(0.0)
    tap.heard(packet(0.02))
    tap.sent(packet(0.03))
    tap.heard(packet(0.04))
    assert tap.take() == ([packet(0.02), packet(0.04)], [packet(0.03)])
    assert tap.take() == ([], [])


def test_what_passes_during_a_pause_is_never_kept() -> None:
    tap = Tap(10.0)
    assert tap.pause(11.0)
    assert not tap.pause(11.5)
    assert tap.paused
    tap.heard(packet(12.0))
    tap.sent(packet(12.0))
    assert tap.resume(13.0)
    assert not tap.resume(13.5)
    tap.heard(packet(14.0))
    assert tap.take() == ([packet(14.0)], [])
    assert tap.pauses() == ((1.0, 3.0),)


def test_a_pause_ends_with_the_recording() -> None:
    tap = Tap(10.0)
    tap.pause(11.0)
    tap.end(12.5)
    assert tap.pauses() == ((1.0, 2.5),)
    assert not tap.pause(13.0)
    tap.heard(packet(13.0))
    assert tap.take() == ([], [])


def test_a_writer_that_does_not_keep_up_costs_sound_and_not_memory() -> None:
    tap = Tap(0.0)
    now, begun = 0.0, []
    while now < 20.0:
        now += 0.02
        tap.heard(packet(now))
        tap.sent(packet(now))
        if tap.watch(now):
            begun.append(now)
    assert [round(when, 1) for when in begun] == [LONGEST]
    assert len(tap.take()[0]) <= LONGEST * 50 + 1
    # The writer is there again.
    assert not tap.watch(now)
    assert round(tap.lost, 1) == 20.0 - LONGEST
    tap.heard(packet(now))
    assert tap.take() == ([packet(now)], [])


def test_a_pause_while_the_writer_is_behind_stays_a_pause_when_it_has_caught_up() -> None:
    tap = Tap(0.0)
    for _ in range(1000):
        tap.heard(packet(1.0))
    assert tap.watch(1.0)
    tap.pause(2.0)
    tap.take()
    tap.watch(3.0)
    tap.heard(packet(3.0))
    assert tap.take() == ([], [])
    tap.resume(4.0)
    tap.heard(packet(4.0))
    assert tap.take() == ([packet(4.0)], [])
