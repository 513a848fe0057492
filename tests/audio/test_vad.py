"""Starts and stops of speech."""

import numpy as np
import pytest

from sipgw.audio.prompts import decode
from sipgw.audio.vad import Vad
from sipgw.errors import UsageError
from tests.audio.prompt_files import PROMPTS

SILENCE = bytes(320)


def speech() -> list[bytes]:
    pcm = decode((PROMPTS / "greeting.wav").read_bytes(), 8000)
    return [pcm[i : i + 160].tobytes() for i in range(0, len(pcm) - 160, 160)]


def edges(vad: Vad, frames: list[bytes]) -> list[tuple[int, bool]]:
    """Frame number and kind of each edge."""
    said = [(i, vad.feed(frame)) for i, frame in enumerate(frames)]
    return [(i, edge) for i, edge in said if edge is not None]


def test_speech_between_silences_starts_once_and_stops_once() -> None:
    words = speech()
    found = edges(Vad(), [SILENCE] * 50 + words + [SILENCE] * 50)
    assert [edge for _, edge in found] == [True, False]
    (start, _), (stop, _) = found
    assert 50 <= start <= 62
    assert 50 + len(words) <= stop <= 50 + len(words) + 26


def test_silence_is_no_speech() -> None:
    assert edges(Vad(), [SILENCE] * 200) == []


def test_a_click_is_no_speech() -> None:
    click = np.zeros(160, np.int16)
    click[80:90] = 20_000
    clicks = ([SILENCE] * 20 + [click.tobytes()]) * 5
    assert edges(Vad(), clicks) == []
    assert edges(Vad(start=1, of=1), clicks) != []


def test_noise_on_the_line_is_no_speech() -> None:
    noise = np.random.default_rng(1).normal(0, 200, (500, 160)).astype(np.int16)
    assert edges(Vad(), [frame.tobytes() for frame in noise]) == []


def test_a_pause_shorter_than_the_hangover_is_part_of_the_speech() -> None:
    words = speech()[10:60]
    assert [e for _, e in edges(Vad(hangover=40), words + [SILENCE] * 20 + words + [SILENCE] * 60)] == [True, False]
    assert [e for _, e in edges(Vad(hangover=5), words + [SILENCE] * 20 + words + [SILENCE] * 60)][:2] == [True, False]


def test_after_a_reset_speech_starts_anew() -> None:
    vad = Vad()
    assert [e for _, e in edges(vad, speech()[:40])] == [True]
    vad.reset()
    assert not vad.speaking
    assert [e for _, e in edges(vad, speech()[:40])] == [True]


def test_frames_of_other_lengths_are_our_own_mistake() -> None:
    for size in (0, 159, 640):
        with pytest.raises(UsageError):
            Vad().feed(bytes(size))
    with pytest.raises(UsageError):
        Vad(start=9, of=8)
