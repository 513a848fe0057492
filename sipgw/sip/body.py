"""Finds the session description in a message, alone or as one part of several (RFC 2046 section 5.1, RFC 5621)."""

import re

from sipgw.errors import PeerError
from sipgw.sip.message import Request, Response
from sipgw.sip.params import NO_PARAMS, Params

SDP = "application/sdp"

_LINE_END = re.compile(rb"\r?\n")
_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")


def sdp_of(message: Request | Response) -> bytes | None:
    """The SDP that a message carries; None where it has no body, or one that may be ignored.

    Raises:
        PeerError: 415 where the body must be understood and holds no SDP.
    """
    if not message.body:
        return None
    kind, parameters = media_type(message.headers.get("Content-Type") or SDP)
    if kind == SDP:
        return message.body
    if kind.startswith("multipart/") and (boundary := parameters.get("boundary")):
        for part_kind, body in parts(message.body, boundary):
            if part_kind == SDP:
                return body
    if "handling=optional" in (message.headers.get("Content-Disposition") or "").lower().replace(" ", ""):
        return None
    raise PeerError(415, "", (("Accept", SDP),))


def describes(message: Request | Response) -> bool:
    """Whether a message carries SDP that can be found."""
    try:
        return sdp_of(message) is not None
    except PeerError:
        return False


def media_type(value: str) -> tuple[str, dict[str, str]]:
    """Type and parameters of a Content-Type value, names in lower case; none where they cannot be read."""
    kind, semicolon, rest = value.partition(";")
    try:
        params = Params.parse(semicolon + rest)
    except PeerError:
        params = NO_PARAMS
    return kind.strip().lower(), {name.lower(): params.get(name) or "" for name, _ in params}


def parts(body: bytes, boundary: str) -> list[tuple[str, bytes]]:
    """Content type and bytes of each part of a multipart body; some gateways end its lines with LF alone."""
    mark = re.compile(rb"\r?\n--" + re.escape(boundary.encode("latin-1", "replace")))
    chunks = mark.split(b"\n" + body)[1:]
    # A line that only begins like the boundary is no boundary, and the last one ends in two dashes.
    return [_part(chunk) for chunk in chunks if _LINE_END.match(chunk.lstrip(b" \t"))]


def _part(chunk: bytes) -> tuple[str, bytes]:
    head, *body = _EMPTY_LINE.split(chunk, maxsplit=1)
    kind = "text/plain"
    for line in head.splitlines():
        name, _, value = line.partition(b":")
        if name.strip().lower() in (b"content-type", b"c"):
            kind, _ = media_type(value.decode("latin-1"))
    return kind, body[0] if body else b""
