"""The SIP agent with its transports: what comes is given to it, what it says is sent."""

from collections.abc import Callable
from functools import partial

from sipgw.flow import Flow
from sipgw.io.clock import Clock
from sipgw.io.driver import Driver
from sipgw.io.transports import Transports
from sipgw.io.udp import PASSING
from sipgw.options import SipOptions
from sipgw.sip.agent import Agent
from sipgw.sip.events import SipEvent
from sipgw.sip.framing import StreamFramer
from sipgw.trace import Trace


class Signalling:
    """One agent on the wire. Make it inside a running loop.

    Args:
        options: where to listen.
        agent: whom to serve.
        on_event: takes the agent's events.
        refused: takes the name of the error where the system would not send a datagram.
        clock: where `now` comes from.
        before_send: called each time before something is sent.
        trace: takes notes.
    """

    def __init__(
        self,
        options: SipOptions,
        agent: Agent,
        on_event: Callable[[SipEvent, float], None],
        refused: Callable[[str], None],
        *,
        clock: Clock,
        before_send: Callable[[], None],
        trace: Trace,
    ) -> None:
        self._agent, self._refused, self._clock = agent, refused, clock
        self._transports = Transports(options, _framer, self, trace=trace, clock=clock)
        self.driver: Driver[SipEvent] = Driver(
            agent, self._transports.send, on_event, clock=clock, before_send=before_send, trace=trace
        )
        self.listeners = tuple(Flow(one.transport, one.local, one.local) for one in options.listeners)
        """Every place where SIP is spoken, as flows from itself to itself."""

    async def open(self) -> None:
        """Listen. Raises Unavailable (PortTaken) where an address or a certificate cannot be had."""
        await self._transports.open()

    async def close(self) -> None:
        """Stop the timer and close everything."""
        self.driver.close()
        await self._transports.close()

    def reload_certificates(self) -> None:
        """Take certificates whose files have changed."""
        self._transports.reload_certificates()

    # --- what the transports say ------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Flow) -> None:
        """A message came."""
        self.driver.receive(data, source)

    def broke(self, error: Exception, flow: Flow) -> None:
        """A stream cannot be read on."""
        self.driver.run(partial(self._agent.stream_broke, error, flow))

    def lost(self, flow: Flow) -> None:
        """A connection is over."""
        self.driver.run(partial(self._agent.flow_lost, flow))

    def welcome(self, flow: Flow) -> bool:
        """Whether who is at the other end of a connection may have one."""
        return not self._agent.bans.bars(flow.remote[0], reliable=True, now=self._clock.now())

    def spares(self, flow: Flow) -> bool:
        """Whether the limits of connections are not for it."""
        return self._agent.spares(flow)

    def refused(self, name: str, flow: Flow) -> None:
        """A datagram did not leave."""
        self._refused(name)
        # One that passes is a datagram lost on the way: timers repeat it. Failing the flow would end what all its
        # calls are in the middle of, BYEs included.
        if name not in PASSING:
            self.driver.run(partial(self._agent.transport_failed, flow))


def _framer(opened_by_us: bool) -> StreamFramer:
    return StreamFramer(opened_by_us=opened_by_us)
