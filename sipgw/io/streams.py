"""SIP over TCP and TLS: listeners, the connections made to them, and those we make (RFC 3261 section 18).

A message goes out on the connection of its flow; where there is none, one is made for it from the flow's listener's
address. So what a dialog is told comes back on the connection its peer opened, and one of ours is used again.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable

from sipgw.errors import Unavailable
from sipgw.flow import Flow
from sipgw.io.certificates import Certificates
from sipgw.io.clock import Clock
from sipgw.io.sockets import bind_error, tcp_socket
from sipgw.io.stream import Framer, Stream
from sipgw.io.user import User
from sipgw.options import ListenerOptions, StreamOptions
from sipgw.trace import Mark, Note, Trace

_BACKLOG = 512


class Streams:
    """All TCP and TLS connections.

    Args:
        listeners: those for `tcp` and `tls`.
        options: limits.
        certificates: of the listeners, open.
        framer: makes what cuts one connection into messages; takes whether we opened it.
        user: gets what comes.
        trace: takes notes.
        clock: for the notes.
    """

    def __init__(
        self,
        listeners: tuple[ListenerOptions, ...],
        options: StreamOptions,
        certificates: Certificates,
        framer: Callable[[bool], Framer],
        user: User,
        trace: Trace,
        clock: Clock,
    ) -> None:
        self._listeners, self._options, self._framer = listeners, options, framer
        self._certificates = certificates
        self._user = user
        self._trace, self._clock = trace, clock
        self._loop = asyncio.get_running_loop()
        self._servers: list[asyncio.Server] = []
        self._streams: dict[Flow, Stream] = {}
        self._sources: Counter[str] = Counter()
        self._attempts: set[asyncio.Task[None]] = set()
        self._closing = False

    def __len__(self) -> int:
        return len(self._streams)

    async def open(self) -> None:
        """Listen.

        Raises:
            Unavailable: an address cannot be had; PortTaken where another program has the port.
        """
        for listener in self._listeners:
            await self._listen(listener)

    async def _listen(self, listener: ListenerOptions) -> None:
        files = self._certificates.of(listener.transport, listener.local)
        context = files.server if files else None
        try:
            sock = tcp_socket(listener.local, self._options.dscp, _BACKLOG)
        except OSError as error:
            raise bind_error(error, listener.local, "sip.port", "SIPGW_SIP_PORT") from None

        def accept() -> Stream:
            return Stream(self, listener.transport, listener.local, self._framer(False), self._options)

        limit = self._options.handshake_limit if context else None
        server = await self._loop.create_server(accept, sock=sock, ssl=context, ssl_handshake_timeout=limit)
        self._servers.append(server)

    def send(self, data: bytes, flow: Flow) -> None:
        """Send a message on the connection of `flow`, or on one that is made for it."""
        stream = self._streams.get(flow)
        if stream is None:
            stream = self._connect(flow)
        stream.send(data)

    async def close(self) -> None:
        """Close all listeners and connections."""
        self._closing = True
        for server in self._servers:
            server.close()
        for task in self._attempts:
            task.cancel()
        await asyncio.gather(*self._attempts, return_exceptions=True)
        for stream in tuple(self._streams.values()):
            stream.close("shutdown")
        await asyncio.sleep(0)
        for stream in tuple(self._streams.values()):
            stream.cut("shutdown")
        for server in self._servers:
            await server.wait_closed()

    # --- what connections say ---------------------------------------------------------------------------------

    def opened(self, stream: Stream) -> str:
        """A connection is up; why it may not stay, or nothing."""
        if self._closing:
            return "shutdown"
        if stream.ours:
            return ""
        if not self._user.welcome(stream.flow):
            return "banned"
        if self._is_full(stream.flow) and not self._user.spares(stream.flow):
            return "too_many_connections"
        self._sources[stream.flow.remote[0]] += 1
        self._streams[stream.flow] = stream
        self._note(Mark.STATE, "connected", stream.flow)
        return ""

    def welcome(self, stream: Stream) -> bool:
        """Whether it may still stay: one of ours, or of somebody who was not banned meanwhile."""
        return stream.ours or self._user.welcome(stream.flow)

    def received(self, data: bytes, flow: Flow) -> None:
        """A message came."""
        self._user.receive(data, flow)

    def broke(self, error: Exception, flow: Flow) -> None:
        """A stream cannot be read on."""
        self._user.broke(error, flow)

    def closed(self, stream: Stream, reason: str) -> None:
        """A connection is over."""
        self._note(Mark.DROP if reason in _FAULTS else Mark.STATE, reason, stream.flow)
        if self._streams.get(stream.flow) is not stream:
            return
        del self._streams[stream.flow]
        if not stream.ours:
            host = stream.flow.remote[0]
            self._sources[host] -= 1
            if not self._sources[host]:
                del self._sources[host]
        if not self._closing:
            self._user.lost(stream.flow)

    def _is_full(self, flow: Flow) -> bool:
        """Whether there are as many connections as there may be, in all or of this source."""
        of_source = self._sources.get(flow.remote[0], 0)
        return len(self._streams) >= self._options.connections or of_source >= self._options.connections_per_source

    # --- connections of ours ----------------------------------------------------------------------------------

    def _connect(self, flow: Flow) -> Stream:
        stream = Stream(self, flow.transport, flow.local, self._framer(True), self._options, flow)
        self._streams[flow] = stream
        task = self._loop.create_task(self._attempt(stream))
        self._attempts.add(task)
        task.add_done_callback(self._attempts.discard)
        return stream

    async def _attempt(self, stream: Stream) -> None:
        flow = stream.flow
        files = self._certificates.of(flow.transport, flow.local)
        try:
            if flow.transport == "tls" and files is None:
                raise Unavailable("there is no tls listener to call from")
            await asyncio.wait_for(
                self._loop.create_connection(
                    lambda: stream, *flow.remote,
                    local_addr=(flow.local[0], 0),
                    ssl=files.client if files else None,
                    server_hostname=(flow.names[0] if flow.names else flow.remote[0]) if files else None,
                ),
                self._options.handshake_limit,
            )  # fmt: skip
        except (OSError, TimeoutError, Unavailable) as error:
            self.closed(stream, "tls_failed" if isinstance(error, ssl.SSLError) else "not_connected")
            self._note(Mark.DROP, "connect_failed", flow, str(error) or type(error).__name__)

    def _note(self, mark: Mark, name: str, flow: Flow, detail: str = "") -> None:
        self._trace(Note(self._clock.now(), "io", mark, name, detail=f"{flow} {detail}".strip()))


_FAULTS = frozenset(
    {
        "too_many_connections", "banned", "message_too_slow", "no_pong", "peer_does_not_read", "not_sip", "tls_failed",
        "wrong_certificate", "not_connected",
    }
)  # fmt: skip
"""Ends that are drops: whoever was at the other side did not get what they wanted."""
