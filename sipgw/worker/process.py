"""One worker process: a `Worker`, the state table on a memfd, and whichever control process holds the link.

It outlives control: when the link ends without a shutdown, calls keep their media for a while, and the next control
that connects is told what there is.
"""

import asyncio
import faulthandler
import gc
import itertools
import logging
import mmap
import os
import signal
import socket

import msgspec
import uvloop

from sipgw.media import plane
from sipgw.media.table import Table
from sipgw.worker import messages as say
from sipgw.worker.known import Known
from sipgw.worker.link import Link
from sipgw.worker.telling import Forward, Telling
from sipgw.worker.warm import warm_up
from sipgw.worker.worker import Worker

_BEAT_EVERY = 0.25
"""Seconds between signs of life, besides those of ticks."""
_COUNT_EVERY = 4
"""Of them: when control is told the counters."""
_LONGEST_BACKLOG = 10_000
"""Messages kept for a control process that does not come back soon."""


class Process:
    """Everything of one worker process. Make it inside a running loop.

    Args:
        setup: from whoever started us.
        listener: where control connects, one at a time.
    """

    def __init__(self, setup: say.Setup, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._setup, self._listener = setup, listener
        self._link: Link | None = None
        self._alone: asyncio.TimerHandle | None = None
        self._over = asyncio.Event()
        self._known: dict[str, Known] = {}
        self._unheard: list[plane.Event | say.Logged] = []
        slots = setup.options.pairs
        self._memory = os.memfd_create("sipgw-table", os.MFD_CLOEXEC)
        os.ftruncate(self._memory, Table.bytes_for(slots))
        self._table = Table(memoryview(mmap.mmap(self._memory, Table.bytes_for(slots))), slots)
        self._telling = Telling(self._say)
        self._worker = Worker(setup.options, self._emit, setup.prompts, self._telling.trace, table=self._table)
        logging.getLogger().handlers[:] = [Forward(self._tell)]

    async def run(self) -> None:
        """Work until control says that it is over, or has been gone for too long."""
        self._wait_for_control()
        self._loop.add_reader(self._listener.fileno(), self._accept)
        every_second = self._loop.create_task(self._count())
        await self._over.wait()
        every_second.cancel()
        self._loop.remove_reader(self._listener.fileno())
        await self._worker.close()
        self._telling.count(self._worker)
        if self._link is not None:
            await self._link.drained()
            self._link.close()

    # --- control's connection ---------------------------------------------------------------------------------

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except BlockingIOError:
            return
        if self._link is not None:
            self._link.close()  # of a control that is gone: there is one at a time
        if self._alone is not None:
            self._alone.cancel()
        self._link = Link(sock, self._take, self._lost)
        self._introduce(self._link)

    def _introduce(self, link: Link) -> None:
        """Say who we are and what we hold, and what nobody has heard, which has made it so."""
        link.send(say.encode(say.Hello(len(self._table), say.VERSION)), (self._memory,))
        for session, known in self._known.items():
            link.send(say.encode(say.Held(known)), self._worker.descriptors(session))
        unheard, self._unheard = self._unheard, []
        for event in unheard:
            self._say(event)
        link.send(say.encode(say.AllHeld()))

    def _lost(self) -> None:
        self._link = None
        self._wait_for_control()

    def _wait_for_control(self) -> None:
        self._alone = self._loop.call_later(self._setup.alone_limit, self._over.set)

    def _say(self, message: say.FromWorker) -> None:
        if self._link is not None:
            self._link.send(say.encode(message))

    # --- commands and events ----------------------------------------------------------------------------------

    def _take(self, data: bytes, descriptors: list[int]) -> None:
        message = say.to_worker.decode(data)
        match message:
            case say.Shutdown():
                self._over.set()
            case say.Detail(on=on):
                self._telling.detailed = on
            case _:
                self._command(message, (descriptors[0], descriptors[1]) if len(descriptors) == 2 else None)

    def _command(self, command: plane.Command, sockets: tuple[int, int] | None) -> None:
        if isinstance(command, plane.CreateSession):
            self._known.setdefault(command.session, Known.of(command))
        elif (known := self._known.get(command.session)) is not None:
            known.command(command)
        self._worker.command(command, sockets)

    def _emit(self, event: plane.Event) -> None:
        if isinstance(event, plane.SessionEnded | plane.SessionFailed):
            self._known.pop(event.session, None)
        elif (known := self._known.get(event.session)) is not None:
            known.event(event)
        self._tell(event)

    def _tell(self, message: plane.Event | say.Logged) -> None:
        """Say what must not be lost: it waits where nobody listens."""
        if self._link is not None:
            self._say(message)
        elif len(self._unheard) < _LONGEST_BACKLOG:
            self._unheard.append(message)

    async def _count(self) -> None:
        for number in itertools.count(1):
            await asyncio.sleep(_BEAT_EVERY)
            self._worker.beat()
            if number % _COUNT_EVERY:
                continue
            if self._link is not None and not self._link.backlog:
                self._telling.count(self._worker)


def main(listener: int, setup: int) -> None:
    """Be a worker process.

    Args:
        listener: descriptor of the listening socket.
        setup: descriptor of a file that holds the `Setup`.
    """
    faulthandler.enable()
    # A terminal's Ctrl-C and systemd's stop reach the whole group: when to go is control's to say, calls drain first.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    given = msgspec.msgpack.decode(os.pread(setup, os.fstat(setup).st_size, 0), type=say.Setup)
    os.close(setup)
    warm_up(given.options)
    # What is alive now stays so: a full collection would cost a whole tick.
    gc.collect()
    gc.freeze()
    uvloop.run(_run(given, listener))


async def _run(setup: say.Setup, listener: int) -> None:
    with socket.socket(fileno=listener) as sock:
        sock.setblocking(False)
        process = Process(setup, sock)
        if setup.options.realtime:
            _be_realtime()
        await process.run()


def _be_realtime() -> None:
    """Run before everything that has no real-time priority."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        logging.getLogger(__name__).warning("media.realtime needs CAP_SYS_NICE; going on without it")
