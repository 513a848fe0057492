"""A phone that is called: answers as told, sends every RTP packet back, and can hang up."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable

from sipgw.flow import Flow
from sipgw.io.driver import Driver
from sipgw.io.udp import UdpListener
from sipgw.options import SipOptions
from sipgw.sdp.audio import LocalAudio
from sipgw.sdp.model import Sdp
from sipgw.sdp.offer import answer
from sipgw.sip.agent import Agent
from sipgw.sip.events import Invited, SipEvent
from sipgw.sip.leg import Extra
from sipgw.sip.message import Request

HOST = "127.0.0.1"


class Callee:
    """Answers every call with 180 and 200, unless `status` is another; with `early` it sends that packet before.

    `headers` are those of a refusal.
    """

    def __init__(
        self,
        status: int = 200,
        codecs: tuple[str, ...] = ("PCMU", "PCMA"),
        back: bool = True,
        early: bytes | None = None,
        headers: Extra = (),
    ) -> None:
        self.early = early
        self.status = status
        self.headers = headers
        self.codecs = codecs
        self.back = back
        self.events: list[SipEvent] = []
        self.rtp: list[bytes] = []
        self.leg = ""
        self.request: Request | None = None
        """The latest INVITE."""
        self._signalling = UdpListener.open((HOST, 0))
        self._media = UdpListener.open((HOST, 0))
        words = (f"callee{number}" for number in itertools.count())
        self.agent = Agent(SipOptions(), token=lambda: next(words))
        self.driver: Driver[SipEvent] = Driver(self.agent, self._signalling.send, self._on_event)

    @property
    def uri(self) -> str:
        """Whom to call."""
        return f"sip:callee@{HOST}:{self._signalling.local[1]}"

    def start(self) -> None:
        """Begin to serve."""
        self._signalling.start(self.driver.receive)
        self._media.start(self._echo)

    def close(self) -> None:
        """End."""
        self.driver.close()
        self._signalling.close()
        self._media.close()

    def does(self, action: Callable[[float], None]) -> None:
        """A command to the agent."""
        self.driver.run(action)

    def _echo(self, data: bytes, source: Flow) -> None:
        self.rtp.append(data)
        if self.back:
            self._media.send(data, source)

    def _on_event(self, event: SipEvent, now: float) -> None:
        self.events.append(event)
        if not isinstance(event, Invited):
            return
        self.leg, self.request = event.leg, event.request
        if self.status != 200:
            self.does(lambda now: self.agent.refuse(event.leg, self.status, now, headers=self.headers))
            return
        local = LocalAudio(HOST, self._media.local[1], self.codecs, session_id=1)
        body = bytes(answer(Sdp.parse(event.request.body), local).sdp)
        status, early = (183, body) if self.early is not None else (180, b"")
        self.does(lambda now: self.agent.ring(event.leg, now, status, early))
        if self.early is None:
            self.does(lambda now: self.agent.answer(event.leg, body, now))
            return
        phone = Sdp.parse(event.request.body).media[0].port
        self._media.send(self.early, Flow("udp", self._media.local, (HOST, phone)))
        # The 200 has nothing to say that the 183 has not said.
        asyncio.get_running_loop().call_later(0.2, self.does, lambda now: self.agent.answer(event.leg, body, now))


@contextlib.asynccontextmanager
async def callee(
    status: int = 200,
    codecs: tuple[str, ...] = ("PCMU", "PCMA"),
    back: bool = True,
    early: bytes | None = None,
    headers: Extra = (),
) -> AsyncIterator[Callee]:
    """A callee that is ready."""
    phone = Callee(status, codecs, back, early, headers)
    phone.start()
    try:
        yield phone
    finally:
        phone.close()
