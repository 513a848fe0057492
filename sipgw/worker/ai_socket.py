"""The WebSocket client shell under a dialect: connects, carries messages, and says how it ended.

One task a socket, which lives as long as the connection. A slow backend costs the caller's oldest audio, never a
control message; a backend that takes nothing at all for `ping_timeout` is given up.
"""

import asyncio
import logging
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from sipgw.ai.dialect import Connect
from sipgw.ai.events import Failed
from sipgw.io.trust import trust
from sipgw.options import BackendOptions
from sipgw.worker.ai_connect import dial, failure_of

MAX_MESSAGE_BYTES = 48 << 20
"""Ten minutes of PCM16 at 24 kHz in base64, in one message, still fit."""
BACKLOG_MESSAGES = 50
"""Caller audio kept for a backend that reads too slowly: a second of it; older audio is of no use to a recogniser."""
CLOSE_TIMEOUT = 1.0
"""Seconds the closing handshake may take."""

_TEXT, _BINARY = _MESSAGES = WSMsgType.TEXT, WSMsgType.BINARY
"""What every message is compared with: looking a member up in its class takes longer (Python 3.11)."""

QUIET = logging.Logger("sipgw.picows", logging.CRITICAL + 1)
"""The library's own log; everything it would say comes to the handler as a named failure."""


class Handler(Protocol):
    """Takes what a socket has to say. After `AiSocket.close` nothing more comes."""

    def opened(self) -> None:
        """The socket is open."""

    def message(self, message: str | bytes) -> None:
        """A text or binary message, joined if it came in fragments."""

    def failed(self, failure: Failed) -> None:
        """The socket could not be opened."""

    def lost(self, code: int, reason: str) -> None:
        """The open socket closed (RFC 6455 close code; 1006 without one)."""

    def dropped(self, reason: str) -> None:
        """A message was dropped."""


