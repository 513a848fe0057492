"""RTP ports: an even one for RTP and the next for RTCP (RFC 3550 section 11), opened when a call needs them.

Control opens the sockets; whoever runs the call's media gets them, or their descriptors.
"""

import errno
import random
import resource
import socket
from collections import deque
from collections.abc import Container
from dataclasses import dataclass
from typing import Self

from sipgw.errors import Unavailable
from sipgw.io.sockets import bind_error, udp_socket
from sipgw.options import MediaOptions

_RECEIVE_BUFFER_BYTES = 128 << 10
"""About two seconds of packets, as the kernel counts them; older audio would be thrown away anyway."""


@dataclass(frozen=True, slots=True, eq=False)
class PortPair:
    """The open sockets of one session."""

    port: int
    """Of RTP; RTCP has the next."""
    rtp: socket.socket
    rtcp: socket.socket

    @classmethod
    def of(cls, descriptors: tuple[int, int]) -> Self:
        """The pair with these descriptors, which are its own from here on."""
        rtp, rtcp = (socket.socket(fileno=descriptor) for descriptor in descriptors)
        return cls(rtp.getsockname()[1], rtp, rtcp)

    @property
    def host(self) -> str:
        """The address they bind, while they are open."""
        return str(self.rtp.getsockname()[0])

    @property
    def closed(self) -> bool:
        """Whether they were given back."""
        return self.rtp.fileno() < 0

    @property
    def descriptors(self) -> tuple[int, int]:
        """Of RTP and RTCP, to be passed to another process."""
        return self.rtp.fileno(), self.rtcp.fileno()


class PortPool:
    """Hands out port pairs, the one longest unused first.

    It begins at a random place: after a restart, far ends of calls that are gone still send to the ports they knew.

    Args:
        options: the range, and how long a pair rests.
        host: what to bind; empty for what the options say.
    """

    def __init__(self, options: MediaOptions, host: str = "") -> None:
        self._host = host or options.host
        self._rest, self._dscp = options.port_rest, options.dscp
        first = options.first_port + options.first_port % 2
        self._ours = range(first, options.last_port, 2)
        self._free = deque(self._ours)
        self._free.rotate(random.randrange(len(self._free) or 1))
        self._resting: deque[tuple[float, int]] = deque()
        self.size = len(self._free)
        """How many pairs there are at all."""
        self.in_use = 0

    def take(self, now: float) -> PortPair:
        """Open a pair.

        Raises:
            Unavailable: all are in use, resting, or other programs'.
        """
        self._wake(now)
        for _ in range(len(self._free)):
            pair = self._open(self._free[0])
            port = self._free.popleft()  # only now: what `_open` raises is not the port's fault
            if pair is not None:
                self.in_use += 1
                return pair
            self._resting.append((now + self._rest, port))
        raise Unavailable(f"no RTP ports left: {self.in_use} pairs of {self.size} in use, {len(self._resting)} resting")

    def give_back(self, pair: PortPair, now: float) -> None:
        """Close a pair; late packets of its call must not reach the next one, so it rests.

        Whoever watches the sockets unregisters them first.
        """
        if pair.closed:
            return
        pair.rtp.close()
        pair.rtcp.close()
        self.in_use -= 1
        if pair.port in self._ours:
            self._resting.append((now + self._rest, pair.port))

    def adopt(self, pair: PortPair) -> None:
        """Take over a pair that an earlier process had opened, and that is in use."""
        if pair.port in self._free:
            self._free.remove(pair.port)
        self.in_use += 1

    def rest(self, ports: Container[int], now: float) -> None:
        """Keep free pairs back, by their RTP ports, as after use: far ends of a process that died may send there."""
        resting = [port for port in self._free if port in ports]
        self._free = deque(port for port in self._free if port not in ports)
        self._resting.extend((now + self._rest, port) for port in resting)

    def _wake(self, now: float) -> None:
        while self._resting and self._resting[0][0] <= now:
            self._free.append(self._resting.popleft()[1])

    def _open(self, port: int) -> PortPair | None:
        """The pair, or None where another program has one of the two."""
        opened: list[socket.socket] = []
        try:
            for number in (port, port + 1):
                opened.append(udp_socket((self._host, number), self._dscp, _RECEIVE_BUFFER_BYTES))
        except OSError as error:
            for sock in opened:
                sock.close()
            if error.errno == errno.EADDRINUSE:
                return None
            raise bind_error(error, (self._host, port), "media.ports", "SIPGW_MEDIA_PORTS") from None
        return PortPair(port, *opened)


def raise_descriptor_limit(wanted: int) -> int:
    """Raise the soft limit of open files to `wanted`, or as near as the hard limit lets us; returns what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted if soft == resource.RLIM_INFINITY else soft
    reachable = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
    return reachable
