"""The messages in one direction of a WebSocket connection (RFC 6455 section 5), as it was seen on the wire."""

from itertools import cycle

MAX_MESSAGE_BYTES = 1 << 20
_CONTINUATION, _TEXT, _BINARY = 0, 1, 2
_FINAL, _RESERVED, _OPCODE, _MASKED, _SIZE = 0x80, 0x70, 0x0F, 0x80, 0x7F


class BrokenWebSocket(Exception):
    """These bytes are no frames."""


class Deframer:
    """Holds what has come of a frame or a message that is not complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._message = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads of the text and binary messages that `data` completes.

        Raises:
            BrokenWebSocket: they are no frames, compressed, or too long.
        """
        self._buffer += data
        messages = []
        while (frame := self._frame()) is not None:
            first, payload = frame
            if first & _RESERVED:
                raise BrokenWebSocket("compressed")
            if first & _OPCODE > _BINARY:  # ping, pong, close
                continue
            self._message += payload
            if first & _FINAL:
                messages.append(bytes(self._message))
                self._message.clear()
            if len(self._message) > MAX_MESSAGE_BYTES:
                raise BrokenWebSocket("too long")
        return messages

    def _frame(self) -> tuple[int, bytes] | None:
        """First byte and unmasked payload of the next frame; None where more data is needed."""
        header = frame_header(self._buffer)
        if header is None:
            return None
        start, size, mask = header
        if size > MAX_MESSAGE_BYTES:
            raise BrokenWebSocket("too long")
        if len(self._buffer) < start + size:
            return None
        first, payload = self._buffer[0], bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return first, unmask(payload, mask)


def frame_header(data: bytes | bytearray) -> tuple[int, int, bytes] | None:
    """Where the payload of a frame begins, its size, and its mask (empty without one); None where data is missing."""
    if len(data) < 2:
        return None
    size, at = data[1] & _SIZE, 2
    if size > 125:
        at += 2 if size == 126 else 8
        size = int.from_bytes(data[2:at], "big")
    masked = bool(data[1] & _MASKED)
    mask = bytes(data[at : at + 4]) if masked else b""
    at += 4 if masked else 0
    return (at, size, mask) if len(data) >= at else None


def unmask(payload: bytes, mask: bytes) -> bytes:
    """The payload as it was before it was masked; done as one large number, which is quick."""
    if not mask:
        return payload
    size = len(payload)
    stretched = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(stretched, "big")).to_bytes(size, "big")


def opening(data: bytes) -> bytes:
    """The first bytes of a message, if these are the beginning of its frame: to recognise what it holds."""
    header = frame_header(data)
    if header is None or data[0] not in (_FINAL | _TEXT, _FINAL | _BINARY):
        return b""
    start, _, mask = header
    part = data[start : start + 16]
    return bytes(a ^ b for a, b in zip(part, cycle(mask), strict=False)) if mask else part
