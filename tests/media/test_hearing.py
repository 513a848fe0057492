"""Our own VAD: speech is heard, the echo of what we play is not."""

import numpy as np
from numpy.typing import NDArray

from sipgw.media.hearing import Hearing
from sipgw_codecs.g711 import PCMU


def voice(seconds: float, amplitude: float) -> NDArray[np.int16]:
    """Something voiced: a pitch of 120 Hz with its harmonics, which grows and fades four times a second."""
    time = np.arange(int(8000 * seconds)) / 8000
    wave = np.sum([np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 20)], axis=0)
    wave = wave * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time))
    scaled: NDArray[np.int16] = np.rint(amplitude * wave / np.abs(wave).max()).astype(np.int16)
    return scaled


def changes(caller: NDArray[np.int16], ours: NDArray[np.int16] | None = None) -> list[bool]:
    hearing, seen = Hearing(PCMU), []
    for at in range(0, len(caller) - 159, 160):
        hearing.played(b"" if ours is None else PCMU.encode(ours[at : at + 160]).tobytes())
        seen += hearing.heard(PCMU.encode(caller[at : at + 160]).tobytes())
    return seen


def test_the_caller_is_heard_to_start_and_to_stop() -> None:
    silence = np.zeros(8000, np.int16)
    assert changes(np.concatenate([silence, voice(1.0, 8000), silence])) == [True, False]


def test_the_echo_of_our_playout_is_not_the_caller() -> None:
    ours = voice(2.0, 12_000)
    echo = np.concatenate([np.zeros(800, np.int16), ours // 6])[: len(ours)]
    assert changes(echo, ours) == []
    assert changes(echo) != []


def test_the_caller_is_heard_over_our_playout() -> None:
    assert changes(voice(1.0, 9000), voice(1.0, 12_000)) == [True]


def test_packets_of_any_length_are_heard() -> None:
    hearing, speech, seen = Hearing(PCMU), PCMU.encode(voice(1.0, 8000)).tobytes(), []
    for at in range(0, len(speech), 240):
        seen += hearing.heard(speech[at : at + 240])
    assert seen == [True]
