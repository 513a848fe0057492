"""What a capture says once it is read: calls with their messages, media streams, and problems.

`sipgw.tools.capture.reading.read(path: Path) -> Capture` makes one; ladder, replay and inspect work on it. Every
`when`, `first` and `last` is in seconds since 1970, as captured; delays are in seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sipgw.flow import Endpoint
from sipgw.sip.message import Request, Response
from sipgw.sip.parser import parse


@dataclass(frozen=True, slots=True)
class SipMessage:
    """One SIP message of a call; a repeated one is a message of its own."""

    when: float
    source: Endpoint
    destination: Endpoint
    transport: str
    """`udp`, `tcp`, `tls` or `ws`."""
    data: bytes = field(repr=False)
    """As it was sent; `parse` is known to take it."""
    label: str = ""
    """`INVITE`, or `180 Ringing (INVITE)`."""
    repeated: bool = False
    """The same message was seen before on the same path (RFC 3261 section 17)."""
    number: int = 0
    """Of the packet in the file that completed it, counted from 1 as Wireshark does."""

    @property
    def message(self) -> Request | Response:
        """The message, read anew at each use: a capture of a busy day holds many."""
        return parse(self.data)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a stream without a pause of a second or more."""

    first: float
    last: float
    packets: int


@dataclass(frozen=True, slots=True)
class Key:
    """A key that was pressed."""

    when: float
    digit: str
    duration_ms: int
    how: str
    """`rfc4733` or `info`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong, or is about to."""

    name: str
    """From a closed vocabulary, such as `one_way_audio`; see `problems.NAMES`."""
    when: float
    sentence: str
    """For a human: what happened, and what likely caused it."""


@dataclass(frozen=True, slots=True)
class Stream:
    """RTP of one SSRC from one endpoint to another."""

    source: Endpoint
    destination: Endpoint
    ssrc: int
    codec: str
    """Encoding name of most of its packets, such as `PCMA`; `type 99` where nothing says what that means."""
    first: float
    last: float
    packets: int
    clock_hz: int = 8000
    """Units a second of its timestamps; 0 where nothing says so, and then there is no jitter either."""
    payload_types: Mapping[int, int] = field(default_factory=dict)
    """Payload type to number of packets."""
    spans: tuple[Span, ...] = ()
    ptime_ms: float | None = None
    """The usual distance of its packets by their timestamps."""
    lost: int = 0
    """Expected less received, as RFC 3550 counts: duplicates make it smaller, even negative."""
    missing: int = 0
    """Sequence numbers that never came."""
    duplicates: int = 0
    reordered: int = 0
    """Packets that came after one that was sent later."""
    jitter_ms: float = 0.0
    """Mean of the interarrival jitter (RFC 3550 section 6.4.1) over the packets."""
    max_jitter_ms: float = 0.0
    skew_ppm: float | None = None
    """How much faster the sender's clock runs than the capture's; None where too short to tell."""
    keys: tuple[Key, ...] = ()
    level_dbfs: float | None = None
    """Mean level of the decoded sound; None where the codec is not known here."""
    silent_share: float | None = None
    """How much of it is silence, 0 to 1."""
    mos: float | None = None
    """By the E-model (ITU-T G.107) from loss and jitter; 1 to 4.5. None where the codec has no figures."""
    negotiated: bool = False
    """Found by an SDP; else by its looks."""
    sender: str = ""
    """`caller` or `callee`; empty where nothing says so."""
    encrypted: bool = False
    """SRTP by its description: what is counted of the payload alone is missing."""

    @property
    def loss_share(self) -> float:
        """Lost of expected, 0 to 1."""
        expected = self.packets + self.lost
        return max(self.lost, 0) / expected if expected > 0 else 0.0


@dataclass(frozen=True, slots=True)
class CallTrace:
    """All messages of one Call-ID, and the media that they set up."""

    call_id: str
    messages: tuple[SipMessage, ...]
    streams: tuple[Stream, ...] = ()
    problems: tuple[Problem, ...] = ()
    keys: tuple[Key, ...] = ()
    """By SIP INFO; those of a stream are with the stream."""
    caller: str = ""
    """URI of From in the first request."""
    callee: str = ""
    status: int | None = None
    """The last final status of the first INVITE; None where none was captured. A challenge is not the last word."""
    outcome: str = ""
    """How it ended: `answered`, `refused`, `cancelled`, `unanswered`, or `unknown` where the beginning is missing."""
    setup_delay: float | None = None
    """From the INVITE to the first response above 100."""
    ringing_delay: float | None = None
    """From the INVITE to the first 180 or 183."""
    answer_delay: float | None = None
    """From the INVITE to the 200."""
    answered: float | None = None
    """When the 200 was sent."""
    ended: float | None = None
    """When BYE or CANCEL was sent."""
    ended_by: str = ""
    """`caller` or `callee`, by the sender of BYE or CANCEL; empty where neither was seen."""
    retransmissions: int = 0

    @property
    def first(self) -> float:
        """When its first message was sent."""
        return self.messages[0].when

    @property
    def last(self) -> float:
        """When its last message or media packet was sent."""
        return max(self.messages[-1].when, *(stream.last for stream in self.streams), self.messages[0].when)


@dataclass(frozen=True, slots=True)
class Capture:
    """A file of packets, read."""

    path: Path
    packets: int
    first: float
    last: float
    calls: tuple[CallTrace, ...] = ()
    """In the order in which they began."""
    streams: tuple[Stream, ...] = ()
    """RTP of no call that was captured."""
    requests: Mapping[str, int] = field(default_factory=dict)
    """SIP requests by method: everything in the file, also what belongs to no call."""
    responses: Mapping[int, int] = field(default_factory=dict)
    """SIP responses by status."""
    problems: tuple[Problem, ...] = ()
    """Of the file itself: cut off, corrupt, more than is kept."""
