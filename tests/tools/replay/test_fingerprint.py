"""Fingerprints of sounds."""

import numpy as np
import pytest

from sipgw.tools.replay.fingerprint import RATE_HZ, Fingerprint, fingerprint
from sipgw.tools.wav import Pcm


def tone(hz: float, seconds: float, level: float = 8000) -> Pcm:
    return (level * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.int16)


def syllables(seed: int = 1, count: int = 30) -> Pcm:
    """Bursts of different pitch and loudness, as speech has."""
    random = np.random.default_rng(seed)
    return np.concatenate(
        [
            tone(random.uniform(200, 2000), random.uniform(0.05, 0.3), random.choice([0, 500, 9000]))
            for _ in range(count)
        ]
    )


def test_levels_and_centroids_are_those_of_a_tone() -> None:
    print_ = fingerprint(tone(1000, 1.0))
    assert print_.seconds == 1.0
    assert len(print_.levels_dbfs) == 10
    assert set(print_.levels_dbfs) == {-15}
    assert all(abs(centroid - 1000) <= 20 for centroid in print_.centroids_hz)


def test_the_same_sound_is_alike_also_noisier_and_a_little_later() -> None:
    sound = syllables()
    noise = np.random.default_rng(2).integers(-60, 60, len(sound)).astype(np.int16)
    late = np.concatenate([np.zeros(1600, np.int16), sound])
    assert fingerprint(sound).likeness(fingerprint(sound)) == pytest.approx(1.0)
    assert fingerprint(sound).likeness(fingerprint(sound + noise)) > 0.9
    assert fingerprint(sound).likeness(fingerprint(late)) > 0.9


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(syllables(seed=5), id="another sound"),
        pytest.param((syllables() / 4).astype(np.int16), id="12 dB softer"),
        pytest.param(np.zeros(40_000, np.int16), id="silence"),
        pytest.param(np.zeros(0, np.int16), id="nothing"),
        pytest.param(syllables()[: len(syllables()) // 2], id="half of it"),
        pytest.param(tone(440, 4.0), id="a tone"),
    ],
)
def test_another_sound_is_not(other: Pcm) -> None:
    assert fingerprint(syllables()).likeness(fingerprint(other)) < 0.7


def test_steady_tones_are_told_apart_by_pitch_and_loudness() -> None:
    first = fingerprint(tone(440, 3.0))
    assert first.likeness(fingerprint(tone(440, 3.0, 7000))) > 0.7
    assert first.likeness(fingerprint(tone(880, 3.0))) < 0.6
    assert first.likeness(fingerprint(tone(440, 3.0, 2000))) < 0.3


def test_two_silences_are_alike() -> None:
    assert fingerprint(np.zeros(8000, np.int16)).likeness(fingerprint(np.zeros(8000, np.int16))) == 1.0
    assert fingerprint(np.zeros(0, np.int16)).likeness(Fingerprint(0.0, (), ())) == 1.0
