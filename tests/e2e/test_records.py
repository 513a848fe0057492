"""The records of a real gateway: written a moment after each call, and there once after it was killed."""

import asyncio
import signal
import sqlite3
from pathlib import Path

from tests.e2e.phone import calling
from tests.interop.gateway import running


async def calls(state: Path, count: int) -> list[tuple[object, ...]]:
    """So many calls in the database, waited for."""
    async with asyncio.timeout(5):
        while True:
            with sqlite3.connect(state / "records.db") as database:
                found = database.execute(
                    "SELECT called, cause, answered IS NOT NULL, mos > 4 FROM calls ORDER BY started"
                )
                rows = found.fetchall()
            database.close()
            if len(rows) >= count:
                return rows
            await asyncio.sleep(0.05)


async def test_a_call_and_a_refusal_are_on_record_while_the_gateway_runs(tmp_path: Path) -> None:
    state = tmp_path / "state"
    routes = [{"number": "echo", "targets": ["echo"], "anyone": True}]
    async with running(tmp_path, {"state": str(state), "routes": routes}) as gateway:
        async with calling(f"echo@{gateway.address}"), calling(f"nobody@{gateway.address}") as refused:
            assert refused.status == 404
            await asyncio.sleep(0.3)
        assert await calls(state, 2) == [("echo", "normal", 1, 1), ("nobody", "not_found", 0, None)]


async def test_a_gateway_killed_right_after_a_call_has_its_record_once(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with running(tmp_path, {"state": str(state)}, ends=-signal.SIGKILL) as gateway:
        async with calling(f"echo@{gateway.address}"):
            await asyncio.sleep(0.2)
        await gateway.said("call ended")
        gateway.process.kill()
    assert list((state / "records").iterdir())
    async with running(tmp_path, {"state": str(state)}):
        assert len(await calls(state, 1)) == 1
    assert list((state / "records").iterdir()) == []
    async with running(tmp_path, {"state": str(state)}):
        pass
    assert len(await calls(state, 1)) == 1
