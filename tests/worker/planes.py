"""Control's side of the seam, on a media plane of either kind: real RTP sockets, real backends."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np

from sipgw.ai.events import CallFacts
from sipgw.media import plane
from sipgw.options import BackendOptions, MediaOptions
from sipgw.trace import Mark, Note
from sipgw.worker.local import LocalPlane
from sipgw.worker.processes import ProcessPlane
from tests.fakes.realtime import LIMIT
from tests.fakes.rtp_phone import RtpPhone

PROMPT = (8000 * np.sin(2 * np.pi * 1000 * np.arange(24_000 // 5) / 24_000)).astype("<i2").tobytes()
"""200 ms of 1 kHz."""


class Control:
    """The control process's side of the seam.

    Args:
        workers: how many processes; 0: none, the plane is in our own loop.
    """

    def __init__(self, workers: int = 0, **more: Any) -> None:
        self.events: list[plane.Event] = []
        self.notes: list[Note] = []
        self.alarms: list[str] = []
        self._news = asyncio.Event()
        self.plane: LocalPlane | ProcessPlane
        prompts = {"apology": PROMPT}
        if workers:
            self.plane = ProcessPlane(
                MediaOptions(), prompts, workers, trace=self.notes.append, alarm=self._alarm, **more
            )
            self.plane.detail(True)
        else:
            self.plane = LocalPlane(MediaOptions(), prompts, self.notes.append)
        self.plane.listen(self.take)

    def _alarm(self, name: str, detail: str) -> None:
        self.alarms.append(name)

    def take(self, event: plane.Event) -> None:
        self.events.append(event)
        self._news.set()

    async def told(self, wanted: type[Any] | Callable[[Any], bool], session: str = "s1") -> Any:
        """The first event of the session that is wanted, past or to come."""

        def test(event: plane.Event) -> bool:
            return isinstance(event, wanted) if isinstance(wanted, type) else bool(wanted(event))

        async with asyncio.timeout(LIMIT):
            while not (found := [event for event in self.events if event.session == session and test(event)]):
                self._news.clear()
                await self._news.wait()
        return found[0]

    async def report(self, kind: type[Any], attempt: int = 1) -> Any:
        """The first report of a kind from an attempt."""

        def wanted(event: plane.Event) -> bool:
            return isinstance(event, plane.Reported) and event.attempt == attempt and isinstance(event.report, kind)

        return (await self.told(wanted)).report

    def connect(self, dialect: str, url: str = "", attempt: int = 1, session: str = "s1", **options: Any) -> None:
        backend = BackendOptions("ai", dialect, url=url, **options)
        self.plane.command(plane.ConnectBackend(session, attempt, backend, CallFacts("c1")))

    def drops(self) -> list[str]:
        return [note.name for note in self.notes if note.mark is Mark.DROP]


@contextlib.asynccontextmanager
async def control(workers: int = 0, **more: Any) -> AsyncIterator[Control]:
    """A plane, started, and closed at the end; nothing may be left of it."""
    made = Control(workers, **more)
    try:
        await made.plane.start()
        yield made
    finally:
        await made.plane.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert [task for task in others if "AiSocket" in repr(task)] == []


@contextlib.asynccontextmanager
async def session(made: Control, name: str = "s1") -> AsyncIterator[tuple[RtpPhone, tuple[str, int]]]:
    """A session on sockets of control's, and the phone it talks to."""
    phone = await RtpPhone.open()
    pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for each in pair:
        each.bind(("127.0.0.1", 0))
    host, port = phone.address
    stream = plane.Stream("PCMU", (host, port), (host, port + 1), (0,), 0, dtmf_receive_type=101)
    made.plane.command(plane.CreateSession(name, "c1", stream), (pair[0].fileno(), pair[1].fileno()))
    try:
        yield phone, pair[0].getsockname()
    finally:
        phone.close()
        for each in pair:
            each.close()
