"""How loud a stream is."""

import numpy as np

from sipgw_codecs.g711 import G711
from sipgw_codecs.registry import LAWS

_SILENT_DBFS = -50.0
_BLOCK = 160
"""Samples: 20 ms at 8 kHz."""
_HELD = 20 * _BLOCK
_FULL_SCALE = 32_767**2 / 2


class Level:
    """Loudness of a stream of G.711, taken in blocks of 20 ms."""

    __slots__ = ("_blocks", "_codec", "_energy", "_held", "_silent")

    def __init__(self) -> None:
        self._codec: G711 | None = None
        self._held = bytearray()
        self._energy = 0.0
        self._blocks = self._silent = 0

    def receive(self, codec: str, payload: bytes) -> None:
        """Take a packet's payload; other codecs are passed over."""
        decoder = LAWS.get(codec)
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
