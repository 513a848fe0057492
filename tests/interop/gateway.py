"""Runs the real `sipgw run` as a process of its own, on free ports, and reads its log."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.ports import free_port

LIMIT = 15.0
"""Seconds anything here may take before the test fails."""


@dataclass
class Gateway:
    """A running gateway and what it said."""

    process: asyncio.subprocess.Process
    port: int
    lines: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def address(self) -> str:
        """Host and port of its SIP listener."""
        return f"127.0.0.1:{self.port}"

    async def said(self, event: str, count: int = 1, within: float = LIMIT) -> list[dict[str, Any]]:
        """The first `count` log lines named `event`, waited for."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.lines if line.get("event") == event]

        async with self.news:
            try:
                await asyncio.wait_for(self.news.wait_for(lambda: len(found()) >= count), within)
            except TimeoutError:
                raise AssertionError(f"no {count} × {event!r} in the gateway's log: {self.lines}") from None
        return found()[:count]

    async def ended(self, caller: str) -> dict[str, Any]:
        """The last log line of the first call of that caller, waited for."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.lines if line.get("event") == "call ended" and line["caller"] == caller]

        async with self.news:
            await asyncio.wait_for(self.news.wait_for(found), LIMIT)
        return found()[0]

    async def read_log(self) -> None:
        """Collect log lines until the process ends."""
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            async with self.news:
                try:
                    self.lines.append(json.loads(line))
                except ValueError:
                    self.lines.append({"event": "not json", "text": line.decode(errors="replace")})
                self.news.notify_all()


@contextlib.asynccontextmanager
async def running(
    folder: Path, settings: dict[str, Any] | None = None, *, supervised: bool = False, ends: int = 0
) -> AsyncIterator[Gateway]:
    """A gateway that serves `settings` over the test defaults; stopped by SIGTERM, it must end with that code."""
    port = free_port()
    config: dict[str, Any] = {
        "state": str(folder / f"state-{port}"),
        "workers": 0,
        "sip": {"host": "127.0.0.1", "port": port},
        "log": {"format": "json", "level": "info"},
        "metrics": {"port": 0},
        "backends": {"echo": {"dialect": "echo"}, "demo": {"dialect": "demo"}, "tone": {"dialect": "tone"}},
        "routes": [
            {"number": "echo", "targets": ["echo"], "anyone": True},
            {"number": "tone", "targets": ["tone"], "anyone": True},
            {"number": "*", "targets": ["demo"], "anyone": True},
        ],
    }
    config.update(settings or {})
    config["sip"] = {"host": "127.0.0.1", "port": port, **config["sip"]}
    path = folder / "sipgw.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SIPGW_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sipgw",
        "run",
        "--supervisor" if supervised else "--no-supervisor",
        "--config",
        str(path),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        limit=1 << 20,
    )
    gateway = Gateway(process, port)
    reader = asyncio.create_task(gateway.read_log())
    try:
        await gateway.said("ready")
        yield gateway
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            code = await asyncio.wait_for(process.wait(), LIMIT)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError(f"the gateway did not end after SIGTERM: {gateway.lines[-5:]}") from None
        finally:
            await asyncio.wait_for(reader, LIMIT)
        assert code == ends, gateway.lines[-5:]
