"""Asks a STUN server by which address it sees us: one Binding request and its answer (RFC 8489 sections 5, 6 and 14).

Requests are repeated after half a second, one and two more; the answer to the last is waited for four.
"""

import binascii
import struct
from collections.abc import Iterator
from ipaddress import ip_address
from itertools import cycle

from sipgw.flow import Endpoint

FIRST_WAIT = 0.5
"""Seconds: what RFC 8489 section 6.2.1 has the first repeat wait."""

_COOKIE = 0x2112A442
_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")
_REQUEST, _SUCCESS, _FAILURE = 0x0001, 0x0101, 0x0111
_MAPPED, _ERROR, _XOR_MAPPED, _FINGERPRINT = 0x0001, 0x0009, 0x0020, 0x8028
_UNDERSTOOD = frozenset({_MAPPED, 0x0004, 0x0005, 0x0006, 0x0008, _ERROR, 0x000A, 0x0014, 0x0015, 0x001C, _XOR_MAPPED})
"""Of the attributes that an answer must not have unless they are: those, with what old servers send beside them."""
_FINGERPRINT_MASK = 0x5354554E
_SENDINGS = 4


class Binding:
    """One question.

    Args:
        transaction: twelve bytes that nobody can guess: they tell its answer from what strangers send.
        now: seconds.
        first_wait: seconds until the first repeat; each wait is twice the one before.
    """

    def __init__(self, transaction: bytes, now: float, first_wait: float = FIRST_WAIT) -> None:
        self._transaction = transaction
        self._wait, self._left, self._due = first_wait, _SENDINGS, now
        self._outbox: list[bytes] = []
        self.address: Endpoint | None = None
        """How the server sees us; None as long as it has not said so."""
        self.failure = ""
        """Why it will not say so; empty as long as it may."""
        self.handle_timers(now)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.address is not None or bool(self.failure)

    def to_send(self) -> list[bytes]:
        """Take what is to be sent to the server."""
        taken, self._outbox = self._outbox, []
        return taken

    def next_timer(self) -> float | None:
        """When `handle_timers` is wanted next, or None."""
        return None if self.over else self._due

    def handle_timers(self, now: float) -> None:
        """Repeat the request, or give up."""
        if self.over or now < self._due:
            return
        if not self._left:
            self.failure = "no answer"
            return
        self._outbox.append(_HEADER.pack(_REQUEST, 0, _COOKIE, self._transaction))
        self._left -= 1
        self._due, self._wait = now + self._wait, 2 * self._wait

    def receive(self, data: bytes) -> None:
        """Take a datagram, whoever sent it; what is no answer is ignored."""
        if self.over or len(data) < _HEADER.size:
            return
        kind, length, cookie, transaction = _HEADER.unpack_from(data)
        ours = (cookie, transaction, length) == (_COOKIE, self._transaction, len(data) - _HEADER.size)
        if not ours or kind not in (_SUCCESS, _FAILURE):
            return
        try:
            attributes = dict(_attributes(data))
            if kind == _FAILURE:
                self.failure = _said(attributes.get(_ERROR, b""))
            else:
                self.address = self._mapped(attributes)
        except ValueError as error:
            self.failure = str(error)

    def _mapped(self, attributes: dict[int, bytes]) -> Endpoint:
        unknown = [kind for kind in attributes if kind < 0x8000 and kind not in _UNDERSTOOD]
        if unknown:
            raise ValueError(f"an answer with attribute {unknown[0]:#06x}, which is not understood")
        if (value := attributes.get(_XOR_MAPPED)) is not None:
            mask = struct.pack("!I", _COOKIE) + self._transaction
            port, host = mask[:2], mask
            return _endpoint(value[:2] + _masked(value[2:4], port) + _masked(value[4:], host))
        if (value := attributes.get(_MAPPED)) is not None:
            return _endpoint(value)
        raise ValueError("an answer without an address")


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Types and values. Raises ValueError where they do not fit, or the fingerprint is wrong."""
    at = _HEADER.size
    while at < len(data):
        if at + _ATTRIBUTE.size > len(data):
            raise ValueError("an answer that ends in an attribute")
        kind, length = _ATTRIBUTE.unpack_from(data, at)
        start = at + _ATTRIBUTE.size
        value = data[start : start + length]
        if len(value) < length:
            raise ValueError("an answer that ends in an attribute")
        if kind == _FINGERPRINT and value != _fingerprint(data[:at]):
            raise ValueError("an answer with a wrong fingerprint")
        yield kind, value
        at = start + length + -length % 4


def _fingerprint(before: bytes) -> bytes:
    return struct.pack("!I", binascii.crc32(before) ^ _FINGERPRINT_MASK)


def _masked(value: bytes, mask: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(value, cycle(mask), strict=False))


def _endpoint(value: bytes) -> Endpoint:
    """Address and port of an attribute: a zero, the family, the port, the address (section 14.1)."""
    if (value[1:2], len(value)) not in ((b"\1", 8), (b"\2", 20)):
        raise ValueError("an answer with an address of no family")
    return str(ip_address(value[4:])), int.from_bytes(value[2:4])


def _said(value: bytes) -> str:
    """Code and reason of an ERROR-CODE (section 14.8)."""
    if len(value) < 4:
        return "refused"
    return f"{value[2] % 8 * 100 + value[3]} {value[4:].decode(errors='replace')}".strip()
