"""SIPp as the caller: its own built-in scenario, INVITE to BYE, at an even rate."""

import asyncio
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

from sipgw.errors import Unavailable
from sipgw.flow import Endpoint, written
from sipgw.tools.bench.plan import HOST
from sipgw.tools.bench.sip.plan import SipPlan
from sipgw.tools.bench.usage import Usage, usage

_END_LIMIT = 40.0


class Sipp:
    """Inside `async with` it calls, until it has made all calls of the plan.

    Args:
        plan: how many, how fast.
        gateway: whom.
        called: which number there.
    """

    def __init__(self, plan: SipPlan, gateway: Endpoint, called: str) -> None:
        self._plan, self._gateway, self._called = plan, gateway, called
        self._folder = tempfile.TemporaryDirectory(prefix="sipgw-bench-")
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        program = shutil.which("sipp")
        if program is None:
            raise Unavailable("SIPp makes the calls and is not here: apt-get install sip-tester")
        plan = self._plan
        words = {
            "-sn": "uac", "-s": self._called, "-i": HOST, "-mi": HOST, "-r": plan.rate, "-m": plan.calls,
            "-d": plan.hold_ms, "-l": plan.rate * 60, "-timeout": f"{plan.calls / plan.rate + _END_LIMIT:.0f}s",
        }  # fmt: skip
        arguments = [str(word) for pair in words.items() for word in pair]
        with self._screen.open("wb") as screen:
            self._process = await asyncio.create_subprocess_exec(
                program, written(self._gateway), *arguments, "-nostdin", "-timeout_error",
                stdout=screen, stderr=screen, stdin=asyncio.subprocess.DEVNULL, cwd=self._folder.name,
            )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        self._folder.cleanup()

    def used(self) -> Usage:
        """What it has used so far.

        Raises:
            Unavailable: it has ended.
        """
        assert self._process is not None
        if self._process.returncode is not None:
            raise Unavailable(f"SIPp has ended:\n{self._screen.read_text(errors='replace')[-2000:]}")
        return usage(self._process.pid)

    async def finish(self) -> int:
        """Wait for its last call; how many went wrong.

        Raises:
            Unavailable: it does not end, or says nothing of that.
        """
        assert self._process is not None
        try:
            await asyncio.wait_for(self._process.wait(), _END_LIMIT)
        except TimeoutError:
            raise Unavailable("SIPp does not come to an end") from None
        shown = self._screen.read_text(errors="replace")
        failed = re.findall(r"Failed call\s*\|[^|]*\|\s*(\d+)", shown)
        if not failed:
            raise Unavailable(f"SIPp does not say how it went:\n{shown[-2000:]}")
        return int(failed[-1])

    @property
    def _screen(self) -> Path:
        return Path(self._folder.name) / "screen"
