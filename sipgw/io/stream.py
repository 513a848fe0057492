"""One SIP connection over TCP or TLS: cut into messages, kept alive, and cut off where the peer is not well-behaved.

A peer that feeds a message in drops, keeps silent for long, or does not read what it is sent costs a connection and a
timer, and those are limited.
"""

import asyncio
import socket
import ssl
from typing import Protocol, cast

from sipgw.flow import Endpoint, Flow
from sipgw.io.sockets import mark
from sipgw.io.tls import proven_names, proves
from sipgw.options import StreamOptions

_PING, _PONG = b"\r\n\r\n", b"\r\n"
"""Keep-alives (RFC 5626 section 3.5.1)."""
_CHECK = 1.0
"""Seconds between looks at the clock."""


class Framer(Protocol):
    """Cuts a byte stream into messages and keep-alives."""

    @property
    def broken(self) -> Exception | None:
        """Why nothing more can be read."""

    @property
    def pending(self) -> bool:
        """Whether a message has begun and is not complete."""

    def feed(self, data: bytes) -> list[bytes]:
        """What `data` completes. Raises what `broken` then holds."""


class Hub(Protocol):
    """Whoever keeps the connections."""

    def opened(self, stream: "Stream") -> str:
        """A connection is up; why it may not stay, short and snake_case, or nothing."""

    def welcome(self, stream: "Stream") -> bool:
        """Whether it may still stay."""

    def received(self, data: bytes, flow: Flow) -> None:
        """A whole message came."""

    def broke(self, error: Exception, flow: Flow) -> None:
        """What came cannot be read any further; what this sends is the last that leaves."""

    def closed(self, stream: "Stream", reason: str) -> None:
        """A connection is over. `reason` is short and snake_case."""


class Stream(asyncio.Protocol):
    """One connection.

    Args:
        hub: keeps it.
        transport_name: `tcp` or `tls`.
        local: the listener it belongs to.
        framer: for this connection alone.
        options: patience.
        flow: where it goes, on a connection of ours; None on the peer's.
    """

    def __init__(
        self, hub: Hub, transport_name: str, local: Endpoint, framer: Framer, options: StreamOptions,
        flow: Flow | None = None,
    ) -> None:  # fmt: skip
        self._hub, self._framer, self._options = hub, framer, options
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self.ours = flow is not None
        """We opened it."""
        self.flow = flow or Flow(transport_name, local, ("", 0))
        self._waiting: list[bytes] = []
        self._why = ""
        self._heard = self._begun = self._loop.time()
        self._pinged = self._heard
        """When we last asked whether the peer is there."""
        self._waits = self._answers = False
        """For an answer to that; and whether the peer ever gave one: not all do."""
        self._timer: asyncio.TimerHandle | None = None

    # --- what the transport says ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is up."""
        # By what it does: uvloop's is no subclass of asyncio's.
        transport = cast(asyncio.Transport, transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=self._options.backlog_bytes)
        if raw := transport.get_extra_info("socket"):
            mark(raw, self._options.dscp)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._heard = self._loop.time()
        names = proven_names(transport.get_extra_info("peercert"))
        if not self.ours:
            peer = transport.get_extra_info("peername")
            self.flow = Flow(self.flow.transport, self.flow.local, (peer[0], peer[1]), names)
        elif self.flow.transport == "tls" and not proves(names, self._wanted_name):
            self.cut("wrong_certificate")
            return
        if objection := self._hub.opened(self):
            self.cut(objection)
            return
        for data in self._waiting:
            transport.write(data)
        self._waiting.clear()
        self._timer = self._loop.call_later(_CHECK, self._look)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        self._heard = self._loop.time()
        if not self._framer.pending:
            self._begun = self._heard
        try:
            messages = self._framer.feed(data)
        except Exception as error:  # noqa: BLE001 whatever it is, this stream is not to be understood any more
            self._break(error)
            return
        for message in messages:
            self._take(message)
        if messages:
            self._begun = self._heard
        if (broken := self._framer.broken) is not None:
            self._break(broken)

    def eof_received(self) -> bool:
        """The peer sends nothing more; then neither do we."""
        return False

    def pause_writing(self) -> None:
        """It does not read what we send."""
        self.cut("peer_does_not_read")

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        why = "tls_failed" if isinstance(exc, ssl.SSLError) else "connection_reset" if exc else "closed_by_peer"
        self._hub.closed(self, self._why or why)

    @property
    def _wanted_name(self) -> str:
        return self.flow.names[0] if self.flow.names else self.flow.remote[0]

    # --- orders -----------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send a message; before the connection is up it waits."""
        if self._transport is None:
            self._waiting.append(data)
        elif not self._transport.is_closing():
            self._transport.write(data)

    def close(self, reason: str) -> None:
        """End it once everything is sent."""
        self._why = self._why or reason
        if self._transport is not None:
            self._transport.close()

    def cut(self, reason: str) -> None:
        """End it at once."""
        self._why = self._why or reason
        if self._transport is not None:
            self._transport.abort()

    # --- keeping watch ----------------------------------------------------------------------------------------

    def _take(self, message: bytes) -> None:
        if message == _PING:
            self.send(_PONG)
        elif message == _PONG:
            self._waits, self._answers = False, True
        else:
            self._hub.received(message, self.flow)

    def _break(self, error: Exception) -> None:
        if self._why:
            return
        self._hub.broke(error, self.flow)
        self.close("not_sip")

    def _look(self) -> None:
        now, options = self._loop.time(), self._options
        self._timer = self._loop.call_later(_CHECK, self._look)
        if not self._hub.welcome(self):
            self.cut("banned")
        elif self._framer.pending and now - self._begun > options.message_limit:
            self.cut("message_too_slow")
        elif self._waits and self._answers and now - self._pinged > options.pong_limit:
            self.cut("no_pong")
        elif now - self._heard > options.idle_limit:
            self.close("idle")
        elif self.ours and now - max(self._heard, self._pinged) > options.keep_alive:
            self._pinged, self._waits = now, True
            self.send(_PING)
