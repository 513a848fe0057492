"""Makes responses (RFC 3261 section 8.2.6), and stamps requests with where they came from."""

import re
from collections.abc import Iterable
from typing import Final

from sipgw.errors import PeerError
from sipgw.sip.grammar import split_list
from sipgw.sip.headers import Headers, key
from sipgw.sip.model import Request, Response
from sipgw.sip.values import NameAddr, Via

REASONS: Final = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    199: "Early Dialog Terminated",
    200: "OK",
    202: "Accepted",
    204: "No Notification",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    412: "Conditional Request Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    417: "Unknown Resource-Priority",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    424: "Bad Location Information",
    428: "Use Identity Header",
    429: "Provide Referrer Identity",
    430: "Flow Failed",
    433: "Anonymity Disallowed",
    436: "Bad Identity Info",
    437: "Unsupported Credential",
    438: "Invalid Identity Header",
    439: "First Hop Lacks Outbound Support",
    440: "Max-Breadth Exceeded",
    469: "Bad Info Package",
    470: "Consent Needed",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    494: "Security Agreement Required",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    555: "Push Notification Service Not Supported",
    580: "Precondition Failure",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
    607: "Unwanted",
    608: "Rejected",
}
"""Reason phrases as registered with IANA."""

DIALOG_METHODS: Final = frozenset({"INVITE", "SUBSCRIBE", "REFER"})
"""Requests that may create a dialog (sections 12.1 and RFC 6665, RFC 3515)."""

_COPIED = frozenset({"via", "from", "to", "call-id", "cseq"})
_HAS_TAG = re.compile(r";[ \t]*+tag[ \t]*+=", re.IGNORECASE)


def respond(
    request: Request,
    status: int,
    reason: str | None = None,
    *,
    to_tag: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Response:
    """The response to a request, which may be one that could only be read in part.

    Args:
        request: with its top Via stamped; see `stamped`.
        status: 100 to 699.
        reason: the phrase; the registered one where it is None or empty.
        to_tag: our tag, added where To has none yet.
        headers: further headers, after the copied ones.
        body: with its Content-Type among `headers`.
    """
    kept = [(name, value) for name, value in request.headers.pairs if _is_copied(key(name), request, status)]
    if to_tag and not _has_tag(request.headers.get("To") or ""):
        kept = [(name, _tagged(value, to_tag) if key(name) == "to" else value) for name, value in kept]
    return Response(status, reason or REASONS.get(status, "Unknown"), Headers([*kept, *headers]), body)


def stamped(request: Request, host: str, port: int) -> Request:
    """The request with its source written into the top Via (section 18.2.1, RFC 3581).

    Args:
        request: as it came.
        host: the IP address it came from, IPv6 without brackets.
        port: the port it came from.

    Raises:
        PeerError: 400 where the top Via cannot be read.
    """
    via = request.via.with_source(host, port)
    if via == request.via:
        return request
    made = with_top_via(request, via)
    made.know_vias((via, *request.vias[1:]))
    return made


def with_top_via(request: Request, via: Via) -> Request:
    """The request with another top Via; further hops on the same line stay."""
    pairs, done = [], False
    for name, value in request.headers.pairs:
        if not done and key(name) == "via":
            value = ", ".join((str(via), *split_list(value)[1:]))
            done = True
        pairs.append((name, value))
    return Request(request.method, request.uri, Headers(pairs), request.body)


def _is_copied(name: str, request: Request, status: int) -> bool:
    if name == "record-route":
        return 100 < status < 300 and request.method in DIALOG_METHODS
    return name in _COPIED or (name == "timestamp" and status == 100)


def _tagged(to: str, tag: str) -> str:
    text = f"{to};tag={tag}"
    return text if type(to) is str else type(to)(text)


def _has_tag(to: str) -> bool:
    try:
        return NameAddr.parse(to).tag is not None
    except PeerError:
        return _HAS_TAG.search(to) is not None
