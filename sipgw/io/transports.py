"""All of SIP's ways in and out, behind one `send`: a flow says which listener and which peer."""

import asyncio
from collections.abc import Callable

from sipgw.flow import Endpoint, Flow
from sipgw.io.certificates import Certificates
from sipgw.io.clock import Clock, MonotonicClock
from sipgw.io.stream import Framer
from sipgw.io.streams import Streams
from sipgw.io.udp import UdpListener
from sipgw.io.user import User
from sipgw.io.websocket import WebSockets
from sipgw.options import SipOptions
from sipgw.trace import Trace, silent


class Transports:
    """The listeners of one agent.

    Args:
        options: where to listen.
        framer: makes what cuts one stream into messages; takes whether we opened it.
        user: gets what comes.
        trace: takes notes.
        clock: for the notes.
    """

    def __init__(
        self,
        options: SipOptions,
        framer: Callable[[bool], Framer],
        user: User,
        *,
        trace: Trace = silent,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or MonotonicClock()
        self._options, self._user = options, user
        self._datagrams: dict[Endpoint, UdpListener] = {}
        streamed = tuple(one for one in options.listeners if one.transport in ("tcp", "tls"))
        certificates = self._certificates = Certificates(options.listeners, trace, clock)
        self._streams = Streams(streamed, options.streams, certificates, framer, user, trace, clock)
        self._sockets = {
            one.local: WebSockets(one, options.streams, certificates, user, trace, clock)
            for one in options.listeners
            if one.transport in ("ws", "wss")
        }

    async def open(self) -> None:
        """Bind every listener and begin to take what comes.

        Raises:
            Unavailable: an address or a certificate cannot be had; PortTaken where another program has the port.
        """
        self._certificates.open()
        for one in self._options.listeners:
            if one.transport == "udp":
                self._datagrams[one.local] = UdpListener.open(one.local, self._user.refused, dscp=self._options.dscp)
        await self._streams.open()
        for sockets in self._sockets.values():
            await sockets.open()
        for listener in self._datagrams.values():
            listener.start(self._user.receive)

    def send(self, data: bytes, flow: Flow) -> None:
        """Send a message. What cannot be sent is told to the user, in a later turn of the loop, never raised."""
        match flow.transport:
            case "udp" if listener := self._datagrams.get(flow.local):
                listener.send(data, flow)
            case "tcp" | "tls":
                self._streams.send(data, flow)
            case "ws" | "wss" if sockets := self._sockets.get(flow.local):
                sockets.send(data, flow)
            case _:  # a dialog that was taken over from a run with other listeners
                asyncio.get_running_loop().call_soon(self._user.lost, flow)

    def reload_certificates(self) -> None:
        """Take certificates whose files have changed now, instead of some seconds later."""
        self._certificates.reload()

    async def close(self) -> None:
        """Stop listening and close every connection."""
        self._certificates.close()
        for listener in self._datagrams.values():
            listener.close()
        for sockets in self._sockets.values():
            await sockets.close()
        await self._streams.close()
