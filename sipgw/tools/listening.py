"""What the test phone makes of the packets it heard: sound, losses, and how late it was. Pure."""

from dataclasses import dataclass

import numpy as np

from sipgw.rtp.stamps import step
from sipgw.rtp.stats import ReceiveStats
from sipgw.tools.sound import CLOCK_HZ, placed
from sipgw.tools.wav import Pcm

_AUDIBLE = 200
"""Mean amplitude of a packet that counts as sound; comfort noise stays below."""
_ALIKE = 0.2
"""Correlation from which on what came back counts as what was said."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One RTP packet that came."""

    when: float
    payload_type: int
    sequence: int
    timestamp: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Hearing:
    """What all of them together say."""

    packets: int = 0
    lost: int = 0
    jitter_ms: float = 0.0
    pcm: Pcm | None = None
    """At 8 kHz, from the first packet on; None without any."""
    began: float = 0.0
    """When the first sample was heard, on the clock of the packets."""
    first_sound: float | None = None
    """When the first packet came that was no silence."""


def hearing(packets: list[Heard], names: dict[int, str]) -> Hearing:
    """What the packets of the payload types in `names` say."""
    packets = [packet for packet in packets if packet.payload_type in names]
    if not packets:
        return Hearing()
    stats = ReceiveStats(CLOCK_HZ)
    for packet in packets:
        stats.receive(packet.sequence, packet.timestamp, packet.when)
    first = packets[0].timestamp
    ats = [step(first, packet.timestamp) for packet in packets]
    # Packets from before the first one were overtaken by it; their sound is left out.
    pieces = [(at, names[p.payload_type], p.payload) for at, p in zip(ats, packets, strict=True) if at >= 0]
    # The packet that was delayed least tells best where the sender's clock stands against ours.
    began = min(packet.when - at / CLOCK_HZ for at, packet in zip(ats, packets, strict=True))
    return Hearing(
        stats.received, max(stats.lost, 0), stats.jitter_ms, placed(pieces), began, _first_sound(packets, names)
    )


def echo_delay(said: Pcm, began: float, heard: Pcm, heard_began: float) -> float | None:
    """How long what was said took to be heard again, or None where nothing like it was.

    Args:
        said: at 8 kHz.
        began: when its first sample left.
        heard: at 8 kHz.
        heard_began: when its first sample was heard.
    """
    lag, likeness = match(said, heard)
    delay = heard_began - began + lag
    return delay if likeness > _ALIKE and delay >= 0 else None


def match(said: Pcm, heard: Pcm) -> tuple[float, float]:
    """Where in `heard` one finds `said`.

    Returns:
        The lag in seconds at which they are most alike, below zero where the beginning was not heard; and how alike
        they are there: 1 for the same sound, about 0 for another or none.
    """
    if not said.any() or not heard.any():
        return 0.0, 0.0
    first, second = said.astype(np.float64), heard.astype(np.float64)
    size = 1 << (len(first) + len(second)).bit_length()
    matches = np.fft.irfft(np.conj(np.fft.rfft(first, size)) * np.fft.rfft(second, size), size)
    lag = int(np.argmax(matches))
    likeness = matches[lag] / np.sqrt((first**2).sum() * (second**2).sum())
    return float(lag - size if lag > size // 2 else lag) / CLOCK_HZ, float(likeness)


def _first_sound(packets: list[Heard], names: dict[int, str]) -> float | None:
    for packet in packets:
        samples = placed([(0, names[packet.payload_type], packet.payload)])
        if len(samples) and np.abs(samples.astype(np.int32)).mean() > _AUDIBLE:
            return packet.when
    return None
