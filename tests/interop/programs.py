"""Finds and runs the programs we test against."""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from tests.shared import missing

Words = Sequence[str | Path | int]
"""A command line."""
_START = 15.0
"""Seconds a program may take to start, or to end."""


def program(name: str) -> str:
    """Path of an installed program, or a skip (a failure under `SIPGW_REQUIRE_PEERS=1`)."""
    found = shutil.which(name)
    if found is None:
        missing(f"{name} is not installed")
    assert found is not None
    return found


async def finish(arguments: Sequence[str | Path], within: float, cwd: Path | None = None) -> tuple[int, str]:
    """Run a program to its end: its exit code and everything it printed. Killed, and a failure, after `within` s."""
    process = await asyncio.create_subprocess_exec(
        *map(str, arguments),
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "TERM": "dumb"},
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), within)
    except TimeoutError:
        process.kill()
        printed, _ = await process.communicate()
        raise AssertionError(f"{arguments[0]} did not end in {within} s: {printed[-2000:]!r}") from None
    assert process.returncode is not None
    return process.returncode, printed.decode(errors="replace")


@contextlib.asynccontextmanager
async def background(arguments: Words, port: int, cwd: Path) -> AsyncIterator[None]:
    """A program that serves on a UDP port of 127.0.0.1, from when it does; what it prints is in `output.log`."""
    with (cwd / "output.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *map(str, arguments), cwd=cwd, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            async with asyncio.timeout(_START):
                while not _taken(port):
                    assert process.returncode is None, (cwd / "output.log").read_text()[-3000:]
                    await asyncio.sleep(0.05)
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _START)
            except TimeoutError:
                process.kill()
                await process.wait()


async def served(port: int) -> None:
    """Wait until somebody has the UDP port."""
    async with asyncio.timeout(_START):
        while not _taken(port):
            await asyncio.sleep(0.05)


def _taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


async def speech_wav(folder: Path) -> Path:
    """About ten seconds of synthetic speech: 8 kHz, mono, 16 bits."""
    text = (
        "Good morning, thank you for calling the harbour office. I would like to change my reservation "
        "from Tuesday the fourteenth to Friday the seventeenth. The reference is seven four two bravo."
    )
    wide, narrow = folder / "wide.wav", folder / "speech.wav"
    code, printed = await finish([program("espeak-ng"), "-s", "150", "-w", wide, text], 20)
    assert code == 0, printed
    code, printed = await finish(
        [program("sox"), wide, "-r", "8000", "-c", "1", "-b", "16", narrow, "highpass", "200", "norm", "-6"], 20
    )
    assert code == 0, printed
    return narrow
