"""The supervisor, with small scripts in the place of control."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipgw.app.supervisor import Patience

LIMIT = 10.0


def test_the_first_death_is_followed_by_a_start_at_once_and_the_next_ones_later_and_later() -> None:
    patience = Patience(most=4)
    assert [patience.died(now) for now in (0.0, 1.0, 2.0, 3.0)] == [0.0, 1.0, 2.0, 4.0]
    assert patience.died(4.0) is None


def test_deaths_of_long_ago_are_forgiven() -> None:
    patience = Patience(most=1, within=60.0)
    assert [patience.died(now) for now in (0.0, 61.0, 122.0)] == [0.0, 0.0, 0.0]
    assert patience.died(123.0) is None


SUPERVISE = """
import sys
from sipgw.app.supervisor import Patience, Supervisor
from sipgw.io.process import become_subreaper

def died(how, wait):
    print("died", how, wait, flush=True)

become_subreaper()
sys.exit(Supervisor(lambda starts: [sys.executable, "-c", sys.argv[1], str(starts)], died, Patience(most=2)).run())
"""
"""Runs the script in its first argument, which gets as its own the number of earlier starts."""

SAY = """
import os, signal, subprocess, sys, time
def say(*words): print(*words, os.getpid(), flush=True)
starts = int(sys.argv[1])
"""
DIE = SAY + "signal.pthread_sigmask(signal.SIG_SETMASK, ())\n"
"""Dies of any signal that control hears of through its supervisor: they are blocked at first."""
WAIT = (
    SAY
    + """
def heard(number, frame):
    say(signal.Signals(number).name)
    if number != signal.SIGHUP: sys.exit(0)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, heard)
say("started")
signal.pthread_sigmask(signal.SIG_SETMASK, ())
while True: time.sleep(1)
"""
)


class Watched:
    """A supervisor at work."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self) -> list[str]:
        """The words of the next line."""
        assert self.process.stdout is not None
        return (await asyncio.wait_for(self.process.stdout.readline(), LIMIT)).decode().split()

    async def started(self) -> int:
        """The process that says that it has started."""
        word, pid = await self.says()
        assert word == "started"
        return int(pid)

    async def code(self) -> int:
        """Its exit code."""
        return await asyncio.wait_for(self.process.wait(), LIMIT)


@contextlib.asynccontextmanager
async def supervised(script: str) -> AsyncIterator[Watched]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISE, script, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    try:
        yield Watched(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), LIMIT)


async def test_a_control_that_is_killed_is_started_again_at_once() -> None:
    async with supervised(WAIT) as watched:
        first = await watched.started()
        os.kill(first, signal.SIGKILL)
        said = {tuple((await watched.says())[:2]) for _ in range(2)}
        assert {words[0] for words in said} == {"died", "started"}
        assert ("died", "SIGKILL") in said
        watched.process.terminate()
        assert (await watched.says())[0] == "SIGTERM"
        assert await watched.code() == 0


async def test_one_that_keeps_dying_is_given_up_with_its_exit_code() -> None:
    async with supervised(SAY + "sys.exit(70)") as watched:
        assert [(await watched.says())[1:] for _ in range(3)] == [
            ["exit", "code", "70", "0.0"],
            ["exit", "code", "70", "1.0"],
            ["exit", "code", "70", "None"],
        ]
        assert await watched.code() == 70


async def test_one_that_keeps_being_killed_is_given_up_as_a_shell_would_tell_it() -> None:
    async with supervised(SAY + "os.kill(os.getpid(), signal.SIGSEGV)") as watched:
        assert await watched.code() == 128 + signal.SIGSEGV


@pytest.mark.parametrize("code", [0, 1, 2])
async def test_one_that_cannot_start_is_not_tried_again(code: int) -> None:
    async with supervised(SAY + f"sys.exit({code})") as watched:
        assert await watched.code() == code
        assert await watched.says() == []


async def test_one_that_cannot_start_after_a_death_is_tried_again() -> None:
    async with supervised(SAY + "sys.exit([70, 2, 0][starts])") as watched:
        assert (await watched.says())[3] == "70"
        assert (await watched.says())[3] == "2"
        assert await watched.code() == 0


async def test_ctrl_c_reaches_control_once_and_sighup_changes_nothing() -> None:
    async with supervised(WAIT) as watched:
        await watched.started()
        # A terminal signals the whole foreground group, which the supervisor leads here.
        os.killpg(watched.process.pid, signal.SIGHUP)
        assert (await watched.says())[0] == "SIGHUP"
        os.killpg(watched.process.pid, signal.SIGINT)
        assert (await watched.says())[0] == "SIGINT"
        assert await watched.code() == 0
        assert await watched.says() == []


async def test_one_that_dies_while_it_is_to_stop_is_started_again_to_be_stopped() -> None:
    async with supervised(WAIT) as watched:
        first = await watched.started()
        os.kill(first, signal.SIGSTOP)
        watched.process.terminate()
        os.kill(first, signal.SIGKILL)
        said = {(await watched.says())[0] for _ in range(3)}
        assert said == {"died", "started", "SIGTERM"}
        assert await watched.code() == 0


async def test_one_that_waits_to_be_started_again_is_started_at_once_to_be_stopped() -> None:
    script = SAY + "if starts < 2: sys.exit(70)\nsignal.sigwait([signal.SIGTERM])\nsay('stopped')"
    async with supervised(script) as watched:
        for _ in range(2):
            await watched.says()
        watched.process.terminate()
        assert (await watched.says())[0] == "stopped"
        assert await watched.code() == 0


async def test_orphans_of_control_are_waited_for() -> None:
    # The orphan tells its name, and ends once its parent is gone.
    orphan = "import os, sys; print('orphan', os.getpid(), flush=True); sys.stdin.read()"
    script = (
        DIE
        + f"""
if starts == 0:
    subprocess.Popen([sys.executable, "-c", {orphan!r}], stdin=subprocess.PIPE)
    time.sleep(60)
say("started")
time.sleep(60)
"""
    )
    async with supervised(script) as watched:
        name, orphaned = await watched.says()
        assert name == "orphan"
        status = Path(f"/proc/{orphaned}/stat").read_text().rpartition(")")[2].split()
        os.kill(int(status[1]), signal.SIGKILL)
        for _ in range(2):
            await watched.says()
        async with asyncio.timeout(LIMIT):
            while Path(f"/proc/{orphaned}").exists():  # a zombie would stay
                await asyncio.sleep(0.02)
