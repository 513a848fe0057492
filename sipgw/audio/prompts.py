"""Prompts: a WAV file's bytes to PCM16 at the rate wanted. Whoever reads the file hands the bytes in."""

from struct import Struct

import numpy as np
import soxr
from numpy.typing import NDArray

from sipgw.errors import SipgwError

Pcm = NDArray[np.int16]

_CHUNK = Struct("<4sI")
_FORMAT = Struct("<HHIIHH")
_PLAIN, _EXTENSIBLE = 1, 0xFFFE
_RATES_HZ = range(4000, 192_001)


class BadPrompt(SipgwError):
    """The bytes are no WAV file we can play; the message says why."""


def decode(wav: bytes, rate_hz: int) -> Pcm:
    """The sound of a WAV file, mixed to mono, at `rate_hz`.

    Args:
        wav: 8- or 16-bit PCM of any usual rate, one channel or more.
        rate_hz: samples a second wanted.

    Raises:
        BadPrompt: it is something else.
    """
    chunks = _chunks(wav)
    if b"fmt " not in chunks or len(chunks[b"fmt "]) < _FORMAT.size or b"data" not in chunks:
        raise BadPrompt("no fmt or data chunk")
    kind, channels, given_hz, _, _, bits = _FORMAT.unpack_from(chunks[b"fmt "])
    if kind not in (_PLAIN, _EXTENSIBLE) or bits not in (8, 16):
        raise BadPrompt(f"neither 8- nor 16-bit PCM: format {kind:#x}, {bits} bits")
    if not channels or given_hz not in _RATES_HZ:
        raise BadPrompt(f"{channels} channels at {given_hz} Hz")
    mono = _mono(_samples(chunks[b"data"], bits), channels)
    if given_hz == rate_hz:
        return mono
    resampled: Pcm = soxr.resample(mono, given_hz, rate_hz)
    return resampled


def _chunks(wav: bytes) -> dict[bytes, bytes]:
    """The chunks by name, the first of each; a last one cut short, as by a recorder that was killed, is taken as is."""
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise BadPrompt("no RIFF WAVE file")
    found: dict[bytes, bytes] = {}
    at = 12
    while at + _CHUNK.size <= len(wav):
        name, size = _CHUNK.unpack_from(wav, at)
        at += _CHUNK.size
        found.setdefault(name, wav[at : at + size])
        at += size + size % 2
    return found


def _samples(data: bytes, bits: int) -> Pcm:
    """As PCM16; 8-bit WAV is unsigned."""
    if bits == 8:
        return ((np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8).astype(np.int16)
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16)


def _mono(samples: Pcm, channels: int) -> Pcm:
    if channels == 1:
        return samples
    whole = samples[: len(samples) // channels * channels].reshape(-1, channels)
    return np.rint(whole.mean(axis=1)).astype(np.int16) if len(whole) else np.zeros(0, np.int16)
