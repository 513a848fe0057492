"""Control dies and its workers do not: calls keep their media, and the next control takes them over."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipgw.ai.events import Closed, Mute, Open
from sipgw.media import plane
from sipgw.rtp import rtcp
from sipgw.worker import messages
from tests.fakes.rtp_phone import SILENCE, RtpPhone
from tests.worker.planes import Control
from tests.worker.test_processes import SOON, goes_on, one_stream, processes, replaced, spare, worker

ROOT = Path(__file__).parents[2]


@contextlib.asynccontextmanager
async def abandoned(folder: Path, phone: RtpPhone, seconds: float = 10.0) -> AsyncIterator[tuple[int, list[int]]]:
    """A call whose control was killed: its RTP port and the workers."""
    host, port = phone.address
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.worker.abandoning", str(folder), host, str(port), str(seconds)),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    rtp, *workers = map(int, (await asyncio.wait_for(process.stdout.readline(), SOON)).split())
    await phone.until(10)
    process.kill()
    await process.wait()
    try:
        yield rtp, workers
    finally:
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.asynccontextmanager
async def phone() -> AsyncIterator[RtpPhone]:
    made = await RtpPhone.open()
    try:
        yield made
    finally:
        made.close()


@contextlib.asynccontextmanager
async def next_control(folder: Path) -> AsyncIterator[Control]:
    made = Control(1, folder=folder)
    try:
        yield made
    finally:
        await made.plane.close()


async def gone(pids: list[int]) -> None:
    """Wait until none of these processes is left; whoever adopts orphans here may not reap them."""
    async with asyncio.timeout(SOON):
        while any(state(pid) not in ("", "Z") for pid in pids):
            await asyncio.sleep(0.02)


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


async def test_the_next_control_takes_calls_over_and_the_far_end_notices_nothing(tmp_path: Path) -> None:
    async with phone() as caller, abandoned(tmp_path, caller) as (rtp, workers), next_control(tmp_path) as made:
        (adopted,) = await processes(made).adopt()
        known = adopted.known
        assert (known.session, known.call, known.stream.codec) == ("s1", "c1", "PCMU")
        assert (known.started, known.ready, known.opened, known.ending) == (True, True, Open(), False)
        assert known.connect is not None
        assert (known.connect.attempt, known.connect.backend.dialect) == (4, "tone")
        with socket.socket(fileno=adopted.sockets[0]) as sock, socket.socket(fileno=adopted.sockets[1]):
            assert sock.getsockname()[1] == rtp
        await made.plane.start()
        assert processes(made).crew.processes == sorted(workers), "they are all there are wanted"
        # What control missed meanwhile and what it wants now.
        caller.send(("127.0.0.1", rtp), SILENCE)
        await made.told(plane.FirstPacket)
        made.plane.command(plane.Tell("s1", Mute(True)))
        await goes_on(caller)
        assert one_stream(caller.heard) == [], "not a packet is missing"
        made.plane.command(plane.DestroySession("s1"))
        assert await made.report(Closed, attempt=4) == Closed("call_ended")
        assert (await made.told(plane.SessionEnded)).stats.sent_packets >= 30
    await gone(workers)


async def test_an_adopted_call_survives_its_worker_as_well(tmp_path: Path) -> None:
    async with phone() as caller, abandoned(tmp_path, caller), next_control(tmp_path) as made:
        (adopted,) = await processes(made).adopt()
        for descriptor in adopted.sockets:
            os.close(descriptor)
        await made.plane.start()
        await spare(made)
        before = worker(made)
        os.kill(before.pid, signal.SIGKILL)
        await replaced(made, before)
        await goes_on(caller)
        assert len(one_stream(caller.heard)) == 1


async def test_without_a_control_calls_end_with_a_good_bye(tmp_path: Path) -> None:
    """The phone takes RTCP at the port of its RTP."""
    async with phone() as caller:
        datagrams: list[bytes] = []
        caller.on_rtcp = datagrams.append
        async with abandoned(tmp_path, caller, seconds=1.0) as (_, workers):
            await goes_on(caller)
            await gone(workers)
        (*_, bye) = rtcp.parse(datagrams[-1])
        assert bye == rtcp.Goodbye((caller.heard[-1].ssrc,))
        async with next_control(tmp_path) as made:
            assert await processes(made).adopt() == []
            await made.plane.start()


async def test_a_worker_that_does_not_answer_the_next_control_is_killed(tmp_path: Path) -> None:
    async with phone() as caller, abandoned(tmp_path, caller) as (_, workers):
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        async with next_control(tmp_path) as made:
            assert await processes(made).adopt() == []
            await made.plane.start()
            await gone(workers)


async def test_a_worker_of_another_version_is_not_adopted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with phone() as caller, abandoned(tmp_path, caller) as (_, workers), next_control(tmp_path) as made:
        monkeypatch.setattr(messages, "VERSION", "another")
        assert await processes(made).adopt() == []
        await gone(workers)
