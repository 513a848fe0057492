"""The playout queue, tick by tick: PCM16 at 8 kHz, frames of 20 ms are 320 bytes."""

from time import perf_counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.audio.playout import Cleared, Drained, ItemFinished, MarkReached, Playout, PlayoutStarted

FRAME = 320


def playout(live: bool = False) -> Playout:
    return Playout(8000, live=live)


def ms(count: int, value: int = 1) -> bytes:
    return np.full(8 * count, value, np.int16).tobytes()


def test_nothing_queued_is_silence() -> None:
    queue = playout()
    assert not queue.active
    assert queue.take(FRAME) is None


def test_a_long_message_leaves_frame_by_frame() -> None:
    queue = playout()
    audio = bytes(range(256)) * 5
    queue.add(audio)
    assert b"".join(queue.take(FRAME) or b"" for _ in range(4)) == audio


def test_pieces_of_any_length_make_whole_frames() -> None:
    queue = playout()
    audio = bytes(range(256)) * 5
    for at in range(0, len(audio), 7):
        queue.add(audio[at : at + 7])
    assert b"".join(queue.take(FRAME) or b"" for _ in range(4)) == audio


def test_a_part_of_a_frame_waits_two_ticks_and_is_padded_then() -> None:
    queue = playout()
    queue.add(ms(25))
    assert queue.take(FRAME) == ms(20)
    assert queue.take(FRAME) is None
    assert queue.take(FRAME) is None
    assert queue.take(FRAME) == ms(5) + bytes(240)


def test_a_part_of_a_frame_is_completed_by_what_comes_in_time() -> None:
    queue = playout()
    queue.add(ms(5))
    assert queue.take(FRAME) is None
    queue.add(ms(15, 2))
    assert queue.take(FRAME) == ms(5) + ms(15, 2)


def test_the_end_of_an_utterance_does_not_wait() -> None:
    queue = playout()
    queue.add(ms(5), "a")
    queue.end("a")
    assert queue.take(FRAME) == ms(5) + bytes(240)
    assert queue.events() == [PlayoutStarted("a"), ItemFinished("a"), Drained()]
    assert not queue.active


def test_a_mark_is_reached_when_the_audio_before_it_has_left() -> None:
    queue = playout()
    queue.add(ms(40))
    queue.mark("m")
    queue.add(ms(40))
    queue.take(FRAME)
    assert queue.events() == [PlayoutStarted("")]
    queue.take(FRAME)
    assert queue.events() == [MarkReached("m")]


def test_a_mark_behind_nothing_is_reached_at_once() -> None:
    queue = playout()
    queue.mark("m")
    assert queue.events() == [MarkReached("m")]
    queue.add(ms(20))
    queue.take(FRAME)
    queue.mark("n")
    assert queue.events() == [PlayoutStarted(""), MarkReached("n")]


def test_a_mark_inside_a_frame_counts_when_the_frame_leaves() -> None:
    queue = playout()
    queue.add(ms(10))
    queue.mark("m")
    queue.add(ms(30))
    assert queue.take(FRAME) == ms(20)
    assert MarkReached("m") in queue.events()


def test_drained_is_told_once_when_nothing_more_comes() -> None:
    queue = playout()
    queue.add(ms(20))
    for _ in range(10):
        queue.take(FRAME)
    assert queue.events() == [PlayoutStarted(""), Drained()]
    assert not queue.active


def test_sent_ms_is_exact_to_a_packet() -> None:
    queue = playout()
    queue.add(ms(30), "a")
    queue.add(ms(100), "b")
    queue.take(FRAME)
    assert (queue.sent_ms("a"), queue.sent_ms("b")) == (20, 0)
    queue.take(FRAME)
    assert (queue.sent_ms("a"), queue.sent_ms("b")) == (30, 10)
    assert queue.sent_ms("unknown") == 0
    assert queue.queued_ms == 90


def test_a_clear_tells_what_was_sent_of_what_and_which_marks_are_lost() -> None:
    queue = playout()
    queue.add(ms(20), "heard")
    queue.end("heard")
    queue.add(ms(100), "a")
    queue.mark("m")
    queue.add(ms(200), "b")
    for _ in range(3):
        queue.take(FRAME)
    assert queue.clear() == Cleared((("a", 40, 100), ("b", 0, 200)), ("m",))
    assert queue.queued_ms == 0
    assert queue.clear() == Cleared()


def test_a_cleared_item_without_its_end_is_reported_even_if_all_of_it_was_sent() -> None:
    queue = playout()
    queue.add(ms(20), "a")
    queue.take(FRAME)
    assert queue.clear().items == (("a", 20, 20),)


