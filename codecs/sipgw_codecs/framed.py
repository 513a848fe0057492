"""What a codec with state between its frames offers: a decoder and an encoder for each stream.

They go between payloads and linear PCM of the codec's `sound`. A payload's length says nothing about its duration, so
the codec tells that.
"""

from dataclasses import dataclass
from typing import Protocol

from sipgw_codecs.linear import Linear


class BadPayload(ValueError):
    """A payload that is none of its codec."""


class Decoder(Protocol):
    """One stream that comes in."""

    def decode(self, payload: bytes) -> bytes:
        """The next payload as PCM. Raises BadPayload."""

    def conceal(self, samples: int, following: bytes | None) -> bytes | None:
        """Make up `samples` that were lost, as the codec itself can; None where it has no way of its own.

        Args:
            samples: of PCM.
            following: the payload after the loss, where it is there: it may carry the end of what was lost.
        """


class Encoder(Protocol):
    """One stream that goes out."""

    def encode(self, pcm: bytes) -> bytes:
        """The payload of one packet's PCM."""

    def expect_loss(self, percent: int) -> None:
        """The far end loses so many of our packets: protect them, where the codec can."""

    def reset(self) -> None:
        """Begin anew: what was sent since the last frame was not the encoder's."""


@dataclass(frozen=True, slots=True)
class Shaping:
    """How to encode, as far as a codec leaves a choice."""

    low_delay: bool = False
    """The mode without look-ahead and without forward error correction, at a third of the cost."""
    complexity: int = 3
    """0 to 10."""
    bitrate: int = 32_000
    """Bits a second; a far end may ask for less."""
    wishes: str = ""
    """The far end's format parameters (`a=fmtp`, RFC 8866 section 6.15)."""


class Framed(Protocol):
    """A codec with state."""

    @property
    def name(self) -> str:
        """Encoding name in SDP, in upper case."""

    @property
    def payload_type(self) -> int | None:
        """Static RTP payload type (RFC 3551 section 6); None where it is negotiated."""

    @property
    def clock_hz(self) -> int:
        """RTP timestamp units a second."""

    @property
    def sound(self) -> Linear:
        """What it is decoded to."""

    @property
    def settling_ms(self) -> int:
        """How long silence is encoded after speech before `silence` fits: until the far end's decoder is at rest."""

    def available(self) -> str:
        """Why it cannot be had on this machine; empty where it can."""

    def units(self, payload: bytes) -> int:
        """How long a payload lasts, in timestamp units; 0 for one that makes no sense."""

    def interval(self, ptime_ms: int) -> int:
        """The packet interval to use where `ptime_ms`, 10 to 60 in steps of 10, is wanted."""

    def decoder(self) -> Decoder:
        """For a new stream."""

    def encoder(self, shaping: Shaping) -> Encoder:
        """For a new stream."""

    def silence(self, ms: int, nth: int = 0) -> bytes:
        """A payload of `ms` milliseconds of silence, for a decoder at rest; the `nth` of them in a row."""
