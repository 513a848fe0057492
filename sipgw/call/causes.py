"""Why a call ended, from what was seen last; and how a refusal of ours looks."""

from dataclasses import dataclass

from sipgw.call import events as heard
from sipgw.call.effects import Headers
from sipgw.call.limits import Excess
from sipgw.call.states import Seen
from sipgw.errors import Cause, PeerError
from sipgw.media import plane
from sipgw.sip.events import Lost

CALLER, BACKEND, GATEWAY, OPERATOR = "caller", "backend", "gateway", "operator"

_ENDS: dict[Seen, tuple[Cause, str]] = {
    Seen.CANCELLED: (Cause.CANCELLED, CALLER),
    Seen.HUNG_UP: (Cause.NORMAL, CALLER),
    Seen.RELEASED: (Cause.SIGNALLING_LOST, GATEWAY),
    Seen.NO_ACK: (Cause.NO_ACK, GATEWAY),
    Seen.LEG_LOST: (Cause.SIGNALLING_LOST, GATEWAY),
    Seen.PORTS_FAILED: (Cause.NO_PORTS, GATEWAY),
    Seen.BACKEND_HUNG_UP: (Cause.NORMAL, BACKEND),
    Seen.TOLD_TO_HANG_UP: (Cause.NORMAL, OPERATOR),
    Seen.PLAYED: (Cause.BACKEND_FAILED, GATEWAY),
    Seen.SILENT: (Cause.MEDIA_TIMEOUT, GATEWAY),
    Seen.SILENT_TOO_LONG: (Cause.SILENCE, GATEWAY),
    Seen.TOO_LONG: (Cause.TIME_LIMIT, GATEWAY),
    Seen.SESSION_FAILED: (Cause.MEDIA_FAILED, GATEWAY),
    Seen.SESSION_ENDED: (Cause.MEDIA_FAILED, GATEWAY),
    Seen.MEDIA_GONE: (Cause.GATEWAY_RESTARTED, GATEWAY),
    Seen.SHUT_DOWN: (Cause.SHUTDOWN, GATEWAY),
    Seen.BROKE: (Cause.INTERNAL, GATEWAY),
}
_UNANSWERED: dict[Seen, tuple[Cause, str]] = {
    # A BYE of an early dialog; the agent has answered the INVITE with 487 (RFC 3261 section 15.1.2).
    Seen.HUNG_UP: (Cause.CANCELLED, CALLER),
    Seen.BACKEND_HUNG_UP: (Cause.REJECTED, BACKEND),
    Seen.TOLD_TO_HANG_UP: (Cause.REJECTED, OPERATOR),
    Seen.TOO_LONG: (Cause.NO_ANSWER, GATEWAY),
}
"""Where the same means something else before the answer."""

RETRY_LATER = (Cause.NO_PORTS, Cause.SHUTDOWN)
"""Ends of a call that was taken on which carry Retry-After."""

_OF_STATUS = {400: Cause.BAD_REQUEST, 488: Cause.NO_COMMON_CODEC}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why we will not have a call, and what to answer."""

    cause: Cause
    status: int
    detail: str = ""
    headers: Headers = ()
    said: str = ""
    """The reason phrase, where somebody else chose it."""

    @classmethod
    def of(cls, error: PeerError) -> "Refusal":
        """What the caller sent cannot be served."""
        return cls(_OF_STATUS.get(error.status, Cause.BAD_REQUEST), error.status, error.reason, error.headers)

    @classmethod
    def later(cls, cause: Cause, seconds: int, detail: str = "") -> "Refusal":
        """It may be tried again, after so many seconds (RFC 3261 section 20.33)."""
        return cls(cause, cause.status, detail, (("Retry-After", str(seconds)),))

    @classmethod
    def of_excess(cls, excess: Excess, seconds: int) -> "Refusal":
        """It is one too many. `seconds` is when to try again where that is not known better."""
        cause = excess.cause
        if cause.status != 503:
            return cls(cause, cause.status, excess.detail)
        return cls.later(cause, excess.retry_after or seconds, excess.detail)

    @property
    def phrase(self) -> str:
        """The reason phrase: what was wrong with the request, as far as that can be quoted; else the usual one."""
        text = self.detail if self.status == 400 and not self.said else self.said
        return "".join(c for c in text if c.isascii() and c.isprintable())[:80]


def ending(seen: Seen, answered: bool) -> tuple[Cause, str]:
    """The cause of a call that ends because of what was seen, and who ended it."""
    return _ENDS[seen] if answered else _UNANSWERED.get(seen, _ENDS[seen])


def reason(event: object) -> str:
    """What the event that ended a call says of the reason; empty where it says nothing."""
    match event:
        case Lost(reason=why) | heard.PortsFailed(reason=why) | plane.SessionFailed(reason=why):
            return why
        case heard.HookFailed(reason=why):
            return why
        case plane.Inactive(never=never):
            return "no_packet_ever" if never else "no_more_packets"
        case plane.Reported(report=report):
            return getattr(report, "reason", "")
    return ""
