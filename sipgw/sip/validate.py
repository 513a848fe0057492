"""What a user agent refuses before anything else looks at a request (RFC 3261 sections 8.1.1, 8.2 and 16.3)."""

from sipgw.errors import PeerError
from sipgw.sip.grammar import MAX_32_BIT, number
from sipgw.sip.model import Request, Response

SCHEMES = frozenset({"sip", "sips", "tel"})
"""Schemes of a Request-URI that can be served."""


def validate(message: Request | Response) -> None:
    """Refuse what contradicts itself or lacks what every message must have.

    What needs a user agent to decide (405, 415, 420, 481, 482, 483 …) is decided there. An RFC 2543 request, which has
    neither branch nor From tag nor Max-Forwards, is taken.

    Raises:
        PeerError: 400, or 416 for a Request-URI of another scheme. Of a response or an ACK: drop it.
    """
    if message.cseq.method != _method(message):
        raise PeerError(400, "CSeq method mismatch")
    _ = (message.vias, message.from_, message.to, message.call_id, message.max_forwards, message.contacts)
    _ = (message.record_routes, message.content_type, message.via.rport)
    if isinstance(message, Response):
        # A response with hops below ours was meant for someone else (section 8.1.3.3).
        if len(message.vias) > 1:
            raise PeerError(400, "Via of another")
        return
    _ = message.routes
    expires(message)
    _check_target(message)


def expires(message: Request | Response) -> int | None:
    """Seconds in Expires (section 20.19), or None.

    Raises:
        PeerError: 400 where it is no number of 32 bits.
    """
    value = message.headers.get("Expires")
    return None if value is None else number(value, MAX_32_BIT, "Expires")


def _method(message: Request | Response) -> str:
    return message.method if isinstance(message, Request) else message.cseq.method


def _check_target(request: Request) -> None:
    target = request.target
    if target.scheme not in SCHEMES:
        raise PeerError(416, "Unsupported URI Scheme")
    if target.headers:
        # Headers in a URI are for whoever makes a request of it, not for whoever gets it (section 19.1.1).
        raise PeerError(400, "Bad Request-URI")
