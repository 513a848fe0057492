"""Phones of others register with our agent, refresh, leave, and are called where they registered."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sipgw.app.signalling import Signalling
from sipgw.io.clock import MonotonicClock
from sipgw.options import ListenerOptions, PhoneOptions, SipOptions
from sipgw.sip.agent import Agent
from sipgw.sip.bindings import BindingEvent, PhoneBound, PhoneUnbound
from sipgw.sip.events import Progressed, Refused, Released, SipEvent
from sipgw.trace import silent
from tests.interop.baresip import phone
from tests.interop.gateway import LIMIT
from tests.ports import free_port

pytestmark = pytest.mark.interop

DESK = PhoneOptions("desk", "200", "secret")
OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 45678 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


def account(port: int, transport: str) -> str:
    """A baresip account at our registrar."""
    return f"<sip:200@127.0.0.1:{port};transport={transport}>;auth_user=200;auth_pass=secret;regint=60"


class Node:
    """Our agent with its registrar on the wire, and what was told of phones and of calls."""

    def __init__(self, *transports: str) -> None:
        self.port, words = free_port(), itertools.count()
        listeners = tuple(ListenerOptions(transport, port=self.port) for transport in transports)
        # Debian's baresip knows MD5 alone, and gives up at a response that has another challenge besides.
        options = SipOptions(listeners, phones=(DESK,), known=(), algorithms=("MD5",))
        self.agent = Agent(options, token=lambda: f"w{next(words)}")
        self.agent.registrar.bindings.told = self.heard
        self.bindings: list[BindingEvent] = []
        self.events: list[SipEvent] = []
        self.refused: list[str] = []
        self.news = asyncio.Event()
        self.signalling = Signalling(
            options, self.agent, self.happened, self.refused.append,
            clock=MonotonicClock(), trace=silent, before_send=lambda: None,
        )  # fmt: skip

    def heard(self, event: BindingEvent, now: float) -> None:
        self.bindings.append(event)
        self.news.set()

    def happened(self, event: SipEvent, now: float) -> None:
        self.events.append(event)
        self.news.set()

    async def until(self, kind: type, among: str = "events") -> Any:
        """The first of its kind, waited for."""
        async with asyncio.timeout(LIMIT):
            while not (found := [one for one in getattr(self, among) if isinstance(one, kind)]):
                self.news.clear()
                await self.news.wait()
        return found[0]

    def ring(self) -> str:
        """Call the desk at the best of its places."""
        reach = self.agent.registrar.locate("phone:desk")[0]
        return self.signalling.driver.run(
            lambda now: self.agent.invite(
                reach.uri, reach.flow, OFFER, now, from_="<sip:gateway@127.0.0.1>", headers=reach.headers
            )
        )


@contextlib.asynccontextmanager
async def node(*transports: str) -> AsyncIterator[Node]:
    """Runs one on a free port."""
    made = Node(*transports)
    await made.signalling.open()
    try:
        yield made
    finally:
        await made.signalling.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_baresip_is_called_where_it_registered(tmp_path: Path, transport: str) -> None:
    async with node("udp", "tcp") as gateway:
        async with phone(tmp_path, "PCMU/8000/1", account(gateway.port, transport)) as bob:
            await gateway.until(PhoneBound, "bindings")
            leg = gateway.ring()
            await bob.happened("CALL_INCOMING")
            await gateway.until(Progressed)
            gateway.signalling.driver.run(lambda now: gateway.agent.hang_up(leg, now))
            await gateway.until(Released)
            assert not [one for one in gateway.events if isinstance(one, Refused)]
        # It leaves as it ends.
        gone = await gateway.until(PhoneUnbound, "bindings")
        assert gone.reason == "left"
