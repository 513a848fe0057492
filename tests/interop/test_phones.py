"""Phones of others register with our agent, refresh, leave, and are called where they registered."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sipgw.app.signalling import Signalling
from sipgw.io.clock import MonotonicClock
from sipgw.options import ListenerOptions, PhoneOptions, SipOptions, TlsOptions
from sipgw.sip.agent import Agent
from sipgw.sip.bindings import BindingEvent, PhoneBound, PhoneUnbound
from sipgw.sip.events import Progressed, Released, SipEvent
from sipgw.trace import silent
from tests.fakes.certificates import Authority
from tests.interop import peers
from tests.interop.baresip import phone
from tests.interop.gateway import LIMIT, running
from tests.interop.programs import finish
from tests.ports import free_port

pytestmark = pytest.mark.interop

DESK = PhoneOptions("desk", "200", "secret")
NO_TLS = TlsOptions()
OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 45678 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


PROOF = "auth_user=200;auth_pass=secret"
"""As baresip wants it in an account."""


class Node:
    """Our agent with its registrar on the wire, and what was told of phones and of calls."""

    def __init__(self, transport: str, tls: TlsOptions, algorithms: tuple[str, ...]) -> None:
        self.port, words = free_port(), itertools.count()
        listener = ListenerOptions(transport, port=self.port, tls=tls)
        options = SipOptions((listener,), phones=(DESK,), known=(), algorithms=algorithms)
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

    async def rings(self) -> None:
        """Call the desk at the best of its places, until it rings."""
        reach = self.agent.registrar.locate("phone:desk")[0]
        run = self.signalling.driver.run
        leg = run(
            lambda now: self.agent.invite(
                reach.uri, reach.flow, OFFER, now, from_="<sip:gateway@127.0.0.1>", headers=reach.headers
            )
        )
        await self.until(Progressed)
        run(lambda now: self.agent.hang_up(leg, now))
        await self.until(Released)


@contextlib.asynccontextmanager
async def node(
    transport: str, tls: TlsOptions = NO_TLS, algorithms: tuple[str, ...] = ("SHA-256", "MD5")
) -> AsyncIterator[Node]:
    """Runs one on a free port."""
    made = Node(transport, tls, algorithms)
    await made.signalling.open()
    try:
        yield made
    finally:
        await made.signalling.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_baresip_is_called_where_it_registered(tmp_path: Path, transport: str) -> None:
    # Debian's baresip knows MD5 alone, and gives up at a response that has another challenge besides.
    async with node(transport, algorithms=("MD5",)) as gateway:
        address = f"sip:200@127.0.0.1:{gateway.port};transport={transport}"
        async with phone(tmp_path, "PCMU/8000/1", PROOF, registered=address) as bob:
            await gateway.until(PhoneBound, "bindings")
            await gateway.rings()
            await bob.happened("CALL_INCOMING")
        # It leaves as it ends.
        gone = await gateway.until(PhoneUnbound, "bindings")
        assert gone.reason == "left"


async def test_baresip_calls_the_ai_as_the_phone_it_is(tmp_path: Path) -> None:
    port = free_port()
    settings: dict[str, Any] = {
        "sip": {"port": port, "algorithms": ["MD5"]},
        "phones": {"desk": {"user": "200", "password": "secret"}},
        "routes": [{"number": "echo", "targets": ["echo"], "phones": ["desk"]}],
    }
    async with (
        running(tmp_path, settings) as gateway,
        phone(tmp_path, "PCMU/8000/1", PROOF, registered=f"sip:200@127.0.0.1:{port}") as bob,
    ):
        (came,) = await gateway.said("phone registered")
        assert came["phone"] == "desk"
        await bob.command("dial", f"sip:echo@127.0.0.1:{port}")
        await bob.happened("CALL_ESTABLISHED")
        await bob.command("hangup")
        (ended,) = await gateway.said("call ended")
        assert (ended["trunk"], ended["route"]) == ("phone:desk", "echo")


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_pjsip_registers_rings_refreshes_and_leaves(tmp_path: Path, transport: str) -> None:
    tls = NO_TLS
    if transport == "tls":
        pair = Authority(tmp_path).issue("gateway", "127.0.0.1")
        tls = TlsOptions(str(pair.certificate), str(pair.key))
    async with node(transport, tls) as gateway:
        plan = {"registrar": f"sip:127.0.0.1:{gateway.port};transport={transport}", "transport": transport}
        script = Path(__file__).parent / "peers" / "pjsua2_registers.py"
        phone = asyncio.create_task(finish([peers.python("pjsua2"), script, json.dumps(plan)], 25))
        came = await gateway.until(PhoneBound, "bindings")
        assert came.binding.outbound is (transport != "udp")
        await gateway.rings()
        assert (await gateway.until(PhoneUnbound, "bindings")).reason == "left"
        code, printed = await phone
        assert code == 0, printed
        told = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
        states = [(line["status"], line["active"]) for line in told if line["what"] == "registered"]
        assert states == [(200, True), (200, True), (200, False)], printed
        assert [event.new for event in gateway.bindings if isinstance(event, PhoneBound)] == [True, False]
