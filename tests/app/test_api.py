"""The API of a whole gateway: a call steered from outside, the first token, and the commands for people."""

import asyncio
import gc
import io
import json
import socket
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from sipgw.app.gateway import Gateway
from sipgw.errors import Unavailable
from sipgw.io.sockets import PortTaken
from sipgw.settings import Examined
from sipgw.tools.phone import Order
from sipgw.tools.phone import call as place
from sipgw.tools.steer import Access, NotDone, Remote
from tests.app.test_gateway import Caller, logger, settings
from tests.ports import free_port

LIMIT = 5.0


@pytest.fixture
async def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Any]]:
    """Starts a gateway with an API on a free port; stopped afterwards."""
    made: list[Gateway] = []
    monkeypatch.setattr(gc, "freeze", lambda: None)

    async def started(out: io.StringIO | None = None, **more: Any) -> Gateway:
        api = {"port": free_port(), **more.pop("api", {})}
        routes = [{"targets": ["tone"], "anyone": True}]
        gateway = Gateway(settings(state=str(tmp_path), api=api, routes=routes, **more), logger(out or io.StringIO()))
        made.append(gateway)
        await gateway.start()
        return gateway

    yield started
    for gateway in made:
        await gateway.stop()


def access(gateway: Gateway) -> Access:
    """With the token of the state folder."""
    assert gateway.api.address is not None
    host, port = gateway.api.address
    return Access(f"http://{host}:{port}", (gateway.state.path / "api-token").read_text().strip())


def client(gateway: Gateway) -> httpx.AsyncClient:
    """An admin."""
    way = access(gateway)
    return httpx.AsyncClient(base_url=way.url, headers={"Authorization": f"Bearer {way.token}"}, timeout=LIMIT)


async def the_call(api: httpx.AsyncClient, state: str) -> dict[str, Any]:
    """The one call there is, once it is in this state."""
    async with asyncio.timeout(LIMIT):
        while True:
            listed = (await api.get("/v1/calls")).json()["calls"]
            if listed and listed[0]["state"] == state:
                return dict(listed[0])
            await asyncio.sleep(0.02)


async def until(api: httpx.AsyncClient, cursor: str, kind: str) -> list[str]:
    """The kinds that were told after a cursor, up to this one."""
    told: list[str] = []
    async with asyncio.timeout(LIMIT), api.stream("GET", "/v1/events", params={"cursor": cursor}) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                told.append(json.loads(line.removeprefix("data: "))["kind"])
                if told[-1] == kind:
                    return told
    raise AssertionError(f"no {kind} in {told}")


async def test_a_call_is_listed_steered_and_hung_up(start: Callable[..., Any]) -> None:
    gateway = await start()
    caller = Caller(gateway)
    async with client(gateway) as api:
        await caller.calls()
        call = await the_call(api, "talking")
        assert (call["called"], call["route"], call["target"], call["source"]) == ("tone", "*", "tone", "127.0.0.1")
        accepted = (await api.post(f"/v1/calls/{call['id']}/play", json={"prompt": "key-1"})).json()
        assert await until(api, accepted["cursor"], "call.played") == ["call.playing", "call.played"]
        # It agreed to no keys.
        refused = await api.post(f"/v1/calls/{call['id']}/dtmf", json={"digits": "1"})
        assert (refused.status_code, "telephone-event" in refused.json()["detail"]) == (409, True)
        accepted = (await api.post(f"/v1/calls/{call['id']}/hangup")).json()
        bye = await caller.gets("BYE")
        assert 'Reason: Q.850;cause=16;text="normal"' in bye
        caller.answers(bye)
        assert await until(api, accepted["cursor"], "call.ended") == ["call.ended"]
        assert (await api.post(f"/v1/calls/{call['id']}/hangup")).status_code == 404
        audit = (await api.get("/v1/audit")).json()["entries"]
        assert [one["outcome"] for one in reversed(audit)] == ["done", "wrong-state", "done", "no-such-call"]
    caller.close()


async def test_the_test_phone_is_put_on_hold_and_comes_back(start: Callable[..., Any]) -> None:
    gateway = await start()
    host, port = gateway.address
    phone = asyncio.create_task(place(Order(f"sip:tone@{host}:{port}", seconds=2.0)))
    async with client(gateway) as api:
        call = (await the_call(api, "talking"))["id"]
        for act, kind, held_by in (("hold", "call.held", ["gateway"]), ("resume", "call.resumed", [])):
            accepted = (await api.post(f"/v1/calls/{call}/{act}")).json()
            await until(api, accepted["cursor"], kind)
            assert (await api.get(f"/v1/calls/{call}")).json()["held_by"] == held_by
            await asyncio.sleep(0.3)
    report = await phone
    assert report.answered
    # It was silent while it was on hold, and heard music.
    assert report.packets_sent < report.packets_received - 10


async def test_draining_by_the_api_makes_it_unready(start: Callable[..., Any]) -> None:
    gateway = await start()
    async with client(gateway) as api:
        assert (await api.get("/readyz")).status_code == 200
        await api.post("/v1/drain")
        response = await api.get("/readyz")
        assert (response.status_code, response.json()["reasons"]) == (503, ["draining"])


