"""Finds the session description in a message, alone or as one part of several (RFC 2046 section 5.1, RFC 5621)."""

from sipgw.errors import PeerError
from sipgw.sip.message import Request, Response

SDP = "application/sdp"


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


def media_type(value: str) -> tuple[str, dict[str, str]]:
    """Type and parameters of a Content-Type value, names in lower case."""
    kind, *rest = value.split(";")
    pairs = (parameter.partition("=") for parameter in rest)
    return kind.strip().lower(), {name.strip().lower(): text.strip().strip('"') for name, _, text in pairs}


def parts(body: bytes, boundary: str) -> list[tuple[str, bytes]]:
    """Content type and bytes of each part of a multipart body."""
    mark = b"--" + boundary.encode("latin-1", "replace")
    chunks = (b"\r\n" + body).split(b"\r\n" + mark)[1:]
    # A line that only begins like the boundary is no boundary, and the last one ends in two dashes.
    return [_part(chunk) for chunk in chunks if chunk.lstrip(b" \t").startswith(b"\r\n")]


def _part(chunk: bytes) -> tuple[str, bytes]:
    head, _, body = chunk.partition(b"\r\n\r\n")
    kind = "text/plain"
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() in (b"content-type", b"c"):
            kind, _ = media_type(value.decode("latin-1"))
    return kind, body