def test_after_a_clear_five_milliseconds_fade_and_nothing_more_leaves() -> None:
    queue = playout()
    queue.add(ms(1000, 1000), "a")
    queue.take(FRAME)
    queue.clear()
    frame = np.frombuffer(queue.take(FRAME) or b"", np.int16)
    assert frame[0] > 900
    assert (np.diff(frame) <= 0).all()
    assert not frame[40:].any()
    assert not queue.active
    assert queue.take(FRAME) is None


def test_speech_after_a_clear_follows_the_fade() -> None:
    queue = playout()
    queue.add(ms(100, 1000), "a")
    queue.take(FRAME)
    queue.clear()
    queue.add(ms(20, 7), "b")
    queue.take(FRAME)
    assert queue.take(FRAME) == ms(20, 7)


def test_what_was_not_yet_playing_is_cleared_without_a_sound() -> None:
    queue = playout()
    queue.add(ms(100), "a")
    queue.clear()
    assert queue.take(FRAME) is None


def test_a_name_used_again_is_another_item() -> None:
    queue = playout()
    queue.add(ms(20), "a")
    queue.end("a")
    queue.take(FRAME)
    queue.add(ms(40), "a")
    queue.take(FRAME)
    assert queue.clear().items == (("a", 20, 40),)


def test_ten_minutes_are_kept_and_the_newest_beyond_them_dropped() -> None:
    queue = Playout(8000, longest_ms=100)
    queue.add(ms(90), "a")
    queue.add(ms(30), "b")
    queue.add(ms(30), "c")
    assert queue.queued_ms == 100
    assert queue.overflow_bytes == len(ms(50))


def test_the_standing_queue_of_a_live_source_is_trimmed() -> None:
    queue = playout(live=True)
    queue.add(ms(120))
    for _ in range(60):
        queue.take(FRAME)
        queue.add(ms(20))
    assert queue.queued_ms == 20  # nothing remains after a take
    assert queue.trimmed_ms == 100


def test_a_frame_that_a_live_source_needs_now_and_then_is_left_to_it() -> None:
    queue = playout(live=True)
    queue.add(ms(20))
    for number in range(200):
        late = number % 40 == 39
        assert queue.take(FRAME) is not None
        queue.add(ms(0 if late else 20))
        queue.add(ms(20 if number % 40 == 0 else 0))
    assert queue.trimmed_ms == 0


def test_the_burst_of_a_live_source_after_a_stall_is_trimmed_at_once() -> None:
    queue = playout(live=True)
    queue.add(ms(1500))
    queue.take(FRAME)
    assert queue.queued_ms == 20


def test_the_queue_of_any_other_source_is_speech_to_come() -> None:
    queue = playout()
    queue.add(ms(1500))
    for _ in range(60):
        queue.take(FRAME)
    assert queue.trimmed_ms == 0


def test_missed_ticks_cost_a_live_source_what_they_missed_and_others_nothing() -> None:
    live, other = playout(live=True), playout()
    for queue in (live, other):
        queue.add(ms(100))
        queue.skip(2 * FRAME)
    assert (live.queued_ms, other.queued_ms) == (60, 100)


def test_g711_is_padded_and_faded_in_its_own_terms() -> None:
    queue = Playout(8000, 1, b"\xff", lambda audio: b"f" * len(audio))
    queue.add(b"a" * 200, "a")
    queue.take(160)
    queue.clear()
    assert queue.take(160) == b"f" * 40 + b"\xff" * 120


@pytest.mark.parametrize("pieces", [1, 1000])
def test_ten_minutes_in_one_message_take_no_longer_than_a_second(pieces: int) -> None:
    queue = Playout(24_000)
    size = 600 * 48_000 // pieces
    for _ in range(pieces):
        queue.add(bytes(size))
    began = perf_counter()
    for _ in range(1000):
        assert queue.take(960)
    assert perf_counter() - began < 0.2


@given(st.lists(st.tuples(st.sampled_from(["add", "take", "end", "mark", "clear"]), st.integers(0, 1000))))
def test_whatever_happens_frames_are_whole_and_counts_agree(steps: list[tuple[str, int]]) -> None:
    queue, added, marks = playout(), 0, 0
    for step, number in steps:
        match step:
            case "add":
                queue.add(bytes(2 * number), f"{number % 3}")
                added += 2 * number
            case "take":
                frame = queue.take(FRAME)
                assert frame is None or len(frame) == FRAME
            case "end":
                queue.end(f"{number % 3}")
            case "mark":
                queue.mark("m")
                marks += 1
            case "clear":
                marks -= len(queue.clear().marks)
    for _ in range(added // FRAME + 3 * len(steps) + 5):
        queue.take(FRAME)
    assert queue.queued_ms == 0
    assert not queue.active
    assert sum(isinstance(event, MarkReached) for event in queue.events()) == marks
