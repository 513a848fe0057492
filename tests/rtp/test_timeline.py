"""The AI's time line, in simulated time: 20 ms packets of 160 samples."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipgw.rtp.timeline import Conceal, Fill, Overlap, Piece, Timeline

FRAME = 160


def frame(number: int) -> bytes:
    return bytes([number % 251]) * FRAME


class Line:
    """A time line with a sender: packet `n` has sequence 100 + n and timestamp 5000 + 160 n."""

    def __init__(self, first_timestamp: int = 5000) -> None:
        self.line = Timeline(0.0)
        self.first_timestamp = first_timestamp

    def packet(self, number: int, now: float, sequence: int | None = None) -> list[Piece]:
        timestamp = (self.first_timestamp + FRAME * number) % (1 << 32)
        return self.line.receive(100 + number if sequence is None else sequence, timestamp, frame(number), now)

    def until(self, now: float) -> list[Piece]:
        """Serve the timers up to a moment, as a 5 ms tick would."""
        pieces: list[Piece] = []
        while self.line.due <= now:
            pieces += self.line.handle_timers(self.line.due)
        return pieces


def samples(pieces: list[Piece]) -> int:
    return sum(map(length, pieces))


def length(piece: Piece) -> int:
    if isinstance(piece, Overlap):
        return len(piece.payload) - piece.units
    return len(piece) if isinstance(piece, bytes) else piece.units


def talking(packets: int = 3, first_timestamp: int = 5000) -> Line:
    """A line on which packets 0 … have come on time; the last one at `(packets - 1) * 0.02`."""
    line = Line(first_timestamp)
    for number in range(packets):
        assert line.packet(number, number * 0.02) == [frame(number)]
    return line


def test_audio_in_order_leaves_at_once() -> None:
    talking(50)


def test_timestamps_wrap_without_a_seam() -> None:
    talking(50, first_timestamp=(1 << 32) - 10 * FRAME)


def test_two_packets_that_changed_places_are_put_in_order() -> None:
    line = talking()
    assert line.packet(4, 0.06) == []
    assert line.packet(3, 0.07) == [frame(3), frame(4)]
    assert line.packet(5, 0.10) == [frame(5)]
    assert line.line.late == 0


def test_a_missing_packet_is_waited_for_forty_milliseconds_and_then_concealed() -> None:
    line = talking()
    assert line.packet(4, 0.08) == []
    assert line.packet(5, 0.10) == []
    assert line.until(0.119) == []
    assert line.until(0.1201) == [Conceal(FRAME), frame(4), frame(5)]
    assert line.packet(6, 0.1202) == [frame(6)]


def test_a_packet_that_comes_after_its_concealment_is_dropped_and_counted() -> None:
    line = talking()
    line.packet(4, 0.08)
    line.until(0.13)
    assert line.packet(3, 0.13) == []
    assert line.line.late == 1
    assert line.packet(5, 0.131) == [frame(5)]


def test_a_packet_that_comes_twice_is_written_once() -> None:
    line = talking()
    assert line.packet(2, 0.041) == []
    line.packet(4, 0.06)
    assert line.packet(4, 0.061) == []
    assert line.line.late == 2


def test_each_of_two_losses_is_waited_for_on_its_own() -> None:
    line = talking()
    line.packet(4, 0.08)
    line.packet(6, 0.11)
    assert line.until(0.121) == [Conceal(FRAME), frame(4)]
    assert line.until(0.149) == []
    assert line.until(0.151) == [Conceal(FRAME), frame(6)]


def test_nothing_is_filled_before_sixty_milliseconds_have_passed() -> None:
    line = talking()  # the last one at 0.04
    assert line.until(0.099) == []
    assert line.until(0.101) == [Fill(FRAME)]


def test_fill_is_written_at_real_time_pace() -> None:
    line = talking()
    assert samples(line.until(10.04)) == pytest.approx(8000 * 10, abs=0.06 * 8000)


def test_a_line_on_which_nobody_ever_speaks_is_filled_from_the_start() -> None:
    assert samples(Line().until(2.0)) == pytest.approx(16_000, abs=0.06 * 8000)


def test_after_silence_suppression_the_line_is_as_long_as_the_timestamps_say() -> None:
    line = talking()
    pieces = line.until(1.039)
    pieces += line.packet(52, 1.04, sequence=103)  # no packet was lost, nothing was said
    assert pieces[-1] == frame(52)
    assert samples(pieces) == 50 * FRAME
    assert not any(isinstance(piece, Conceal) for piece in pieces)


def test_a_short_pause_of_the_sender_is_filled_when_it_ends() -> None:
    line = talking()
    assert line.packet(4, 0.08, sequence=103) == [Fill(FRAME), frame(4)]


def test_audio_whose_time_was_filled_is_dropped_so_that_delay_does_not_grow() -> None:
    line = talking()
    # The network stands still for 400 ms and then delivers everything at once.
    pieces = line.until(0.44)
    filled = samples(pieces)
    assert filled > 300 * 8
    for number in range(3, 23):
        pieces += line.packet(number, 0.44)
    assert samples(pieces) == 20 * FRAME
    assert line.line.overwritten == filled
    assert line.packet(23, 0.46) == [frame(23)]


def test_half_a_packet_can_have_been_filled() -> None:
    line = talking()
    filled = samples(line.until(0.121))
    pieces = line.line.receive(103, 5000 + 3 * FRAME + 60, frame(3), 0.13)
    assert filled == 2 * FRAME
    assert pieces == [Overlap(frame(3), FRAME)]
    assert line.line.receive(104, 5000 + 4 * FRAME + 60, frame(4), 0.14) == [Overlap(frame(4), FRAME - 60)]


def test_a_path_that_gets_longer_for_good_is_caught_up_with() -> None:
    line = talking()
    pieces = line.until(0.26)
    for number in range(3, 60):  # each one 200 ms later than before
        now = number * 0.02 + 0.2
        pieces += line.until(now - 0.0001) + line.packet(number, now)
    assert pieces[-1] == frame(59)
    assert samples(pieces) == 57 * FRAME


def test_behind_fill_a_gap_is_not_waited_for() -> None:
    line = talking()
    line.until(0.5)
    # Packet 3 to 20 are lost; the fill has passed 21 already.
    assert samples(line.packet(21, 0.5)) == samples(line.packet(22, 0.501)) == 0
    assert line.packet(23, 0.502) == [frame(23)]


def test_a_loss_during_fill_is_silence_and_no_echo_of_the_past() -> None:
    line = talking()
    line.until(0.5)
    assert line.packet(30, 0.6) == []
    pieces = line.until(0.65)
    assert not any(isinstance(piece, Conceal) for piece in pieces)
    assert pieces[-1] == frame(30)


def test_a_key_is_silence_for_as_long_as_it_lasts() -> None:
    line = talking()
    pieces: list[Piece] = []
    for number in range(3, 13):  # telephone-event, all with the timestamp of its beginning
        now = number * 0.02
        pieces += line.until(now) + line.line.receive(100 + number, 5000 + 3 * FRAME, None, now)
    pieces += line.packet(13, 0.26)
    assert pieces[-1] == frame(13)
    assert samples(pieces) == 11 * FRAME


def test_a_lost_packet_of_a_key_is_no_lost_audio() -> None:
    line = talking()
    line.line.receive(103, 5000 + 3 * FRAME, None, 0.06)
    pieces = line.packet(5, 0.10)
    pieces += line.until(0.15)
    assert samples(pieces) == 3 * FRAME
    assert pieces[-1] == frame(5)


def test_timestamps_that_jump_are_followed_without_a_gap() -> None:
    line = talking()
    line.first_timestamp += 3_000_000_000
    assert line.packet(3, 0.06) == [frame(3)]
    line.first_timestamp -= 1_000_000
    assert line.packet(4, 0.08) == [frame(4)]


def test_a_restarted_sender_goes_on_where_our_clock_is() -> None:
    line = talking()
    assert line.line.restart(0.09) == []
    # A packet's time passed unheard, until the restart was believed.
    assert line.line.receive(7, 99, frame(7), 0.10) == [Fill(320), frame(7)]


def test_frames_begin_with_a_packet_however_long_the_first_one_was_waited_for() -> None:
    for late_ms in range(200):
        line = Line()
        now = 0.3 + late_ms / 1000
        before = samples(line.until(now) + line.packet(0, now))
        assert before % FRAME == 0, late_ms


def test_a_restart_gives_out_what_was_held() -> None:
    line = talking()
    line.packet(4, 0.08)
    assert line.line.restart(0.09) == [Conceal(FRAME), frame(4)]


def filled_after_two_minutes_of(rate: float) -> int:
    """Samples of fill in the hundred seconds that follow."""
    line = Timeline(0.0)
    for number in range(6000):
        line.receive(number, FRAME * number, frame(number), number * 0.02 / rate)
    end, written = line.due + 100, 0
    while line.due < end:
        written += samples(line.handle_timers(line.due))
    return written


def test_fill_follows_the_senders_clock() -> None:
    assert filled_after_two_minutes_of(1.0) == pytest.approx(800_000, abs=FRAME)
    assert filled_after_two_minutes_of(1.0005) == pytest.approx(800_400, abs=FRAME)
    assert filled_after_two_minutes_of(0.9995) == pytest.approx(799_600, abs=FRAME)


def test_a_flood_from_the_future_is_bounded() -> None:
    line = talking()
    for number in range(1000):
        line.packet(2000 + 2 * number, 0.05)
    assert len(line.line._held) <= 65


@given(seed=st.integers(0, 1 << 30), loss=st.floats(0, 0.9), jitter=st.floats(0, 0.3))
@settings(max_examples=60, deadline=None)
def test_whatever_the_network_does_the_line_keeps_time(seed: int, loss: float, jitter: float) -> None:
    random = Random(seed)
    arrivals = sorted((n * 0.02 + random.random() * jitter, n) for n in range(200) if random.random() >= loss)
    line, written = Line(), 0
    for now, number in arrivals:
        while line.line.due <= now:
            when = line.line.due
            written += samples(line.line.handle_timers(when))
            assert written <= (when + jitter + 0.02) * 8000 + FRAME
            assert written >= (when - jitter - 0.15) * 8000
        written += samples(line.packet(number, now))
        assert written <= (now + jitter + 0.02) * 8000 + FRAME
        assert written >= (now - jitter - 0.15) * 8000


@given(st.lists(st.tuples(st.integers(0, 1 << 17), st.integers(0, (1 << 32) - 1), st.binary(max_size=40) | st.none())))
def test_anything_at_all_may_come(packets: list[tuple[int, int, bytes | None]]) -> None:
    line, now = Timeline(0.0), 0.0
    for extended, timestamp, payload in packets:
        now += 0.013
        pieces = line.receive(extended, timestamp, payload, now) + (line.handle_timers(now) if line.due <= now else [])
        assert samples(pieces) < 30 * 8000
