"""What the media plane gets to see of the settings."""

from dataclasses import dataclass, field
from typing import Literal

from sipgw.options.recording import RecordingOptions

SrtpPolicy = Literal["off", "optional", "required"]
"""Whether RTP is protected: never, where the far end can, or in every call."""


@dataclass(frozen=True, slots=True)
class AddressOptions:
    """One address of ours, and what others are told in its place."""

    host: str = "127.0.0.1"
    """What sockets bind."""
    advertised: str = ""
    """What others are told; empty means `host`."""


@dataclass(frozen=True, slots=True)
class OpusOptions:
    """How Opus is encoded (RFC 6716)."""

    low_delay: bool = False
    """CELT alone: a third of the cost and 5 ms less delay, without forward error correction."""
    complexity: int = 3
    """0 to 10: what more CPU may be spent for a better sound."""
    bitrate: int = 32_000
    """Bits a second, at most; a far end may ask for less."""


@dataclass(frozen=True, slots=True)
class MediaOptions:
    """The media plane's view."""

    host: str = "127.0.0.1"
    """Address RTP sockets bind."""
    advertised: str = ""
    """Address put into SDP; empty means `host`."""
    first_port: int = 20_000
    last_port: int = 29_999
    dscp: int = 46
    """Class of service of what leaves (RFC 2474): EF (RFC 3246)."""
    port_rest: float = 5.0
    """How long a port pair rests after use before another call may get it."""
    codecs: tuple[str, ...] = ("OPUS", "G722", "PCMU", "PCMA")
    """In order of preference, by their SDP encoding names."""
    opus: OpusOptions = field(default_factory=OpusOptions)
    ptime_ms: int = 20
    first_packet_timeout: float = 30.0
    """How long an answered call may wait for its first RTP packet."""
    inactivity_timeout: float = 30.0
    """How long RTP may stay away later; RTCP counts as a sign of life, hold suspends it."""
    reorder_wait_ms: int = 40
    """How long a missing packet is waited for before it is concealed."""
    fill_after_ms: int = 60
    """How long nothing may arrive before the AI's time line is filled at real-time pace."""
    recording: RecordingOptions = field(default_factory=RecordingOptions)
    relatch_after_ms: int = 500
    """How long the latched source must be silent before another may take its place."""
    hosts: tuple[str, ...] = ("127.0.0.1",)
    """Every address that RTP sockets of ours bind or that is put into SDP, by any listener."""
    allowed_destinations: tuple[str, ...] = ()
    """Addresses and ranges that a far end may name in SDP although they are loopback, link-local or ours."""
    realtime: bool = False
    """Run media workers before everything without real-time priority (SCHED_RR)."""

    @property
    def pairs(self) -> int:
        """How many pairs of ports the range has, at most."""
        return (self.last_port - self.first_port + 1) // 2
