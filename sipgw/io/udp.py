"""One UDP listener: datagrams in, datagrams out, on a raw socket in the loop.

Not asyncio's DatagramProtocol: it reads into 256 KiB for every datagram, which costs twelve times the system call.
"""

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import Callable
from typing import Self

from sipgw.flow import Endpoint, Flow
from sipgw.io.sockets import PortTaken, bind_error, udp_socket

__all__ = ["PASSING", "PortTaken", "UdpListener"]

PASSING = frozenset({"EAGAIN", "ENOBUFS", "ENOMEM", "EPERM"})
"""Send errors of a moment: a full buffer, or (EPERM) a full table of connections in the packet filter."""

_AT_ONCE = 64
"""Datagrams read in one wake-up, so that a flood leaves the loop time for everything else."""
_LARGEST = 65_535
_CS3 = 24
"""Signalling (RFC 4594 section 4.2)."""
_RECEIVE_BUFFER_BYTES = 4 << 20
"""A second of a thousand INVITEs; while the loop is busy they wait here."""


class UdpListener:
    """A socket that is bound; `start` begins to read.

    `send_errors` and `receive_errors` count the system's refusals by name (`ECONNREFUSED` …).

    Args:
        sock: bound and non-blocking; the listener owns it from here.
        on_send_error: gets the error's name and the flow of the datagram that did not leave.
    """

    def __init__(self, sock: socket.socket, on_send_error: Callable[[str, Flow], None] | None = None) -> None:
        self._sock = sock
        self._on_send_error = on_send_error
        self._receive: Callable[[bytes, Flow], None] | None = None
        self._buffer = memoryview(bytearray(_LARGEST))
        self.local: Endpoint = sock.getsockname()[:2]
        """Host and port it is bound to."""
        self.send_errors: Counter[str] = Counter()
        self.receive_errors: Counter[str] = Counter()

    @classmethod
    def open(
        cls, address: Endpoint, on_send_error: Callable[[str, Flow], None] | None = None, *, dscp: int = _CS3
    ) -> Self:
        """Bind `address`, which came from `sip.host` and `sip.port`; what leaves is of the class of service `dscp`.

        Raises:
            PortTaken: another program has it.
            Unavailable: it cannot be bound for another reason, which the message says.
        """
        try:
            return cls(udp_socket(address, dscp, _RECEIVE_BUFFER_BYTES), on_send_error)
        except OSError as error:
            raise bind_error(error, address, "sip.port", "SIPGW_SIP_PORT") from None

    def start(self, receive: Callable[[bytes, Flow], None]) -> None:
        """Begin to read, on the running loop."""
        self._receive = receive
        asyncio.get_running_loop().add_reader(self._sock.fileno(), self._readable)

    def flow(self, remote: Endpoint) -> Flow:
        """The path from here to `remote`."""
        return Flow("udp", self.local, remote)

    def send(self, data: bytes, flow: Flow) -> None:
        """Send one datagram. What the system refuses is counted and reported, never raised."""
        try:
            self._sock.sendto(data, flow.remote)
        except OSError as error:
            self._refused(_name(error), flow)

    def close(self) -> None:
        """Stop reading and give the port back."""
        if self._sock.fileno() < 0:
            return
        if self._receive is not None:
            # Before close: a closed descriptor cannot be taken out of the loop's selector.
            asyncio.get_running_loop().remove_reader(self._sock.fileno())
            self._receive = None
        self._sock.close()

    def _readable(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                size, source = self._sock.recvfrom_into(self._buffer)
            except BlockingIOError:
                return
            except OSError as error:  # a queued ICMP error of an earlier datagram
                self.receive_errors[_name(error)] += 1
                continue
            if self._receive is None:
                return
            self._receive(bytes(self._buffer[:size]), Flow("udp", self.local, (source[0], source[1])))
            if self._sock.fileno() < 0:  # closed by what it received
                return

    def _refused(self, name: str, flow: Flow) -> None:
        self.send_errors[name] += 1
        if self._on_send_error is not None:
            self._on_send_error(name, flow)


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "EUNKNOWN")