async def test_without_ports_it_is_not_ready(start: Callable[..., Any]) -> None:
    gateway = await start(media={"ports": "20720-20721"})
    caller = Caller(gateway)
    async with client(gateway) as api:
        await caller.calls()
        assert (await api.get("/readyz")).json()["reasons"] == ["no RTP ports left"]
    caller.close()


async def test_a_reload_says_what_came_of_it(start: Callable[..., Any]) -> None:
    gateway = await start()
    async with client(gateway) as api:
        assert (await api.post("/v1/reload")).json() == {"taken": [], "restart": [], "warnings": []}


async def test_a_reload_exchanges_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "freeze", lambda: None)

    def configured(token: str) -> Examined:
        tokens = [{"name": "desk", "role": "admin", "token": token}]
        return Examined(settings(state=str(tmp_path), api={"port": port, "tokens": tokens}, sip={"port": sip}))

    port, sip = free_port(), free_port()
    new = configured("the-newer-token-of-the-desk")
    gateway = Gateway(configured("the-older-token-of-the-desk").settings, logger(io.StringIO()), lambda: new)
    await gateway.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=LIMIT) as api:
            older, newer = ({"Authorization": f"Bearer the-{age}-token-of-the-desk"} for age in ("older", "newer"))
            assert (await api.post("/v1/reload", headers=older)).json()["taken"] == ["api.tokens[0].token"]
            assert (await api.get("/v1/calls", headers=older)).status_code == 401
            assert (await api.get("/v1/calls", headers=newer)).status_code == 200
    finally:
        await gateway.stop()


# --- the first token ----------------------------------------------------------------------------------------------


async def test_a_token_is_made_at_the_first_start_and_kept(start: Callable[..., Any], tmp_path: Path) -> None:
    out = io.StringIO()
    gateway = await start(out)
    path = tmp_path / "api-token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = path.read_text().strip()
    assert len(token) >= 32
    assert token not in out.getvalue()
    assert str(path) in out.getvalue()
    await gateway.stop()
    await start()
    assert path.read_text().strip() == token


async def test_with_tokens_of_ones_own_none_is_made(start: Callable[..., Any], tmp_path: Path) -> None:
    await start(api={"tokens": [{"name": "desk", "role": "read", "token": "0123456789abcdef"}]})
    assert not (tmp_path / "api-token").exists()


async def test_a_port_that_is_taken_says_what_moves_it(start: Callable[..., Any], tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortTaken, match=r"SIPGW_API_PORT or api\.port moves ours"):
            await start(api={"port": other.getsockname()[1]})


async def test_a_token_that_cannot_be_read(start: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "api-token").mkdir()
    with pytest.raises(Unavailable, match=r"api-token cannot be used"):
        await start()


# --- for people ---------------------------------------------------------------------------------------------------


class Shell:
    """Runs commands as `sipgw calls` does."""

    def __init__(self, gateway: Gateway, token: str = "") -> None:
        way = access(gateway)
        self.out = io.StringIO()
        self._remote = Remote(Access(way.url, token or way.token), Console(file=self.out, width=120, highlight=False))

    async def run(self, act: Callable[[Remote], None]) -> str:
        """What it prints."""
        self.out.seek(self.out.truncate(0))
        await asyncio.to_thread(act, self._remote)
        return self.out.getvalue()


async def test_what_people_type(start: Callable[..., Any]) -> None:
    gateway = await start()
    shell, caller = Shell(gateway), Caller(gateway)
    assert await shell.run(lambda remote: remote.list({})) == "no calls\n"
    async with client(gateway) as api:
        await caller.calls()
        call = (await the_call(api, "talking"))["id"]
    table = await shell.run(lambda remote: remote.list({"state": "talking"}))
    assert [word in table for word in (call, "me", "tone", "talking", "PCMU")] == [True] * 5
    assert "127.0.0.1" in await shell.run(lambda remote: remote.show(call))
    assert await shell.run(lambda remote: remote.steer(call, "play", prompt="key-1")) == "play: accepted\n"
    with pytest.raises(NotDone, match="GET /v1/prompts"):
        await shell.run(lambda remote: remote.steer(call, "play", prompt="nothing"))
    following = asyncio.create_task(shell.run(lambda remote: remote.follow(call, (), as_json=False)))
    other = Shell(gateway)
    async with asyncio.timeout(LIMIT):
        while "call.playing" not in shell.out.getvalue():
            await other.run(lambda remote: remote.steer(call, "play", prompt="key-1"))
    await other.run(lambda remote: remote.steer(call, "hangup"))
    caller.answers(await caller.gets("BYE"))
    await asyncio.wait_for(gateway.drain(), LIMIT)
    await gateway.api.stop()
    told = await following
    assert f"{call} call.playing prompt=key-1\n" in told
    assert f"{call} call.ended " in told
    caller.close()


async def test_a_bad_token_and_no_gateway(start: Callable[..., Any]) -> None:
    gateway = await start()
    with pytest.raises(NotDone, match="not known here"):
        await Shell(gateway, "a bad token").run(lambda remote: remote.list({}))
    shell = Shell(gateway)
    await gateway.api.stop()
    with pytest.raises(NotDone, match="is it running"):
        await shell.run(lambda remote: remote.list({}))
