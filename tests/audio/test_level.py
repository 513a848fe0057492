"""Levels and fades."""

import numpy as np
import pytest

from sipgw.audio.level import SILENCE_DBFS, dbfs, fade_in, fade_out, rms
from sipgw.audio.tones import Tone

STEADY = np.full(800, 10_000, np.int16)


def test_levels_are_against_a_full_sine() -> None:
    assert dbfs(Tone(1000, level_dbfs=0).take(8000)) == pytest.approx(0, abs=0.01)
    assert dbfs(Tone(1000, level_dbfs=-40).take(8000)) == pytest.approx(-40, abs=0.05)
    assert rms(STEADY) == pytest.approx(10_000)


def test_silence_and_nothing_have_the_lowest_level() -> None:
    assert dbfs(np.zeros(160, np.int16)) == dbfs(np.zeros(0, np.int16)) == SILENCE_DBFS
    assert rms(np.zeros(0, np.int16)) == 0


def test_the_loudest_samples_do_not_overflow() -> None:
    assert rms(np.full(8000, -32_768, np.int16)) == pytest.approx(32_768)


def test_a_fade_out_is_five_milliseconds_and_ends_in_silence() -> None:
    for rate_hz in (8000, 24_000):
        faded = fade_out(STEADY, rate_hz)
        assert len(faded) == rate_hz * 5 // 1000
        assert (faded[0], faded[-1]) == (10_000, 0)
        assert np.abs(np.diff(faded.astype(int))).max() < 10_000 / len(faded) * 2


def test_a_fade_in_begins_in_silence_and_leaves_the_rest() -> None:
    faded = fade_in(STEADY, 8000)
    assert (faded[0], len(faded)) == (0, 800)
    assert (faded[40:] == 10_000).all()
    assert (np.diff(faded.astype(int)) >= 0).all()
    assert (STEADY == 10_000).all()


def test_what_is_shorter_than_the_fade_fades_all_the_same() -> None:
    assert fade_out(STEADY[:10], 8000)[-1] == 0
    assert fade_in(STEADY[:10], 8000)[0] == 0
    assert len(fade_out(STEADY[:0], 8000)) == len(fade_in(STEADY[:0], 8000)) == 0
