"""Our SIP agent on real sockets, as the one who calls."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

from sipgw.app.signalling import Signalling
from sipgw.flow import Endpoint, Flow
from sipgw.io.clock import MonotonicClock
from sipgw.options import ListenerOptions, SipOptions
from sipgw.sip.agent import Agent
from sipgw.sip.digest import Credentials
from sipgw.sip.events import SipEvent
from sipgw.trace import silent
from tests.ports import free_port

LIMIT = 10.0
OFFER = b"""v=0\r
o=- 1 1 IN IP4 127.0.0.1\r
s=-\r
c=IN IP4 127.0.0.1\r
t=0 0\r
m=audio 4000 RTP/AVP 0\r
"""
E = TypeVar("E", bound=SipEvent)


@dataclass
class Caller:
    """An agent, its sockets, and what it tells."""

    agent: Agent
    signalling: Signalling
    local: Endpoint
    far: Endpoint
    told: list[SipEvent] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def calls(self, far: Endpoint, *headers: tuple[str, str], credentials: tuple[Credentials, ...] = ()) -> str:
        """Call whoever listens there, over UDP; the leg."""
        legs = list[str]()
        flow = Flow("udp", self.local, far)

        def invite(now: float) -> None:
            legs.append(
                self.agent.invite(
                    f"sip:callee@{far[0]}:{far[1]}", flow, OFFER, now,
                    from_="<sip:gateway@127.0.0.1>", headers=headers, credentials=credentials,
                )
            )  # fmt: skip

        self.signalling.driver.run(invite)
        return legs[0]

    def follows(self, leg: str, far: Endpoint) -> None:
        """Go on where it was sent on to."""
        flow = Flow("udp", self.local, far)
        self.signalling.driver.run(lambda now: self.agent.follow(leg, (flow,), now))

    def hangs_up(self, leg: str) -> None:
        """End it."""
        self.signalling.driver.run(lambda now: self.agent.hang_up(leg, now))

    async def hears(self, kind: type[E], count: int = 1) -> E:
        """The event of a kind, the so-manieth, waited for."""

        def found() -> list[E]:
            return [event for event in self.told if isinstance(event, kind)]

        async with self.news:
            try:
                await asyncio.wait_for(self.news.wait_for(lambda: len(found()) >= count), LIMIT)
            except TimeoutError:
                raise AssertionError(f"no {count} × {kind.__name__} in {self.told}") from None
        return found()[count - 1]


@contextlib.asynccontextmanager
async def caller(far: Endpoint) -> AsyncIterator[Caller]:
    """A caller on a free port, for whoever is there."""
    local = ("127.0.0.1", free_port())
    sip = SipOptions((ListenerOptions("udp", *local),))
    agent = Agent(sip, token=lambda: secrets.token_hex(8))
    made: Caller
    tasks = set[asyncio.Task[None]]()

    async def tell(event: SipEvent) -> None:
        async with made.news:
            made.told.append(event)
            made.news.notify_all()

    def heard(event: SipEvent, now: float) -> None:
        task = asyncio.get_running_loop().create_task(tell(event))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    signalling = Signalling(
        sip, agent, heard, lambda name: None, clock=MonotonicClock(), before_send=lambda: None, trace=silent
    )
    made = Caller(agent, signalling, local, far)
    await signalling.open()
    try:
        yield made
    finally:
        await signalling.close()
