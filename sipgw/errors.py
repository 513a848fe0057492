"""Errors that say whose fault they are, and the one table from a call's cause to SIP, Q.850 and the record."""

from dataclasses import dataclass
from enum import Enum


class SipgwError(Exception):
    """Base of every error the gateway raises on purpose."""


class PeerError(SipgwError):
    """The peer sent something we cannot serve; `status` is what to answer.

    Args:
        status: a SIP status code, 400 to 699.
        reason: the reason phrase, or a sentence for the Warning header and the trace.
        headers: further headers for the response, such as `Accept` or `Unsupported`.
    """

    def __init__(self, status: int, reason: str = "", headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(f"{status} {reason}".strip())
        self.status = status
        self.reason = reason
        self.headers = headers


class UsageError(SipgwError):
    """Our own caller did something that makes no sense; a defect, not a network condition."""


class Unavailable(SipgwError):
    """A resource we need is not there now (ports, a backend, a descriptor)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one cause shows to the outside: SIP status for a refusal, Q.850 cause value, name in the record."""

    status: int
    q850: int
    record: str


class Cause(Enum):
    """Why a call, or an attempt at one, ended (RFC 3326, ITU-T Q.850)."""

    NORMAL = Outcome(200, 16, "normal")
    CANCELLED = Outcome(487, 16, "cancelled")
    BUSY = Outcome(486, 17, "busy")
    NO_ANSWER = Outcome(480, 19, "no_answer")
    REJECTED = Outcome(603, 21, "rejected")
    NOT_FOUND = Outcome(404, 1, "not_found")
    FORBIDDEN = Outcome(403, 21, "forbidden")
    BAD_REQUEST = Outcome(400, 127, "bad_request")
    NO_COMMON_CODEC = Outcome(488, 65, "no_common_codec")
    LOOP = Outcome(482, 25, "loop")
    DRAINING = Outcome(503, 41, "draining")
    OVERLOAD = Outcome(503, 42, "overload")
    RATE_LIMITED = Outcome(503, 42, "rate_limited")
    SOURCE_FULL = Outcome(503, 42, "source_full")
    ROUTE_FULL = Outcome(486, 17, "route_full")
    LAGGING = Outcome(503, 42, "lagging")
    NO_PORTS = Outcome(503, 47, "no_ports")
    BACKEND_FAILED = Outcome(503, 38, "backend_failed")
    MEDIA_FAILED = Outcome(500, 47, "media_failed")
    MEDIA_TIMEOUT = Outcome(408, 102, "media_timeout")
    SILENCE = Outcome(408, 102, "silence")
    NO_ACK = Outcome(408, 102, "no_ack")
    SIGNALLING_LOST = Outcome(408, 102, "signalling_lost")
    TIME_LIMIT = Outcome(408, 31, "time_limit")
    SHUTDOWN = Outcome(503, 41, "shutdown")
    GATEWAY_RESTARTED = Outcome(503, 41, "gateway_restarted")
    INTERNAL = Outcome(500, 41, "internal")

    @property
    def status(self) -> int:
        """SIP status code that refuses a call for this cause."""
        return self.value.status

    @property
    def q850(self) -> int:
        """Q.850 cause value for a Reason header (RFC 3326)."""
        return self.value.q850

    @property
    def record(self) -> str:
        """The cause's name in records, logs and metrics."""
        return self.value.record
