"""Finds SIP messages: in datagrams, on TCP streams and in WebSockets (RFC 3261 section 18, RFC 7118)."""

import re
from dataclasses import dataclass
from typing import Literal

from sipgw.sip.framing import PING, PONG, StreamFramer
from sipgw.sip.parser import Malformed
from sipgw.tools.capture.tcp import Chunk
from sipgw.tools.capture.websocket import BrokenWebSocket, Deframer, opening

_REQUEST = re.compile(rb"[A-Za-z0-9.!%*_+`'~-]{1,4096}+ [^\r\n ]{1,4096}+ SIP/2\.0\r?\n")
_MESSAGE_START = re.compile(rb"^(?:[A-Z]{2,32} [^\r\n ]{1,1024} SIP/2\.0|SIP/2\.0 [1-6][0-9]{2} )", re.MULTILINE)
_HANDSHAKE = re.compile(rb"(?:GET [^\r\n]* HTTP/1\.1|HTTP/1\.1 101 )")
_TLS = (b"\x16\x03", b"\x17\x03", b"\x14\x03", b"\x15\x03")
_LONGEST_HANDSHAKE = 16_384

Kind = Literal["", "tcp", "ws", "tls", "other"]


def is_sip(data: bytes) -> bool:
    """Whether a datagram begins as a SIP message does."""
    if data[:8].upper() == b"SIP/2.0 ":
        return True
    return data[:1].isalpha() and _REQUEST.match(data) is not None


@dataclass(slots=True)
class SipOnStream:
    """One direction of a TCP connection: finds out what it carries, and cuts it into SIP messages."""

    kind: Kind = ""
    """What it carries; empty while that is not known."""
    holes: int = 0
    """How often the capture, or a message nobody can read, made us start anew."""
    _framer: StreamFramer | None = None
    _deframer: Deframer | None = None
    _handshake: bytearray | None = None

    def feed(self, chunk: Chunk) -> list[bytes]:
        """The messages that a chunk completes."""
        if self.kind in ("other", "tls"):
            return []
        if chunk.hole and self.kind:
            self.holes += 1
            self._restart()
        if not self.kind:
            self._recognise(chunk.data)
        data = self._after_handshake(chunk.data) if self._handshake is not None else chunk.data
        if self.kind == "tcp":
            return self._from_text(data)
        return self._from_frames(data) if self.kind == "ws" and data else []

    def _recognise(self, data: bytes) -> None:
        """By the first bytes; a capture may begin in the middle, so that anything else is waited through."""
        if is_sip(data) or _MESSAGE_START.match(data):
            self.kind, self._framer = "tcp", StreamFramer()
        elif data.startswith(_TLS):
            self.kind = "tls"
        elif _HANDSHAKE.match(data):
            self.kind, self._deframer, self._handshake = "ws", Deframer(), bytearray()
        elif is_sip_opening(opening(data)):
            self.kind, self._deframer = "ws", Deframer()

    def _after_handshake(self, data: bytes) -> bytes:
        """What follows the HTTP head; a head that never ends is none."""
        assert self._handshake is not None
        self._handshake += data
        head, end, rest = bytes(self._handshake).partition(b"\r\n\r\n")
        if end:
            self._handshake = None
            if b"upgrade" not in head.lower() or b"websocket" not in head.lower():
                self.kind = "other"
            return rest
        if len(self._handshake) > _LONGEST_HANDSHAKE:
            self.kind, self._handshake = "other", None
        return b""

    def _from_text(self, data: bytes) -> list[bytes]:
        if self._framer is None:
            start = _MESSAGE_START.search(data)
            if start is None:
                return []
            data, self._framer = data[start.start() :], StreamFramer()
        try:
            messages = self._framer.feed(data)
        except Malformed:
            messages = []
        if self._framer.broken:
            self.holes += 1
            self._framer = None
        return [message for message in messages if message not in (PING, PONG)]

    def _from_frames(self, data: bytes) -> list[bytes]:
        if self._deframer is None:
            if not is_sip_opening(opening(data)):
                return []
            self._deframer = Deframer()
        try:
            return [message for message in self._deframer.feed(data) if is_sip(message)]
        except BrokenWebSocket:
            self.holes += 1
            self._deframer = None
            return []

    def _restart(self) -> None:
        self._framer = self._deframer = self._handshake = None


def is_sip_opening(data: bytes) -> bool:
    """Whether these few bytes may be the beginning of a SIP message."""
    return data.startswith(b"SIP/2.0 ") or re.match(rb"[A-Z]{3,9} sips?:", data) is not None