class AiSocket(WSListener):
    """One connection. `start` opens it; `close` ends it at any time; `wait_closed` returns once nothing is left."""

    def __init__(self, connect: Connect, options: BackendOptions, handler: Handler) -> None:
        self._connect = connect
        self._options = options
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._raw: socket.socket | None = None
        self._transport: WSTransport | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._fragments: list[bytes] = []
        self._fragments_text = False
        self._queue: deque[tuple[str | bytes, bool]] = deque()
        self._queued_audio = 0
        self._paused = False
        self._stall: asyncio.TimerHandle | None = None
        self._closing = False
        self._verdict: tuple[int, str] | None = None

    # --- opening ----------------------------------------------------------------------------------------------

    def start(self, gone: Callable[["AiSocket"], None] | None = None) -> None:
        """Open the connection; `opened` or `failed` follows. `gone` is called when nothing of it is left."""
        self._task = self._loop.create_task(self._run())
        if gone is not None:
            self._task.add_done_callback(lambda _: gone(self))

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(self._options.connect_timeout):
                transport = await self._open()
        except asyncio.CancelledError:
            self._cut()
        except Exception as error:  # noqa: BLE001 - whatever keeps a socket from opening is a failure of this backend
            self._cut()
            if not self._closing:
                self._handler.failed(failure_of(error))
        else:
            await self._until_lost(transport)

    async def _open(self) -> WSTransport:
        url = urlsplit(self._connect.url)
        if url.scheme not in ("ws", "wss") or not url.hostname:
            raise ValueError(f"not a WebSocket URL: {self._connect.url!r}")
        options = self._options
        # A line break in a value would be a header of the caller's making.
        headers = {name: " ".join(value.split()) for name, value in self._connect.headers.items()}
        if self._connect.subprotocols:
            headers["Sec-WebSocket-Protocol"] = ", ".join(self._connect.subprotocols)
        transport, listener = await ws_connect(
            lambda: self,
            self._connect.url,
            ssl_context=trust(options.ca_file) if url.scheme == "wss" else None,
            websocket_handshake_timeout=options.connect_timeout,
            logger_name=QUIET,
            enable_auto_ping=options.ping_interval > 0,
            auto_ping_idle_timeout=options.ping_interval,
            auto_ping_reply_timeout=min(options.ping_timeout, options.ping_interval),
            max_frame_size=MAX_MESSAGE_BYTES,
            extra_headers=headers,
            # Another host must not be handed our credentials.
            max_redirects=0,
            socket_factory=self._dial,
        )
        if listener is None:
            raise ConnectionResetError("closed during the handshake")
        return transport

    async def _dial(self, url: object) -> socket.socket:
        return await dial(self._connect.url, self._options.connect_timeout, self._keep_raw)

    def _keep_raw(self, raw: socket.socket) -> None:
        self._raw = raw

    def _cut(self) -> None:
        """End what is half open: the transport sees the end of the stream and closes itself."""
        if self._raw is not None and self._raw.fileno() >= 0:
            try:
                self._raw.shutdown(socket.SHUT_RDWR)
            except OSError:
                # Never connected: then there is no transport that would close it.
                self._raw.close()

    async def _until_lost(self, transport: WSTransport) -> None:
        reason = ""
        try:
            await transport.wait_disconnected()
        except asyncio.CancelledError:
            transport.disconnect(graceful=False)
        except Exception as error:  # noqa: BLE001 - the library's word for why it closed
            reason = str(error)
        for timer in self._timers:
            timer.cancel()
        if self._stall is not None:
            self._stall.cancel()
        if not self._closing:
            self._closing = True
            self._handler.lost(*self._ending(transport, reason))

    def _ending(self, transport: WSTransport, reason: str) -> tuple[int, str]:
        if self._verdict is not None:
            return self._verdict
        handshake = cast("Any", transport.close_handshake)
        if handshake is None:
            return 1006, reason
        if handshake.recv is not None:
            return handshake.recv.code.value or 1005, handshake.recv.reason
        if handshake.sent is not None and handshake.sent.code != WSCloseCode.GOING_AWAY:
            return handshake.sent.code.value, handshake.sent.reason
        # The library closes with "going away" when its ping stays unanswered.
        return 1006, handshake.sent.reason if handshake.sent is not None else reason

    # --- receiving --------------------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._transport = transport
        if self._closing:
            transport.disconnect(graceful=False)
        else:
            self._handler.opened()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame came."""
        kind = frame.msg_type
        if kind == _BINARY and frame.fin:
            if not self._closing:
                self._handler.message(frame.get_payload_as_bytes())
        elif kind in _MESSAGES:
            if frame.fin:
                self._deliver(frame.get_payload_as_bytes(), kind == _TEXT)
            else:
                self._fragments, self._fragments_text = [frame.get_payload_as_bytes()], kind == _TEXT
        elif kind == WSMsgType.CONTINUATION:
            self._continue(frame)
        elif kind == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
            self._abort_later()

    def _continue(self, frame: WSFrame) -> None:
        self._fragments.append(frame.get_payload_as_bytes())
        if sum(map(len, self._fragments)) > MAX_MESSAGE_BYTES:
            self._give_up(WSCloseCode.MESSAGE_TOO_BIG, "message too big")
        elif frame.fin:
            joined, self._fragments = b"".join(self._fragments), []
            self._deliver(joined, self._fragments_text)

    def _deliver(self, payload: bytes, text: bool) -> None:
        if self._closing:
            return
        if not text:
            self._handler.message(payload)
            return
        try:
            message = payload.decode()
        except UnicodeDecodeError:
            self._give_up(WSCloseCode.INVALID_TEXT, "text is not UTF-8")
            return
        self._handler.message(message)

    # --- sending ----------------------------------------------------------------------------------------------

    def send(self, message: str | bytes) -> None:
        """Send a control message: never dropped, in order with the audio before it."""
        self._send(message, droppable=False)

    def send_audio(self, message: str | bytes) -> None:
        """Send caller audio: the oldest is dropped where the backend does not keep up."""
        transport = self._transport
        if transport is None or self._paused or self._closing:
            self._send(message, droppable=True)
        else:
            transport.send(_BINARY if type(message) is bytes else _TEXT, message)

    def _send(self, message: str | bytes, droppable: bool) -> None:
        transport = self._transport
        if transport is None or self._closing or transport.is_close_frame_sent:
            return
        if self._paused:
            self._keep(message, droppable)
        else:
            transport.send(_TEXT if isinstance(message, str) else _BINARY, message)

    def _keep(self, message: str | bytes, droppable: bool) -> None:
        self._queue.append((message, droppable))
        self._queued_audio += droppable
        if self._queued_audio <= BACKLOG_MESSAGES:
            return
        oldest = next(index for index, (_, audio) in enumerate(self._queue) if audio)
        del self._queue[oldest]
        self._queued_audio -= 1
        self._handler.dropped("ai_backlog")

    def pause_writing(self) -> None:
        """The backend does not keep up."""
        self._paused = True
        if self._stall is None:
            self._stall = self._loop.call_later(
                max(self._options.ping_timeout, 1.0), self._give_up, WSCloseCode.POLICY_VIOLATION, "reads too slowly"
            )

    def resume_writing(self) -> None:
        """The backend has caught up with what was written: on with what was kept."""
        self._paused = False
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        while self._queue and not self._paused:
            message, droppable = self._queue.popleft()
            self._queued_audio -= droppable
            self._send(message, droppable)

    # --- closing ----------------------------------------------------------------------------------------------

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection: with the closing handshake where it is open, at once where it is not."""
        if self._closing:
            return
        self._closing = True
        if self._transport is None:
            if self._task is not None:
                self._task.cancel()
        elif not self._transport.is_disconnected:
            self._transport.send_close(WSCloseCode(code), _fitting(reason))
            self._abort_later()

    async def wait_closed(self) -> None:
        """Return once the connection is gone."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def _give_up(self, code: WSCloseCode, reason: str) -> None:
        if self._transport is None or self._verdict is not None:
            return
        self._verdict = code.value, reason
        self._transport.send_close(code, reason)
        self._transport.disconnect()
        self._abort_later()

    def _abort_later(self) -> None:
        """A peer that neither answers nor reads must not hold the socket."""
        if self._transport is not None:
            self._timers.append(self._loop.call_later(CLOSE_TIMEOUT, self._transport.disconnect, False))


def _fitting(reason: str) -> str:
    """A close frame has room for 123 bytes of reason (RFC 6455 section 5.5)."""
    return reason.encode()[:123].decode(errors="ignore")
