"""Reads a SIP message from bytes (RFC 3261 section 7, RFC 4475), as leniently as is safe."""

import re

from sipgw.errors import PeerError
from sipgw.sip.grammar import decode, is_token, number
from sipgw.sip.headers import Headers
from sipgw.sip.model import Request, Response

MAX_BODY_BYTES = 2**31 - 1
"""Largest Content-Length that is read as a number at all."""

MAX_HEADER_LINES = 256
"""More are not read; a call through twenty proxies has some sixty."""
MAX_LINE_BYTES = 8192
"""Longest header line, with what is folded into it; an Identity has one or two thousand."""

_FOLD = re.compile(r"\n[ \t]++")
_FOLD_BYTES = re.compile(rb"\n[ \t]++")
_VERSION = re.compile(r"SIP/[0-9]++\.[0-9]++", re.IGNORECASE)
_STATUS_LINE = re.compile(r"(SIP/[0-9]++\.[0-9]++) ([1-6][0-9]{2})(?: (.*))?", re.IGNORECASE | re.DOTALL)


class Malformed(PeerError):
    """A datagram that is no message we can take.

    Args:
        status: what to answer, 400 to 699.
        reason: the reason phrase.
        request: as much of a request as could be read, enough to answer it; None where there is nothing to answer.
    """

    def __init__(self, status: int, reason: str, request: Request | None = None) -> None:
        super().__init__(status, reason)
        self.request = request


def parse(data: bytes) -> Request | Response:
    """Read one datagram.

    Bytes beyond Content-Length are ignored (section 18.3), a missing Content-Length means the rest of the datagram,
    line ends may be LF alone, and empty lines may come first.

    Raises:
        Malformed: where it is no message, or one that contradicts itself. A response is also refused where one of the
            headers that match it to its request cannot be read.
    """
    head, rest = split_head(data)
    message = read_head(head)
    length = body_length(message)
    if length is not None and length > len(rest):
        raise malformed(400, "Content-Length beyond the end", message)
    body = rest if length is None else rest[:length]
    if isinstance(message, Request):
        return Request(message.method, message.uri, message.headers, body)
    return _readable(Response(message.status, message.reason, message.headers, body))


def split_head(data: bytes) -> tuple[bytes, bytes]:
    """Start line and headers, and what follows the empty line. Empty lines in front are skipped (section 7.5)."""
    data = data.lstrip(b"\r\n")
    crlf, lf = data.find(b"\n\r\n"), data.find(b"\n\n")
    if crlf < 0 and lf < 0:
        # Some senders leave out the empty line where there is no body.
        return data, b""
    if lf < 0 or 0 <= crlf < lf:
        return data[:crlf], data[crlf + 3 :]
    return data[:lf], data[lf + 2 :]


def read_head(head: bytes) -> Request | Response:
    """The message without its body.

    Raises:
        Malformed: where start line or headers cannot be read.
    """
    lines = _lines(head)
    start = lines[0]
    if "\r" in start:
        raise Malformed(400, "Not a SIP message")
    headers, wrong = _headers(lines[1:])
    if start[:4].upper() == "SIP/":
        message: Request | Response = _response(start, headers)
    else:
        message = _request(start, headers)
    if wrong:
        raise malformed(400, wrong, message)
    return message


def body_length(message: Request | Response) -> int | None:
    """What Content-Length says, in bytes; None where it is missing.

    Raises:
        Malformed: where it is no number, or where two of them differ.
    """
    values = set(message.headers.all("Content-Length"))
    if not values:
        return None
    if len(values) > 1:
        raise malformed(400, "Contradicting Content-Length", message)
    try:
        return number(values.pop(), MAX_BODY_BYTES, "Content-Length")
    except PeerError as error:
        raise malformed(error.status, error.reason, message) from None


def malformed(status: int, reason: str, message: Request | Response) -> Malformed:
    """The error for a message of which at least the start line was read."""
    if isinstance(message, Response) or message.method == "ACK" or "Via" not in message.headers:
        return Malformed(status, reason)
    return Malformed(status, reason, message)


def _lines(head: bytes) -> list[str]:
    """The lines of a head, folded ones joined (section 7.3.1), without their ends."""
    head = head.replace(b"\r\n", b"\n").rstrip(b"\r\n")
    try:
        text = head.decode()
    except UnicodeDecodeError:
        return [decode(line) for line in _FOLD_BYTES.sub(b" ", head).split(b"\n")]
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    return text.split("\n")


def _headers(lines: list[str]) -> tuple[Headers, str]:
    """The headers that can be read, and what is wrong with the first that cannot."""
    pairs, wrong = [], ""
    if len(lines) > MAX_HEADER_LINES:
        lines, wrong = lines[:MAX_HEADER_LINES], "Too many header lines"
    for line in lines:
        if len(line) > MAX_LINE_BYTES:
            wrong = wrong or "Header line too long"
            continue
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        # A CR on its own ends a line for some parsers: a header that we do not see must not get through.
        if not colon or not is_token(name) or "\r" in line:
            wrong = wrong or "Bad header line"
            continue
        pairs.append((name, _stripped(line, value)))
    return Headers(pairs), wrong


def _stripped(line: str, value: str) -> str:
    """The value without the blanks around it; of the line's own type, which knows its encoding."""
    value = value.strip(" \t")
    return value if type(line) is str else type(line)(value)


def _request(line: str, headers: Headers) -> Request:
    """Read a request line; single spaces only, as anything else leaves open what belongs to the URI."""
    parts = line.split(" ")
    method, uri, version = parts[0], parts[1] if len(parts) > 2 else "", parts[-1]
    request = Request(method, uri, headers)
    if not is_token(method) or (len(parts) < 3 or not _VERSION.search(line)):
        raise Malformed(400, "Not a SIP message")
    if len(parts) != 3 or not uri or not _VERSION.fullmatch(version):
        raise malformed(400, "Bad request line", request)
    if version.upper() != "SIP/2.0":
        raise malformed(505, "Version Not Supported", request)
    return request


def _response(line: str, headers: Headers) -> Response:
    found = _STATUS_LINE.fullmatch(line)
    if not found or found[1].upper() != "SIP/2.0":
        raise Malformed(400, "Bad status line")
    return Response(int(found[2]), found[3] or "", headers)


def _readable(response: Response) -> Response:
    """The response, once everything that finds its transaction and dialog has been read."""
    try:
        _ = (response.via, response.cseq, response.call_id, response.from_, response.to)
    except PeerError as error:
        raise Malformed(error.status, error.reason) from None
    return response
