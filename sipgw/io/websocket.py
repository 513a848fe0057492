"""SIP over WebSocket, for browsers (RFC 7118): one message each way is one SIP message. Only browsers connect."""

import asyncio
import contextlib
from collections.abc import Sequence

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.typing import Origin, Subprotocol

from sipgw.flow import Flow
from sipgw.io.certificates import Certificates
from sipgw.io.clock import Clock
from sipgw.io.sockets import bind_error, tcp_socket
from sipgw.io.tls import proven_names
from sipgw.io.user import User
from sipgw.options import ListenerOptions, StreamOptions
from sipgw.trace import Mark, Note, Trace

_LARGEST = 65_535
_BACKLOG = 128
_UNSENT = 256
"""Messages; a browser that does not read is cut off."""
_SIP = Subprotocol("sip")


class WebSockets:
    """One listener for `ws` or `wss`, and its connections.

    Args:
        listener: where.
        options: limits.
        certificates: of the listeners, open.
        user: gets what comes.
        trace: takes notes.
        clock: for the notes.
    """

    def __init__(
        self,
        listener: ListenerOptions,
        options: StreamOptions,
        certificates: Certificates,
        user: User,
        trace: Trace,
        clock: Clock,
    ) -> None:
        self._listener, self._options, self._certificates = listener, options, certificates
        self._user, self._trace, self._clock = user, trace, clock
        self._server: Server | None = None
        self._outboxes: dict[Flow, asyncio.Queue[bytes]] = {}

    def __len__(self) -> int:
        return len(self._outboxes)

    async def open(self) -> None:
        """Listen.

        Raises:
            Unavailable: the address cannot be had.
        """
        files = self._certificates.of(self._listener.transport, self._listener.local)
        try:
            sock = tcp_socket(self._listener.local, self._options.dscp, _BACKLOG)
        except OSError as error:
            raise bind_error(error, self._listener.local, "sip.port", "SIPGW_SIP_PORT") from None
        self._server = await serve(
            self._serve,
            sock=sock,
            ssl=files.server if files else None,
            subprotocols=[_SIP],
            origins=self._origins(),
            compression=None,
            max_size=_LARGEST,
            open_timeout=self._options.handshake_limit,
            ping_interval=self._options.keep_alive,
            ping_timeout=self._options.keep_alive,
            server_header=None,
        )

    def send(self, data: bytes, flow: Flow) -> None:
        """Send a message to a browser that is still there; else the flow is lost."""
        outbox = self._outboxes.get(flow)
        if outbox is None:
            asyncio.get_running_loop().call_soon(self._user.lost, flow)
            return
        try:
            outbox.put_nowait(data)
        except asyncio.QueueFull:
            self._note(Mark.DROP, "peer_does_not_read", flow)

    async def close(self) -> None:
        """Close the listener and its connections."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _origins(self) -> Sequence[Origin | None] | None:
        """Pages that may connect; programs send no Origin and may, where any may."""
        if "*" in self._listener.origins:
            return None
        return [*map(Origin, self._listener.origins), None]

    async def _serve(self, connection: ServerConnection) -> None:
        remote = connection.remote_address[:2]
        names = proven_names(connection.transport.get_extra_info("peercert"))
        flow = Flow(self._listener.transport, self._listener.local, (remote[0], remote[1]), names)
        if not self._user.welcome(flow):
            await self._turn_away(connection, flow)
            return
        if self._is_full(flow) and not self._user.spares(flow):
            self._note(Mark.DROP, "too_many_connections", flow)
            await connection.close(CloseCode.TRY_AGAIN_LATER, "too many connections")
            return
        outbox = self._outboxes[flow] = asyncio.Queue(_UNSENT)
        self._note(Mark.STATE, "connected", flow)
        writer = asyncio.create_task(self._write(connection, outbox))
        try:
            async for message in connection:
                self._user.receive(message.encode() if isinstance(message, str) else message, flow)
                if not self._user.welcome(flow):
                    await self._turn_away(connection, flow)
        except ConnectionClosed:
            pass  # that is how it ends, one way or another
        finally:
            del self._outboxes[flow]
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            self._note(Mark.STATE, "closed_by_peer", flow)
            self._user.lost(flow)

    def _is_full(self, flow: Flow) -> bool:
        """Whether there are as many connections as there may be, in all or of this source."""
        of_source = sum(one.remote[0] == flow.remote[0] for one in self._outboxes)
        return len(self) >= self._options.connections or of_source >= self._options.connections_per_source

    async def _turn_away(self, connection: ServerConnection, flow: Flow) -> None:
        self._note(Mark.DROP, "banned", flow)
        await connection.close(CloseCode.POLICY_VIOLATION)

    async def _write(self, connection: ServerConnection, outbox: "asyncio.Queue[bytes]") -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                data = await outbox.get()
                try:
                    await connection.send(data.decode())
                except UnicodeDecodeError:
                    await connection.send(data)

    def _note(self, mark: Mark, name: str, flow: Flow) -> None:
        self._trace(Note(self._clock.now(), "io", mark, name, detail=str(flow)))
