"""The engine's sockets: all in one epoll, drained at each 5 ms sub-tick, and written to in the same turn.

asyncio's datagram transports are not used: they read into 256 KiB and cost twenty times as much a packet.
"""

import select
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from errno import errorcode

from sipgw.errors import Unavailable
from sipgw.flow import Endpoint
from sipgw.media import plane
from sipgw.media.batch import Engine, EngineEvent, Receive
from sipgw.rtp.packet import Data

_LARGEST = 2048
_ROUNDS = 16
"""Datagrams read from one socket in a sub-tick, at most: a flood waits in the kernel and costs no other call."""
_EVENTS = 1024

_Send = Callable[[Data, Endpoint], int]
_Receive = Callable[[int], tuple[bytes, Endpoint]]


def _raise(session: str, error: Exception) -> None:
    raise error


@dataclass(frozen=True, slots=True)
class _Port:
    """The sockets of one session."""

    slot: int
    rtp: socket.socket
    rtcp: socket.socket


class MediaIo:
    """Moves datagrams between the sockets of all sessions and the engine.

    Args:
        engine: has the sessions.
        on_audio: takes what a session's AI is to hear.
        on_event: takes what the engine has to tell.
        on_defect: takes the session whose datagram met a defect of ours, and what was raised: it may cost that session
            and no other.
    """

    __slots__ = (
        "_engine", "_epoll", "_on_audio", "_on_defect", "_on_event", "_ports", "_readers", "_rtcp_senders", "_senders",
        "failures",
    )  # fmt: skip

    def __init__(
        self,
        engine: Engine,
        on_audio: Callable[[str, bytes], None],
        on_event: Callable[[EngineEvent], None],
        on_defect: Callable[[str, Exception], None] = _raise,
    ) -> None:
        self._engine, self._on_audio, self._on_event, self._on_defect = engine, on_audio, on_event, on_defect
        self._epoll = select.epoll()
        self._ports: dict[str, _Port] = {}
        self._senders: dict[int, _Send] = {}
        self._rtcp_senders: dict[int, _Send] = {}
        self._readers: dict[int, tuple[_Receive, Receive, str]] = {}
        self.failures: Counter[str] = Counter()
        """Failed system calls, by direction and the error's name."""

    # --- sessions -----------------------------------------------------------------------------------------------

    def open(self, command: plane.CreateSession, descriptors: tuple[int, int], now: float) -> None:
        """Create a session on its RTP and RTCP sockets, which are closed in any case, here or with the session.

        Raises:
            Unavailable: a descriptor is no UDP socket, or all slots are taken.
            UsageError: see `Engine.create`.
        """
        rtp, rtcp = _adopt(descriptors)
        try:
            slot = self._engine.create(command, now)
        except BaseException:
            rtp.close()
            rtcp.close()
            raise
        port = self._ports[command.session] = _Port(slot, rtp, rtcp)
        self._senders[slot], self._rtcp_senders[slot] = rtp.sendto, rtcp.sendto
        for endpoint, take in zip((port.rtp, port.rtcp), self._engine.receivers(slot), strict=True):
            self._readers[endpoint.fileno()] = endpoint.recvfrom, take, command.session
            self._epoll.register(endpoint.fileno(), select.EPOLLIN)

    def descriptors(self, session: str) -> tuple[int, int]:
        """The RTP and RTCP sockets of a session."""
        port = self._ports[session]
        return port.rtp.fileno(), port.rtcp.fileno()

    def close(self, session: str, now: float) -> plane.StreamStats:
        """End a session: an RTCP BYE leaves, its sockets close."""
        stats = self._engine.destroy(session, now)
        self._send_rtcp()
        port = self._ports.pop(session)
        del self._senders[port.slot], self._rtcp_senders[port.slot]
        for endpoint in (port.rtp, port.rtcp):
            # Before the close: another process's copy of the descriptor would keep a closed one firing for ever.
            self._epoll.unregister(endpoint.fileno())
            del self._readers[endpoint.fileno()]
            endpoint.close()
        return stats

    def shut(self, now: float) -> None:
        """End all sessions and close the epoll."""
        for session in tuple(self._ports):
            self.close(session, now)
        self._epoll.close()

    # --- every 5 ms ---------------------------------------------------------------------------------------------

    def serve(self, number: int, now: float, missed: int = 0) -> None:
        """One sub-tick: send what is due, receive what came, hand on audio and events. Takes a `Ticker`'s call.

        Sending comes first, to be on time. After a stall it is late anyway and comes last: what an echo or another
        caller is to say now may lie in the sockets.
        """
        engine = self._engine
        if not missed:
            self._send(number, now, 0)
        self._drain(now)
        engine.handle_timers(now)
        for session, audio in engine.decode(now):
            self._on_audio(session, audio)
        if missed:
            self._send(number, now, missed)
        self._send_rtcp()
        for event in engine.events():
            self._on_event(event)

    def _send(self, number: int, now: float, missed: int) -> None:
        senders = self._senders
        for slot, datagram, destination in self._engine.tick(number, now, missed):
            try:
                senders[slot](datagram, destination)
            except OSError as error:
                self._failed("send", error)

    def _send_rtcp(self) -> None:
        for slot, datagram, destination in self._engine.rtcp_to_send():
            try:
                self._rtcp_senders[slot](datagram, destination)
            except OSError as error:
                self._failed("send", error)

    def _drain(self, now: float) -> None:
        """Read one datagram of every socket that has some, until none has."""
        readers = self._readers
        for _ in range(_ROUNDS):
            ready = self._epoll.poll(0, _EVENTS)
            if not ready:
                return
            for descriptor, _ in ready:
                receive, take, session = readers[descriptor]
                try:
                    data, source = receive(_LARGEST)
                except OSError as error:
                    self._failed("receive", error)
                    continue
                try:
                    take(data, source[:2], now)  # of IPv6 there would be two more
                except Exception as error:  # noqa: BLE001 - whatever it is
                    self._on_defect(session, error)

    def _failed(self, direction: str, error: OSError) -> None:
        """One peer's unreachable port must not cost another's packet."""
        self.failures[f"{direction}_{errorcode.get(error.errno or 0, 'EUNKNOWN')}"] += 1


def _adopt(descriptors: tuple[int, int]) -> tuple[socket.socket, socket.socket]:
    """The sockets behind two descriptors, which are ours from now on; both are closed if either is no good."""
    adopted: list[socket.socket] = []
    try:
        for descriptor in descriptors:
            endpoint = socket.socket(fileno=descriptor)
            adopted.append(endpoint)
            endpoint.setblocking(False)
    except OSError as error:
        for endpoint in adopted:
            endpoint.close()
        raise Unavailable(f"no socket: {error}") from error
    return adopted[0], adopted[1]
