"""Concealment: level, no clicks, silence after 60 ms, and a smooth way back."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sipgw.audio.conceal import Concealer
from sipgw.audio.level import dbfs
from sipgw.audio.prompts import decode
from tests.shared import shared

Pcm = NDArray[np.int16]


def voice(seconds: float, pitch_hz: float = 120.0) -> Pcm:
    """Something like a vowel: harmonics that fall off."""
    at = np.arange(int(8000 * seconds)) / 8000
    wave = sum(np.sin(2 * np.pi * pitch_hz * n * at + n) / n for n in range(1, 12))
    return np.asarray(np.rint(6000 * wave), np.int16)


def played(pcm: Pcm, lost: set[int], frame: int = 160) -> Pcm:
    """What comes out when the frames of those numbers are lost."""
    concealer = Concealer()
    frames = pcm[: len(pcm) // frame * frame].reshape(-1, frame)
    return np.concatenate([concealer.lost(frame) if i in lost else concealer.good(f) for i, f in enumerate(frames)])


def largest_step(pcm: Pcm) -> int:
    return int(np.abs(np.diff(pcm.astype(int))).max())


def test_without_loss_nothing_changes() -> None:
    pcm = voice(0.5)
    assert played(pcm, set()).tolist() == pcm[:4000].tolist()


@pytest.mark.parametrize("pitch_hz", [80, 120, 200, 310])
def test_one_lost_frame_of_a_vowel_keeps_its_level_and_does_not_click(pitch_hz: float) -> None:
    pcm = voice(0.4, pitch_hz)
    heard = played(pcm, {10})
    assert abs(dbfs(heard[1600:1760]) - dbfs(pcm[1600:1760])) < 3
    assert largest_step(heard) <= 1.25 * largest_step(pcm)


def test_a_lost_frame_of_a_vowel_is_close_to_what_was_lost() -> None:
    pcm = voice(0.4, 125)
    error = played(pcm, {10})[1600:1680].astype(int) - pcm[1600:1680]
    assert dbfs(np.asarray(error, np.int16)) < dbfs(pcm) - 12


def test_a_longer_loss_fades_to_silence_by_60_ms() -> None:
    pcm = voice(0.6)
    heard = played(pcm, set(range(10, 20)))
    levels = [dbfs(heard[i * 160 : i * 160 + 160]) for i in range(9, 14)]
    assert levels == sorted(levels, reverse=True)
    assert levels[3] < levels[0] - 6
    assert not heard[1600 + 480 : 3200].any()


def test_the_way_back_from_silence_does_not_click() -> None:
    pcm = voice(0.6)
    heard = played(pcm, set(range(10, 20)))
    assert largest_step(heard[3100:3400]) <= 1.25 * largest_step(pcm)
    assert heard[3240:].tolist() == pcm[3240 : len(heard)].tolist()


def test_a_second_loss_is_concealed_as_the_first() -> None:
    pcm = voice(0.6)
    heard = played(pcm, {10, 20})
    assert abs(dbfs(heard[3200:3360]) - dbfs(pcm[3200:3360])) < 3


def test_a_loss_before_there_is_any_history_is_silence() -> None:
    assert not Concealer().lost(160).any()
    concealer = Concealer()
    concealer.good(voice(0.02))
    assert not concealer.lost(160).any()


def test_packets_of_10_and_60_ms_are_concealed_too() -> None:
    pcm = voice(0.9)
    for frame in (80, 480):
        heard = played(pcm, {8}, frame)
        assert dbfs(heard[8 * frame : 8 * frame + 80]) > dbfs(pcm) - 3
        assert largest_step(heard) <= 1.25 * largest_step(pcm)


def test_speech_with_a_tenth_of_its_frames_lost_keeps_its_level_and_gets_no_clicks() -> None:
    pcm = decode(shared("speech/asterisk-core-sounds-en/demo-instruct.wav").read_bytes(), 8000)[: 8000 * 10]
    lost = set(np.random.default_rng(3).choice(len(pcm) // 160, len(pcm) // 1600, replace=False).tolist())
    heard = played(pcm, lost)
    assert abs(dbfs(heard) - dbfs(pcm)) < 0.7
    assert largest_step(heard) <= 1.2 * largest_step(pcm)
    off = [
        abs(dbfs(heard[i * 160 :][:160]) - dbfs(pcm[i * 160 :][:160])) for i in lost if dbfs(pcm[i * 160 :][:160]) > -40
    ]
    assert np.median(off) < 3
