"""Serves the API inside the gateway's loop, with limits to everything a client may do."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from sipgw.flow import Endpoint
from sipgw.io.sockets import bind_error, tcp_socket
from sipgw.ops.api.stream import Streams

_CONNECTIONS = 100
_HEADER_BYTES = 16_384
_HEADER_LIMIT = 10.0
"""Seconds for the first request of a connection."""
_MESSAGE_BYTES = 4096
"""Of a WebSocket message to us; none is needed."""
_FAREWELL = 2
"""Seconds for open requests when the gateway stops."""
_WRITE_BYTES = 262_144
"""What may wait for a client in our buffers."""


class _Connection(H11Protocol):
    """One that has to begin to ask, and can be dropped while it is written to."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(_WRITE_BYTES)
        self.app_state = {**self.app_state, "abort": transport.abort}
        self._asked = self.loop.call_later(_HEADER_LIMIT, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._asked.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        cycle: object = self.cycle  # None until the first request, whatever its annotation says
        if cycle is None and self.transport.get_protocol() is self:
            self.transport.abort()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the gateway's."""
        yield


class ApiServer:
    """The server of one app.

    Args:
        app: what answers.
        streams: the clients to be let go when it closes.
    """

    def __init__(self, app: ASGIApp, streams: Streams) -> None:
        self._streams = streams
        config = uvicorn.Config(
            app,
            loop="none",
            http=_Connection,
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            h11_max_incomplete_event_size=_HEADER_BYTES,
            ws_max_size=_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=_FAREWELL,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None

    @property
    def address(self) -> Endpoint:
        """Where it is served."""
        assert self._socket is not None
        host, port = self._socket.getsockname()[:2]
        return host, port

    async def open(self, host: str, port: int) -> None:
        """Serve from now on.

        Raises:
            Unavailable: the address cannot be bound; PortTaken where another program has the port.
        """
        try:
            self._socket = tcp_socket((host, port), 0, _CONNECTIONS)
        except OSError as error:
            raise bind_error(error, (host, port), "api.port", "SIPGW_API_PORT") from None
        self._task = asyncio.create_task(self._server.serve([self._socket]))

    async def close(self) -> None:
        """Let all clients go."""
        if self._task is None:
            return
        self._streams.end()
        self._server.should_exit = True
        await self._task
        self._task = None
