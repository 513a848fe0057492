"""WAV files of every usual make, and those that are none."""

from contextlib import suppress
from struct import pack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.audio.level import dbfs
from sipgw.audio.prompts import BadPrompt, decode
from sipgw.audio.tones import Tone
from tests.audio.prompt_files import PROMPTS


def wav(
    data: bytes, rate_hz: int = 8000, channels: int = 1, bits: int = 16, kind: int = 1, extra: bytes = b""
) -> bytes:
    block = channels * bits // 8
    form = pack("<HHIIHH", kind, channels, rate_hz, rate_hz * block, block, bits)
    chunks = b"fmt " + pack("<I", len(form)) + form + extra + b"data" + pack("<I", len(data)) + data
    return b"RIFF" + pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def test_pcm_at_the_rate_wanted_is_passed_as_it_is() -> None:
    pcm = Tone(400).take(800)
    assert decode(wav(pcm.tobytes()), 8000).tolist() == pcm.tolist()


@pytest.mark.parametrize(("given_hz", "wanted_hz"), [(44_100, 8000), (16_000, 24_000), (8000, 24_000), (48_000, 8000)])
def test_any_rate_becomes_the_one_wanted(given_hz: int, wanted_hz: int) -> None:
    pcm = decode(wav(Tone(400, rate_hz=given_hz).take(given_hz).tobytes(), given_hz), wanted_hz)
    assert pcm.dtype == np.int16
    assert abs(len(pcm) - wanted_hz) <= 1
    middle = pcm[wanted_hz // 4 : -wanted_hz // 4]
    assert dbfs(middle) == pytest.approx(-12, abs=0.1)
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 400 * len(middle) // wanted_hz


def test_stereo_is_mixed() -> None:
    left, right = np.full(10, 1000, np.int16), np.full(10, 3001, np.int16)
    both = np.column_stack([left, right]).astype(np.int16)
    assert decode(wav(both.tobytes(), channels=2), 8000).tolist() == [2000] * 10


def test_eight_bits_are_unsigned() -> None:
    assert decode(wav(bytes([128, 0, 255]), bits=8), 8000).tolist() == [0, -32_768, 32_512]


def test_other_chunks_odd_sizes_and_a_file_cut_short_are_taken() -> None:
    listed = wav(b"\1\0\2\0\3", extra=b"LIST" + pack("<I", 3) + b"abc\0")
    assert decode(listed, 8000).tolist() == [1, 2]
    assert decode(wav(b"\1\0\2\0")[:-2], 8000).tolist() == [1]
    assert len(decode(wav(b"\1\0", channels=2), 8000)) == 0


def test_the_extensible_header_is_taken() -> None:
    assert decode(wav(b"\1\0", kind=0xFFFE), 8000).tolist() == [1]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"RIFF", b"OggS" + bytes(40), wav(b"")[:20], wav(b"", bits=24), wav(b"", kind=7), wav(b"", channels=0),
        wav(b"", rate_hz=0), wav(b"", rate_hz=2_000_000_000), b"RIFF\0\0\0\0WAVEfmt \2\0\0\0\1\0data\0\0\0\0",
    ],
)  # fmt: skip
def test_what_is_no_wav_file_we_can_play_says_so(data: bytes) -> None:
    with pytest.raises(BadPrompt, match=r"."):
        decode(data, 8000)


@given(st.binary(max_size=100) | st.binary(max_size=60).map(lambda tail: wav(b"")[:20] + tail))
def test_any_bytes_are_sound_or_a_bad_prompt(data: bytes) -> None:
    with suppress(BadPrompt):
        decode(data, 8000)


@pytest.mark.parametrize("name", ["apology", "greeting", *(f"key-{key}" for key in [*"0123456789", "star", "hash"])])
def test_the_prompts_that_come_along_are_clear_and_short(name: str) -> None:
    data = (PROMPTS / f"{name}.wav").read_bytes()
    pcm = decode(data, 8000)
    assert len(data) < 150_000
    assert 0.5 < len(pcm) / 8000 < 8
    assert -30 < dbfs(pcm) < -15
    assert np.abs(pcm.astype(int)).max() < 32_000
    assert decode(data, 24_000).size == pcm.size * 3
    readme = (PROMPTS / "README.md").read_text()
    assert f"`{name}.wav`" in readme or name.startswith("key-")
