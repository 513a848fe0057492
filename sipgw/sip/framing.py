"""Cuts a byte stream into SIP messages (RFC 3261 section 18.3) and keep-alives (RFC 5626 section 3.5.1)."""

from typing import Final

from sipgw.sip.model import Request, Response
from sipgw.sip.parser import Malformed, body_length, malformed, read_head

PING: Final = b"\r\n\r\n"
"""What the side that opened a stream sends to keep it alive; the other answers with a `PONG`."""
PONG: Final = b"\r\n"

MAX_HEAD_BYTES: Final = 64 * 1024
MAX_BODY_BYTES: Final = 1024 * 1024


class StreamFramer:
    """Holds what has come of a message that is not complete.

    Args:
        opened_by_us: a single CRLF between messages is then the peer's answer to our ping. On a stream the peer
            opened it is half of a ping, or an empty line in front of a message.
        max_head_bytes: longest start line and headers.
        max_body_bytes: longest body.
    """

    def __init__(
        self,
        *,
        opened_by_us: bool = False,
        max_head_bytes: int = MAX_HEAD_BYTES,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._opened_by_us = opened_by_us
        self._max_head_bytes = max_head_bytes
        self._max_body_bytes = max_body_bytes
        self._buffer = bytearray()
        self._searched = 0
        self._body_at = 0
        self._end = 0
        self._broken: Malformed | None = None

    @property
    def broken(self) -> Malformed | None:
        """Why nothing more can be read, once that is so: answer it where it has a request, then close the stream."""
        return self._broken

    @property
    def pending(self) -> bool:
        """Whether a message has begun that is not complete."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what came and give back what it completed: whole messages, `PING`s and `PONG`s, in order.

        Raises:
            Malformed: when the stream cannot go on, as the end of a message cannot be known. Messages completed by the
                same data come first: then `broken` is set, and the next call raises.
        """
        complete: list[bytes] = []
        try:
            if self._broken:
                raise self._broken
            self._buffer += data
            while (message := self._next()) is not None:
                complete.append(message)
        except Malformed as error:
            self._broken = error
            if not complete:
                raise
        return complete

    def _next(self) -> bytes | None:
        """The next message or keep-alive, or None where more data is needed."""
        if not self._end:
            if keep_alive := self._keep_alive():
                return keep_alive
            self._read_head()
        if not self._end or len(self._buffer) < self._end:
            return None
        return self._take(self._end)

    def _keep_alive(self) -> bytes | None:
        """A keep-alive at the front, or None; other empty lines in front of a message are dropped (section 7.5)."""
        if not self._buffer.startswith((b"\r", b"\n")):
            return None
        expected = PONG if self._opened_by_us else PING
        if self._buffer.startswith(expected):
            return self._take(len(expected))
        if not expected.startswith(self._buffer):
            self._take(len(self._buffer) - len(self._buffer.lstrip(b"\r\n")))
        return None

    def _read_head(self) -> None:
        """Find the empty line and, from Content-Length, the end of the message."""
        self._find_empty_line()
        if (self._body_at or len(self._buffer)) > self._max_head_bytes:
            raise Malformed(513, "Message Too Large")
        if self._body_at:
            message = read_head(bytes(self._buffer[: self._body_at]))
            self._end = self._body_at + self._body_length(message)

    def _find_empty_line(self) -> None:
        # Two bytes back: the empty line may have come in pieces.
        start = max(self._searched - 2, 0)
        found = ((self._buffer.find(line, start), line) for line in (b"\n\r\n", b"\n\n"))
        self._body_at = min((at + len(line) for at, line in found if at >= 0), default=0)
        self._searched = len(self._buffer)

    def _body_length(self, message: Request | Response) -> int:
        length = body_length(message)
        if length is None:
            # On a stream nothing else says where the message ends (section 20.14).
            raise malformed(400, "Missing Content-Length", message)
        if length > self._max_body_bytes:
            raise malformed(513, "Message Too Large", message)
        return length

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._searched = self._body_at = self._end = 0
        return taken
