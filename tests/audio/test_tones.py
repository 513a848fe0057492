"""Tones: pitch, level, cadence, and no click between two pieces."""

import numpy as np
import pytest

from sipgw.audio.level import dbfs
from sipgw.audio.tones import Cadence, Tone, ringback


def loudest_hz(pcm: np.ndarray[tuple[int], np.dtype[np.int16]], rate_hz: int, count: int = 1) -> list[float]:
    spectrum = np.abs(np.fft.rfft(pcm.astype(np.float64)))
    return sorted(float(i) * rate_hz / len(pcm) for i in np.argsort(spectrum)[-count:])


@pytest.mark.parametrize("rate_hz", [8000, 24_000])
def test_a_tone_has_its_pitch_and_level(rate_hz: int) -> None:
    pcm = Tone(1000, rate_hz=rate_hz, level_dbfs=-20).take(rate_hz)
    assert pcm.dtype == np.int16
    assert loudest_hz(pcm, rate_hz) == [1000.0]
    assert dbfs(pcm) == pytest.approx(-20, abs=0.05)


def test_two_tones_together_have_the_level_of_the_whole() -> None:
    pcm = Tone(697, 1209, level_dbfs=-12).take(8000)
    assert loudest_hz(pcm, 8000, 2) == [697.0, 1209.0]
    assert dbfs(pcm) == pytest.approx(-12, abs=0.1)


def test_frames_go_on_where_the_last_one_ended() -> None:
    whole = Tone(440).take(1600)
    tone = Tone(440)
    assert np.concatenate([tone.frame() for _ in range(10)]).tolist() == whole.tolist()


def test_a_tone_too_loud_is_cut_off_and_does_not_wrap() -> None:
    pcm = Tone(1000, level_dbfs=6).take(800)
    assert (pcm.max(), pcm.min()) == (32_767, -32_768)


def test_a_tone_pauses_by_its_cadence() -> None:
    tone = Tone(1000, cadence=Cadence(0.1, 0.2))
    loud = [bool(tone.frame(50).any()) for _ in range(12)]
    assert loud == [True, True, False, False, False, False] * 2


def test_ringing_sounds_like_the_region() -> None:
    assert loudest_hz(ringback("us").take(8000), 8000, 2) == [440.0, 480.0]
    european = ringback("eu").take(5 * 8000)
    assert loudest_hz(european[:8000], 8000) == [425.0]
    assert not european[8000:].any()
