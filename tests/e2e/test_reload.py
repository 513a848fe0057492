"""SIGHUP while calls run: they go on as they began, new ones get what is new, and a mistake changes nothing."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tests.e2e.phone import Phone, calling
from tests.e2e.plan import ai, plan, to
from tests.e2e.sound import level_at, tone
from tests.fakes.backend import FakeBackend
from tests.interop.gateway import Gateway, running

CALLS = 12
OLD_HZ, NEW_HZ = 700, 1400


class Operator:
    """Edits the configuration and says so."""

    def __init__(self, gateway: Gateway, path: Path) -> None:
        self._gateway, self._path = gateway, path
        self._said: dict[str, int] = {}

    async def reloads(self, said: str = "configuration reloaded", **sections: Any) -> dict[str, Any]:
        """Change sections, reload, and return the line of the log about it."""
        config = yaml.safe_load(self._path.read_text()) | sections
        self._path.write_text(yaml.safe_dump(config, sort_keys=False))
        count = self._said[said] = self._said.get(said, 0) + 1
        self._gateway.process.send_signal(signal.SIGHUP)
        return (await self._gateway.said(said, count))[-1]


def kept_time(phone: Phone) -> bool:
    """Whether a packet came every 20 ms, none of them missing, as near as a busy machine can."""
    assert set(np.diff([packet.sequence for packet in phone.heard]) % 65_536) == {1}
    return bool(np.diff([packet.when for packet in phone.heard]).max() < 0.1)


async def test_calls_go_on_through_a_reload_and_new_ones_see_it(tmp_path: Path) -> None:
    async with (
        FakeBackend(echo=True) as old,
        running(tmp_path, plan(to("ai", ai(old, live=True, barge_in="off")))) as gateway,
        asyncio.TaskGroup() as group,
    ):
        operator = Operator(gateway, tmp_path / "sipgw.yaml")
        up, changed = asyncio.Semaphore(0), asyncio.Event()

        async def talks() -> None:
            async with calling(f"ai@{gateway.address}") as phone:
                phone.say(tone(30, OLD_HZ))
                await asyncio.sleep(0.5)
                up.release()
                await changed.wait()
                await asyncio.sleep(0.5)
                assert level_at(phone.sound()[-4000:], OLD_HZ) > 8000, "its AI is the one it began with"
                assert kept_time(phone)

        for _ in range(CALLS):
            group.create_task(talks())
        for _ in range(CALLS):
            await up.acquire()
        new = plan(to("ai", {"dialect": "tone", "settings": {"frequency_hz": NEW_HZ}}), calls={"max_calls": CALLS + 1})
        told = await operator.reloads(**new, sip={"host": "127.0.0.1", "port": gateway.port, "t1": 0.4})
        assert told["taken"].split(", ") == [
            *("calls.max_calls", "backends.ai-0.dialect", "backends.ai-0.url", "backends.ai-0.barge_in"),
            *("backends.ai-0.live", "backends.ai-0.settings.frequency_hz"),
        ]
        assert told["needs_restart"] == "sip.t1"
        async with calling(f"ai@{gateway.address}") as phone, calling(f"ai@{gateway.address}") as one_too_many:
            assert one_too_many.status == 503
            await asyncio.sleep(0.5)
            assert level_at(phone.sound()[-1600:], NEW_HZ) > 1000
        changed.set()
    causes = [line["cause"] for line in await gateway.said("call ended", CALLS + 2)]
    assert sorted(causes) == ["normal"] * (CALLS + 1) + ["overload"]


async def test_a_mistake_changes_nothing_and_the_level_of_the_log_follows(tmp_path: Path) -> None:
    async with (
        running(tmp_path, plan(to("tone", {"dialect": "tone"}))) as gateway,
        calling(f"tone@{gateway.address}") as phone,
    ):
        operator = Operator(gateway, tmp_path / "sipgw.yaml")
        told = await operator.reloads("configuration not reloaded", routes=[], log={"format": "json", "level": "debug"})
        assert told["level"] == "error"
        assert "routes: is empty; nobody could call; add a route" in told["problem"]
        async with calling(f"tone@{gateway.address}") as other:
            assert other.status == 200
        assert not [line for line in gateway.lines if line.get("level") == "debug"]
        told = await operator.reloads(**plan(to("tone", {"dialect": "tone"})))
        assert told["taken"] == "log.level"
        await phone.hang_up()
        await gateway.said("< sip bye")
