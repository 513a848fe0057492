"""Phones of a gateway: told of, listed, and known again after a restart."""

import asyncio
import gc
import io
import json
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sipgw.app.gateway import Gateway
from sipgw.app.phones import Phones
from sipgw.call.feed import Happening
from sipgw.errors import PeerError
from sipgw.flow import Endpoint, Flow
from sipgw.options import RecordOptions, SipOptions
from sipgw.records.keeper import Keeper
from sipgw.settings import Examined
from tests.app.test_api import Shell
from tests.app.test_gateway import logger, settings
from tests.fakes.desk_phone import DESK, DeskPhone
from tests.fakes.sip_phone import OURS, Heard, Wire
from tests.ports import free_port

STREAM = Flow("tcp", OURS, ("127.0.0.1", 40_000))


@dataclass
class Node:
    """An agent in simulated time, whose phones are kept in a real database."""

    folder: Path
    url: str = ""
    wire: Wire = field(default_factory=lambda: Wire(SipOptions(phones=(DESK,), known=())))
    out: io.StringIO = field(default_factory=io.StringIO)
    told: list[Happening] = field(default_factory=list)

    def __post_init__(self) -> None:
        log = logger(self.out)
        self.keeper = Keeper(RecordOptions(url=self.url), self.folder, lambda name, detail: None, log)
        registrar = self.wire.agent.registrar
        self.phones = Phones(registrar, self.keeper, "n1", log, self.told.append, lambda now: 1_700_000_000.0 + now)

    async def start(self, now: float = 0.0) -> "Node":
        self.wire.now = now
        self.keeper.start()
        await self.phones.load(now)
        return self

    def uris(self) -> list[str]:
        try:
            return [reach.uri for reach in self.wire.agent.registrar.locate("phone:desk")]
        except PeerError:
            return []

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


async def test_comings_and_goings_are_told_and_refreshes_are_not(tmp_path: Path) -> None:
    node = await Node(tmp_path).start()
    desk = DeskPhone(node.wire)
    desk.register()
    desk.register()
    node.wire.until(4000.0)
    came, went = node.told
    assert (came.kind.value, came.call, came.when) == ("phone.registered", "", 1_700_000_000.0)
    place = {"phone": "desk", "contact": "sip:200@127.0.0.1:5070", "source": "udp:127.0.0.1:5070"}
    assert came.data == {**place, "expires": 3600}
    assert (went.kind.value, went.data) == ("phone.unregistered", {**place, "reason": "expired"})
    events = [line["event"] for line in node.lines()]
    assert [event for event in events if "registered" in event] == ["phone registered", "phone unregistered"]
    await node.keeper.close()


async def test_after_a_restart_a_phone_is_where_it_was_unless_it_had_a_connection(tmp_path: Path) -> None:
    before = await Node(tmp_path).start()
    DeskPhone(before.wire, contact="<sip:200@127.0.0.1:5070>;q=0.5").register()
    DeskPhone(before.wire, source=STREAM, call_id="2").register("Contact: <sip:200@10.0.0.1:5060;transport=tcp>")
    assert len(before.uris()) == 2
    await before.keeper.close()
    after = await Node(tmp_path).start(now=600.0)
    assert after.uris() == ["sip:200@127.0.0.1:5070"]
    assert after.lines()[-1] == {"phones": 1, "contacts": 1, "event": "phones known from before"}
    assert after.told == []
    listed = DeskPhone(after.wire, call_id="3").register("Subject: query")
    assert listed["Contact"] == "<sip:200@127.0.0.1:5070>;q=0.5;expires=3000"
    await after.keeper.close()
    # What did not come back is not in the database either.
    last = Node(tmp_path)
    last.keeper.start()
    assert [one.transport for one in (await last.keeper.bindings("n1"))["desk"]] == ["udp"]
    await last.keeper.close()


async def test_without_a_database_phones_register_all_the_same(tmp_path: Path) -> None:
    node = await Node(tmp_path, f"sqlite:///{tmp_path}/none/records.db").start()
    warning = node.lines()[-1]
    assert (warning["event"], "No such file" in warning["reason"]) == (
        "phones not known until they register again", True,
    )  # fmt: skip
    DeskPhone(node.wire).register()
    assert node.uris() == ["sip:200@127.0.0.1:5070"]
    await node.keeper.close()


@dataclass
class Socket:
    """The line of a desk phone to a gateway on loopback."""

    address: Endpoint
    wire: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def gets(self, text: str, source: Flow) -> list[Heard]:
        self.wire.settimeout(5)
        self.wire.sendto(text.encode(), self.address)
        return [Heard(0.0, self.wire.recv(65_535).decode(), source)]


async def test_a_gateway_lists_its_phones_and_lets_go_of_them_on_reload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gc, "freeze", lambda: None)
    desk = {"user": "200", "password": "secret", "display_name": "Front desk"}
    given = {"state": str(tmp_path), "sip": {"port": free_port()}, "api": {"port": free_port()}}
    first = settings(**given, phones={"desk": desk, "lobby": {"password": "x"}})
    gateway = Gateway(
        first, logger(io.StringIO()), lambda: Examined(settings(**given, phones={"lobby": {"password": "x"}}))
    )
    await gateway.start()
    line = Socket(gateway.address)
    answer = await asyncio.to_thread(DeskPhone(line, contact="<sip:200@127.0.0.1:5070;ob>").register)
    assert answer.brief == "200"
    shell = Shell(gateway)
    table = await shell.run(lambda remote: remote.phones())
    shown = ("desk", "200", "Front desk", "sip:200@127.0.0.1:5070;ob", "lobby", "not registered")
    assert [word for word in shown if word not in table] == []
    assert 'sipgw_phone_contacts{phone="desk"} 1.0' in gateway.metrics.render().decode()
    assert (await gateway.reload()).good
    assert "desk" not in await shell.run(lambda remote: remote.phones())
    assert [entry.happening.data.get("reason") for entry in gateway.feed.since(0) or ()] == [None, "removed"]
    line.wire.close()
    await gateway.stop()
