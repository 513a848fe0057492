"""Linear PCM, 16 bits in the machine's own byte order: what a codec with state is decoded to and encoded from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]


@dataclass(frozen=True)
class Linear:
    """Samples as they are, with the same methods as a law of G.711, so that the engine need not tell them apart."""

    sample_rate_hz: int
    silence_byte: int = 0
    """A zero sample is two of them."""
    sample_bytes: int = 2

    @property
    def name(self) -> str:
        """Names this form of sound."""
        return f"LINEAR{self.sample_rate_hz // 1000}"

    def view(self, data: bytes) -> Pcm:
        """Bytes as an array of what they hold."""
        return np.frombuffer(data, np.int16)

    def pcm(self, data: bytes) -> Pcm:
        """Bytes as samples."""
        return np.frombuffer(data, np.int16)

    def pcm_f32(self, data: bytes) -> NDArray[np.float32]:
        """The same as floats."""
        return np.frombuffer(data, np.int16).astype(np.float32)

    def encode(self, pcm: Pcm) -> Pcm:
        """The samples."""
        return pcm

    def silence(self, ms: int) -> bytes:
        """`ms` milliseconds of silence."""
        return bytes(self.sample_bytes * self.sample_rate_hz * ms // 1000)
