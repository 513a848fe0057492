"""What the caller of a captured call did: its requests, its reactions, its media. Pure.

A caller does some things by itself (it calls, hangs up, speaks) and others only because of what it is told (it
acknowledges, it answers a BYE). The first have a time; the second have a delay after their cause.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sipgw.flow import Endpoint
from sipgw.sip.message import Request, Response


@dataclass(frozen=True, slots=True)
class Act:
    """A request the caller sent by itself."""

    when: float
    """Seconds from the beginning of the capture."""
    source: Endpoint
    request: Request
    after_answer: bool = False


@dataclass(frozen=True, slots=True)
class Reaction:
    """What the caller sent because of a message it got, and how long after it."""

    delay: float
    message: Request | Response


@dataclass(frozen=True, slots=True)
class MediaPacket:
    """RTP or RTCP the caller sent."""

    when: float
    source: Endpoint
    data: bytes = field(repr=False)
    rtcp: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """The caller's part of one call."""

    call_id: str
    transport: str
    caller: Endpoint
    callee: Endpoint
    acts: tuple[Act, ...]
    """The first is the INVITE."""
    media: tuple[MediaPacket, ...] = ()
    acks: Mapping[int, Reaction | None] = field(default_factory=dict)
    """By the number of the INVITE; None where it was answered with 200 and never acknowledged."""
    replies: Mapping[str, Reaction] = field(default_factory=dict)
    """To requests of the far end, by method."""
    answered: float | None = None
    """When the far end's 200 came."""
    hung_up: float | None = None
    """When the far end hung up."""
    names: Mapping[int, str] = field(default_factory=dict)
    """What the caller's payload types mean: encoding names in upper case."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Messages that are not replayed, by why."""

    @property
    def invite(self) -> Request:
        """The call's first message."""
        return self.acts[0].request
