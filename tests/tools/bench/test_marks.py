"""Marks: where they are said, how they are found again, and what delay that makes."""

import numpy as np
import pytest

from sipgw.tools.bench.marks import PERIOD, SILENCE, TONE, Marks, begins_mark, delays_ms, onsets, said
from sipgw_codecs.g711 import PCMU


def test_each_call_says_one_mark_a_second_at_a_place_of_its_own() -> None:
    places = []
    for call in range(5):
        begins = [packet for packet in range(2 * PERIOD) if begins_mark(call, packet)]
        assert len(begins) == 2
        assert begins[1] - begins[0] == PERIOD
        assert [said(call, begins[1] - 1), said(call, begins[1])] == [SILENCE, TONE[0]]
        places.append(begins[0])
    assert len(set(places)) == 5


def test_a_mark_is_found_by_its_first_sample_wherever_it_was_cut() -> None:
    samples = np.concatenate([np.zeros(1600, np.int16), *(PCMU.decode(np.frombuffer(t, np.uint8)) for t in TONE)])
    for shift in (0, 40, 159):
        frames = samples[160 - shift :][:1920].reshape(12, 160)
        marks = Marks(bytes(320))
        for number, frame in enumerate(frames):
            marks.take(frame.tobytes(), number * 20_000_000)
        (found,) = onsets(marks.found, 8000)
        # Wherever the frames begin, the tone begins 1600 samples in, and is loud within two samples.
        assert found / 1e6 == pytest.approx((1600 - 160 + shift) / 8, abs=0.25)


def test_sound_after_too_little_silence_is_no_mark() -> None:
    marks = Marks(SILENCE)
    for frame in [SILENCE] * 4 + TONE:
        marks.take(frame, 0)
    assert marks.found == []


def test_a_delay_is_the_time_to_the_next_mark_heard() -> None:
    second = 1_000_000_000
    sent = np.array([0, second, 2 * second], np.int64)
    heard = np.array([20_000_000, 2 * second + 30_000_000], np.int64)
    delays, lost = delays_ms(sent, heard)
    assert delays.tolist() == [20.0, 30.0]
    assert lost == 1


def test_nothing_heard_is_all_lost() -> None:
    delays, lost = delays_ms(np.array([1, 2], np.int64), np.empty(0, np.int64))
    assert (delays.tolist(), lost) == ([], 2)
