"""The gateway under test: the real program in a process of its own, with a configuration made for the occasion."""

import asyncio
import json
import os
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import yaml

from sipgw.errors import Unavailable
from sipgw.flow import Endpoint
from sipgw.tools.bench.plan import HOST
from sipgw.tools.bench.usage import Usage, descendants, usage

CALLED = "bench"
_READY_LIMIT = 30.0
_STOP_LIMIT = 15.0
_PORTS = "20000-29999"


class Gateway:
    """Runs inside `async with`.

    Args:
        settings: keys of its configuration, besides those of addresses, ports, state and log.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._given = settings
        self._folder = tempfile.TemporaryDirectory(prefix="sipgw-bench-")
        self._log = Path(self._folder.name) / "log"
        self._process: asyncio.subprocess.Process | None = None
        self.address: Endpoint = (HOST, _free_port())

    async def __aenter__(self) -> Self:
        config = Path(self._folder.name) / "sipgw.yaml"
        config.write_text(yaml.safe_dump(self._settings()))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SIPGW_")}
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "sipgw", "run", "--no-supervisor", "--config", config),
                stdout=log, stderr=log, env=environment,
            )  # fmt: skip
        try:
            await self._ready()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        self._folder.cleanup()

    def _settings(self) -> dict[str, Any]:
        return {
            "sip": {"host": self.address[0], "port": self.address[1], "transports": ["udp"]},
            "media": {"host": HOST, "ports": _PORTS},
            "state": str(Path(self._folder.name) / "state"),
            "log": {"format": "json"},
            **self._given,
        }

    async def _ready(self) -> None:
        assert self._process is not None
        for _ in range(int(_READY_LIMIT / 0.05)):
            if self._lines("ready"):
                return
            if self._process.returncode is not None:
                break
            await asyncio.sleep(0.05)
        raise Unavailable(f"the gateway did not start:\n{self._log.read_text()[-2000:]}")

    def used(self) -> tuple[Usage, Usage]:
        """What control has used, and what the media workers have."""
        assert self._process is not None
        return tree_usage(self._process.pid)

    def ended(self) -> int:
        """How many calls have ended, by its log."""
        return self._log.read_bytes().count(b'"event": "call ended"')

    def counted(self) -> Counter[str]:
        """What it says of the calls that have ended: lost packets, concealed milliseconds, drops by name."""
        counted: Counter[str] = Counter()
        for line in self._lines("call ended"):
            for key in ("lost_packets", "concealed_ms", "late_packets"):
                counted[key] += int(line.get(key) or 0)
            for drop in filter(None, str(line.get("drops") or "").split(", ")):
                count, _, reason = drop.partition(" ")
                counted[f"dropped {reason}"] += int(count)
            counted[f"ended {line.get('cause')}"] += 1
        return counted

    def _lines(self, event: str) -> list[dict[str, Any]]:
        found = []
        for line in self._log.read_text(errors="replace").splitlines():
            with suppress(ValueError):  # not every line of a program that fails is JSON
                parsed = json.loads(line)
                if parsed.get("event") == event:
                    found.append(parsed)
        return found

    async def stop(self) -> None:
        """End it; what it said can still be read."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_LIMIT)
        except TimeoutError:
            process.kill()
            await process.wait()


def tree_usage(pid: int) -> tuple[Usage, Usage]:
    """What a process has used, and what all those below it have."""
    return usage(pid), sum((usage(below) for below in descendants(pid)), Usage())


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
