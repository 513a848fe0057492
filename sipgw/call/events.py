"""What the call core hears: SIP events, media events, commands, and the completions of the effects it asked for."""

from dataclasses import dataclass

from sipgw.call.advice import Advice
from sipgw.call.commands import Command
from sipgw.media import plane
from sipgw.sip.events import SipEvent


@dataclass(frozen=True, slots=True)
class PortsOpened:
    """`OpenPorts` went well."""

    id: str
    address: str
    """What to write into SDP: the IP address at which the far end reaches the ports."""
    port: int
    """Of RTP; RTCP has the next."""


@dataclass(frozen=True, slots=True)
class PortsFailed:
    """`OpenPorts` did not; nothing is held."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class HookAnswered:
    """A hook said where the call goes."""

    id: str
    advice: Advice


@dataclass(frozen=True, slots=True)
class HookFailed:
    """It did not, or nothing that can be used; `reason` is the short snake_case name of why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer that was started and not cancelled is due."""

    id: str


PortEvent = PortsOpened | PortsFailed
HookEvent = HookAnswered | HookFailed
CallEvent = SipEvent | plane.Event | PortEvent | HookEvent | TimerFired | Command
