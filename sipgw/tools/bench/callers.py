"""The callers' signalling: places all calls of a run from one SIP agent, at an even rate, and hangs them up."""

import asyncio
import secrets
from functools import partial

from sipgw.flow import Endpoint, Flow
from sipgw.io.driver import Driver
from sipgw.io.udp import UdpListener
from sipgw.options import RedirectOptions, SipOptions, SrtpPolicy
from sipgw.sdp.audio import LocalAudio
from sipgw.sdp.crypto import Keys
from sipgw.sdp.model import Sdp
from sipgw.sdp.offer import accept, offer
from sipgw.sip.agent import Agent
from sipgw.sip.events import Answered, HungUp, Lost, Refused, Released, SipEvent
from sipgw.tools.bench.echo import CALLER
from sipgw.tools.bench.plan import HOST

RATE = 40.0
"""Calls a second."""
_ANSWER_LIMIT = 15.0
_END_LIMIT = 5.0


class Callers:
    """Made inside a running loop.

    Args:
        gateway: where it speaks SIP.
        called: whom to call there.
        ports: the RTP port of each call.
        srtp: they insist on SRTP.
    """

    def __init__(self, gateway: Endpoint, called: str, ports: list[int], *, srtp: bool = False) -> None:
        self._listener = UdpListener.open((HOST, 0), self._send_failed)
        self._flow = self._listener.flow(gateway)
        self._uri = f"sip:{called}@{gateway[0]}:{gateway[1]}"
        options = SipOptions(user_agent="sipgw bench", node="bench", redirects=RedirectOptions(limit=0))
        self._agent = Agent(options, token=lambda: secrets.token_hex(8))
        self._driver: Driver[SipEvent] = Driver(self._agent, self._listener.send, self._on_event)
        policy: SrtpPolicy = "required" if srtp else "off"
        self._locals = [LocalAudio(HOST, port, ("PCMU",), dtmf=False, session_id=port, srtp=policy) for port in ports]
        self._offers = [offer(local) for local in self._locals]
        self._legs: dict[str, int] = {}
        self._settled = asyncio.Event()
        self._waiting = len(ports)
        self.destinations: list[Endpoint | None] = [None] * len(ports)
        """Where each call's RTP goes; None where it was not answered."""
        self.keys: list[Keys | None] = [None] * len(ports)
        """By which it is protected; None where it is plain."""
        self.ended = 0
        """Calls the gateway ended."""

    async def call(self) -> None:
        """Place them all; returns once each has been answered, refused, or waited for long enough."""
        self._listener.start(self._driver.receive)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for call, offered in enumerate(self._offers):
            await asyncio.sleep(began + call / RATE - loop.time())
            self._invite(call, bytes(offered))
        await _within(_ANSWER_LIMIT, self._settled)

    async def hang_up(self) -> None:
        """End those that are up, and wait for the answers."""
        self._settled.clear()
        self._waiting = len(self._legs)
        for leg in tuple(self._legs):
            self._driver.run(partial(self._agent.hang_up, leg))
        if self._waiting:
            await _within(_END_LIMIT, self._settled)
        self._driver.close()
        self._listener.close()

    def _invite(self, call: int, body: bytes) -> None:
        caller = f"<sip:{CALLER}{call}@{HOST}>"
        leg = self._driver.run(lambda now: self._agent.invite(self._uri, self._flow, body, now, from_=caller))
        self._legs[leg] = call

    def _on_event(self, event: SipEvent, now: float) -> None:
        match event:
            case Answered():
                call = self._legs[event.leg]
                answered = Sdp.parse(event.response.body)
                stream = accept(self._offers[call], answered, self._locals[call]).stream
                self.destinations[call], self.keys[call] = stream.remote, stream.srtp
                self._settle()
            case Refused() | Released():
                del self._legs[event.leg]
                self._settle()
            case HungUp() | Lost():
                self._legs.pop(event.leg, None)
                self.ended += 1

    def _settle(self) -> None:
        self._waiting -= 1
        if not self._waiting:
            self._settled.set()

    def _send_failed(self, name: str, flow: Flow) -> None:
        self._driver.run(lambda now: self._agent.transport_failed(flow, now))


async def _within(limit: float, event: asyncio.Event) -> None:
    """Wait for `event`; what has not come by then is counted by whoever looks."""
    _, pending = await asyncio.wait({task := asyncio.ensure_future(event.wait())}, timeout=limit)
    if pending:
        task.cancel()
