"""Our registrations on the wire: a registrar that asks who we are, goes away and comes back, and hears us leave."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import structlog

from sipgw.app.locator import Locator
from sipgw.app.registrations import Registrations
from sipgw.app.signalling import Signalling
from sipgw.flow import Flow
from sipgw.io.clock import MonotonicClock
from sipgw.io.dns import Dns
from sipgw.io.udp import UdpListener
from sipgw.options import CredentialOptions, ListenerOptions, RegistrationOptions, SipOptions, TrunkOptions
from sipgw.sip.accounts import Accounts, Proof
from sipgw.sip.agent import Agent
from sipgw.sip.message import Request, parse, respond
from sipgw.trace import silent
from tests.ports import free_port

numbers = itertools.count()


def word() -> str:
    """One that nobody has."""
    return f"w{next(numbers)}"


@dataclass
class Registrar:
    """Answers REGISTERs on a socket of its own."""

    listener: UdpListener
    status: int = 200
    heard: asyncio.Queue[Request] = field(default_factory=asyncio.Queue)
    accounts: Accounts = field(default_factory=lambda: Accounts({"me": "secret"}, "carrier", ("SHA-256",), "s", word))

    def receive(self, data: bytes, source: Flow) -> None:
        request = parse(data)
        assert isinstance(request, Request)
        if self.accounts.check(request, 0.0).proof is not Proof.GOOD:
            response = respond(request, 401, to_tag="r", headers=self.accounts.challenge(0.0))
        else:
            self.heard.put_nowait(request)
            contact = (("Contact", f"{request.headers.get('Contact')};expires=1"),)
            response = respond(request, self.status, to_tag="r", headers=contact)
        self.listener.send(bytes(response), source)

    async def registered(self) -> Request:
        return await asyncio.wait_for(self.heard.get(), 5)

    def trunk(self, name: str = "carrier") -> TrunkOptions:
        uri = f"sip:127.0.0.1:{self.listener.local[1]}"
        register = RegistrationOptions((uri,), "4930", "carrier.example", 60)
        return TrunkOptions(name, credentials=(CredentialOptions("me", "secret"),), register=register)


@dataclass
class Node:
    """An agent on the wire, and its registrations."""

    signalling: Signalling
    registrations: Registrations
    alarms: list[tuple[str, str]]


@pytest.fixture
async def registrar() -> AsyncIterator[Registrar]:
    made = Registrar(UdpListener.open(("127.0.0.1", 0)))
    made.listener.start(made.receive)
    yield made
    made.listener.close()


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    options = SipOptions((ListenerOptions(port=free_port()),), t1=0.05)
    agent = Agent(options, token=word)
    clock = MonotonicClock()
    signalling = Signalling(
        options, agent, lambda *_: None, lambda _: None, clock=clock, trace=silent, before_send=lambda: None
    )
    await signalling.open()
    alarms: list[tuple[str, str]] = []
    locator = Locator(Dns(("127.0.0.1:1",)), options.listeners)
    log = structlog.wrap_logger(structlog.ReturnLogger())
    registrations = Registrations(
        agent, signalling.driver, locator, log, lambda name, detail: alarms.append((name, detail))
    )
    yield Node(signalling, registrations, alarms)
    await registrations.leave()
    await signalling.close()


async def until(true: str, node: Node, trunk: str = "carrier") -> None:
    """Wait for a trunk to be `up` or `down`."""
    async with asyncio.timeout(5):
        while node.registrations.up.get(trunk, False) is not (true == "up"):
            await asyncio.sleep(0.01)


async def test_it_registers_refreshes_and_leaves(node: Node, registrar: Registrar) -> None:
    node.registrations.want((registrar.trunk(),))
    first = await registrar.registered()
    await until("up", node)
    refresh = await registrar.registered()
    assert refresh.headers.get("Contact") == first.headers.get("Contact")
    assert refresh.cseq.number > first.cseq.number
    await node.registrations.leave()
    while (last := await registrar.registered()).headers.get("Expires") != "0":
        pass
    assert last.call_id == first.call_id
    assert not node.registrations.up["carrier"]
    assert node.alarms == []


async def test_losing_it_is_an_alarm_once(node: Node, registrar: Registrar) -> None:
    node.registrations.want((registrar.trunk(),))
    await until("up", node)
    registrar.status = 403
    await until("down", node)
    assert node.alarms == [("registration_lost", "carrier: 403 Forbidden")]


async def test_a_trunk_with_other_settings_is_registered_anew_and_one_that_is_gone_is_left(
    node: Node, registrar: Registrar
) -> None:
    node.registrations.want((registrar.trunk("one"), registrar.trunk("two")))
    await until("up", node, "one")
    await until("up", node, "two")
    node.registrations.want((registrar.trunk("one"),))
    await until("down", node, "two")
    assert node.registrations.up["one"]
