"""The head of a WAV file as other programs read it."""

import io
import wave

import pytest

from sipgw.audio.wav import HEAD_BYTES, Encoding, head, mended


def test_python_reads_what_is_written() -> None:
    samples = bytes(range(64))
    with wave.open(io.BytesIO(head(64, 8000, 2, Encoding.PCM16) + samples)) as file:
        assert file.getparams()[:4] == (2, 2, 8000, 16)
        assert file.readframes(16) == samples


@pytest.mark.parametrize("encoding", Encoding)
def test_a_head_is_mended_to_the_length_of_its_file(encoding: Encoding) -> None:
    stale, true = (head(size, 8000, 2, encoding) for size in (0, 64))
    assert mended(stale, HEAD_BYTES + 64) == true
    # The last frame was cut.
    assert mended(stale, HEAD_BYTES + 65) == true


@pytest.mark.parametrize("found", [b"", b"RIFF", bytes(HEAD_BYTES), head(0, 8000, 2, Encoding.PCM16)[:-1]])
def test_what_is_no_head_of_ours_is_not_mended(found: bytes) -> None:
    assert mended(found, 1000) is None


def test_any_bytes_after_the_first_are_safe() -> None:
    whole = bytearray(head(0, 8000, 2, Encoding.PCM16))
    for at in range(len(whole)):
        for value in (0, 1, 0xFF):
            found = bytes([*whole[:at], value, *whole[at + 1 :]])
            result = mended(found, 1 << 40)
            assert result is None or len(result) == HEAD_BYTES


def test_a_file_beyond_what_the_format_can_say_says_the_most_it_can() -> None:
    assert head(1 << 33, 8000, 2, Encoding.PCM16)[4:8] == (0xFFFFFFFF - 8).to_bytes(4, "little")
