"""How good a stream sounds: a mean opinion score by the E-model (ITU-T G.107), and the level of its sound.

What a capture cannot know is assumed, in the caller's favour: 50 ms of delay on the way, a jitter buffer of twice the
mean jitter with the loss it cannot avoid counted in the stream's own loss, packet loss concealment, no echo.
"""

import numpy as np

from sipgw_codecs.registry import CODECS, Codec

_ASSUMED_DELAY_MS = 50.0
_BASE = 93.2
"""R of an undisturbed narrow-band call with G.107's default values."""
_IMPAIRMENTS = {"PCMU": (0.0, 25.1), "PCMA": (0.0, 25.1), "G729": (11.0, 19.0), "G723": (15.0, 16.1)}
"""Ie and Bpl (ITU-T G.113 appendix I): how a codec sounds, and how it stands loss. G.711 with concealment."""
_SILENT_DBFS = -50.0
_BLOCK = 160
"""Samples: 20 ms at 8 kHz."""
_HELD = 20 * _BLOCK
_DECODERS = {one.name: one for one in CODECS}
_FULL_SCALE = 32_767**2 / 2


def mos(codec: str, loss: float, bursts: int, missing: int, jitter_ms: float, ptime_ms: float) -> float | None:
    """The score, 1 to 4.5; None for a codec without published figures.

    Args:
        codec: encoding name in upper case.
        loss: share of the packets that are missing, 0 to 1.
        bursts: how often packets were missing, one or more in a row.
        missing: how many packets are missing.
        jitter_ms: mean.
        ptime_ms: length of a packet.
    """
    if codec not in _IMPAIRMENTS:
        return None
    impairment, robustness = _IMPAIRMENTS[codec]
    percent = loss * 100
    burst_ratio = max(missing / bursts * (1 - loss), 1.0) if bursts else 1.0
    impairment += (95 - impairment) * percent / (percent / burst_ratio + robustness)
    return _score(_BASE - impairment - _delay_impairment(_ASSUMED_DELAY_MS + ptime_ms + 2 * jitter_ms))


def _delay_impairment(delay_ms: float) -> float:
    """Id, by the usual simplification of G.107 for a connection without echo."""
    return 0.024 * delay_ms + (0.11 * (delay_ms - 177.3) if delay_ms > 177.3 else 0.0)


def _score(rating: float) -> float:
    """From R to MOS (G.107 annex B)."""
    if rating <= 0:
        return 1.0
    if rating >= 100:
        return 4.5
    return max(1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6, 1.0)


class Level:
    """Loudness of a stream of G.711, taken in blocks of 20 ms."""

    __slots__ = ("_blocks", "_codec", "_energy", "_held", "_silent")

    def __init__(self) -> None:
        self._codec: Codec | None = None
        self._held = bytearray()
        self._energy = 0.0
        self._blocks = self._silent = 0

    def receive(self, codec: str, payload: bytes) -> None:
        """Take a packet's payload; other codecs are passed over."""
        decoder = _DECODERS.get(codec)
        if decoder is not self._codec:
            self._measure()
            self._held.clear()
            self._codec = decoder
        if decoder is None:
            return
        self._held += payload
        if len(self._held) >= _HELD:
            self._measure()

    def finish(self) -> tuple[float, float] | None:
        """Mean level in dBFS and share of silence, or None without any sound that we can decode."""
        self._measure()
        if not self._blocks:
            return None
        mean = self._energy / self._blocks
        return max(10 * float(np.log10(max(mean / _FULL_SCALE, 1e-10))), -96.0), self._silent / self._blocks

    def _measure(self) -> None:
        whole = len(self._held) // _BLOCK * _BLOCK
        if self._codec is None or not whole:
            return
        codes = np.frombuffer(bytes(self._held[:whole]), np.uint8).reshape(-1, _BLOCK)
        energies = np.square(self._codec.DECODE_F32[codes], dtype=np.float64).mean(axis=1)
        del self._held[:whole]
        self._energy += float(energies.sum())
        self._blocks += len(energies)
        self._silent += int((energies < _FULL_SCALE * 10 ** (_SILENT_DBFS / 10)).sum())
