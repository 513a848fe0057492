"""WAV files."""

import wave
from pathlib import Path

import numpy as np
import pytest

from sipgw.tools.wav import WavError, read_wav, write_wav

SPEECH = (np.sin(np.arange(8000) * 0.1) * 12_000).astype(np.int16)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", SPEECH, 8000)
    assert np.array_equal(read_wav(tmp_path / "x.wav", 8000), SPEECH)


def test_another_rate_is_converted(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", SPEECH, 8000)
    wide = read_wav(tmp_path / "x.wav", 24_000)
    assert len(wide) == 24_000
    assert np.abs(wide[3000:-3000:3].astype(int) - SPEECH[1000:-1000]).max() < 300


def test_channels_are_mixed(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.stack([SPEECH, np.zeros_like(SPEECH)], axis=1).tobytes())
    assert np.abs(read_wav(tmp_path / "x.wav", 8000) - SPEECH / 2).max() <= 1


def test_other_files_are_refused_with_the_reason(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(b"\x80" * 100)
    (tmp_path / "text.wav").write_text("hello, this is no sound")
    (tmp_path / "empty.wav").write_bytes(b"")
    for name, said in [
        ("x.wav", "has 8 bits a sample; convert it: sox"),
        ("text.wav", "is no WAV file of PCM"),
        ("empty.wav", "it ends too soon"),
        ("gone.wav", "cannot be read: No such file"),
    ]:
        with pytest.raises(WavError, match=said):
            read_wav(tmp_path / name, 8000)
    with pytest.raises(WavError, match="cannot be written"):
        write_wav(tmp_path / "no" / "folder.wav", SPEECH, 8000)
