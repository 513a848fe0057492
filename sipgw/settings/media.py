"""The keys of `media`."""

from typing import Annotated, Literal

from pydantic import Field

from sipgw.options import AddressOptions, OpusOptions, SrtpPolicy
from sipgw.settings.addresses import plain
from sipgw.settings.section import Dscp, Seconds, Section, Wait

Codec = Literal["OPUS", "G722", "PCMU", "PCMA", "L16"]


class Opus(Section):
    """How Opus is encoded."""

    mode: Literal["voice", "low_delay"] = "voice"
    """`voice`: losses are mended where the far end reports them. `low_delay`: a third of the CPU, and 5 ms less
    delay."""
    complexity: Annotated[int, Field(ge=0, le=10)] = 3
    """From 0 to 10: the CPU that may be spent for a better sound."""
    bitrate: Annotated[int, Field(ge=6_000, le=128_000)] = 32_000
    """Bits a second; a far end may ask for less."""

    def options(self) -> OpusOptions:
        """As the media plane sees it."""
        return OpusOptions(self.mode == "low_delay", self.complexity, self.bitrate)


class Media(Section):
    """Where RTP goes in and out."""

    host: str = "127.0.0.1"
    """IP address of the RTP sockets."""
    advertised: str = ""
    """Address put into SDP, where it differs from `host` (behind NAT)."""
    ports: Annotated[str, Field(pattern=r"^\d{1,5}-\d{1,5}$")] = "20000-29999"
    """First and last UDP port for RTP and RTCP; a call takes two. SIPGW_MEDIA_PORTS overrides it."""
    dscp: Dscp = 46
    """Class of service in the IP header of what leaves, 0 to 63: EF for voice (RFC 3246)."""
    port_rest: Wait = 5.0
    """Seconds a pair of ports rests after a call."""
    codecs: Annotated[tuple[Codec, ...], Field(min_length=1)] = (
        "OPUS",
        "G722",
        "PCMU",
        "PCMA",
    )
    """Codecs we take, the preferred first; Opus where libopus is there."""
    opus: Opus = Field(default_factory=Opus)
    """How Opus is encoded."""
    srtp: SrtpPolicy = "optional"
    """Whether sound is encrypted (SRTP, keys in SDP): `off`, `optional`: with who can, `required`: else the call is
    refused. A trunk or phone may say otherwise."""
    ptime_ms: Literal[10, 20, 30, 40, 60] = 20
    """Milliseconds of sound in each packet we send, where the far end does not ask for another length."""
    first_packet_timeout: Seconds = 30.0
    """Seconds an answered call may stay without its first packet."""
    inactivity_timeout: Seconds = 30.0
    """Seconds without any packet after which a call is ended; not while it is on hold."""
    reorder_wait_ms: Annotated[int, Field(ge=0, le=500)] = 40
    """Milliseconds a missing packet is waited for before it is concealed."""
    fill_after_ms: Annotated[int, Field(ge=20, le=2000)] = 60
    """Milliseconds without packets after which the AI is sent silence instead."""
    relatch_after_ms: Annotated[int, Field(ge=20, le=60_000)] = 500
    """Milliseconds the caller's address must be silent before packets from another are taken in its place."""
    allowed_destinations: tuple[str, ...] = ()
    """Addresses and ranges that SDP may name although they are loopback, link-local or our own."""
    realtime: bool = False
    """Run the media workers before everything without real-time priority (SCHED_RR); needs CAP_SYS_NICE."""

    def address(self) -> AddressOptions:
        """Where RTP goes, unless a listener says otherwise."""
        return AddressOptions(plain(self.host), self.advertised)

    @property
    def range(self) -> tuple[int, int]:
        """First and last port."""
        first, _, last = self.ports.partition("-")
        return int(first), int(last)
