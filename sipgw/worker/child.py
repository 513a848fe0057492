"""A worker process as control sees it: started or found again, spoken with over its link, killed and reaped."""

import asyncio
import mmap
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Protocol

import msgspec

from sipgw.media import plane
from sipgw.media.table import Table
from sipgw.worker import messages as say
from sipgw.worker.folder import SocketFolder
from sipgw.worker.link import Link
from sipgw.worker.tick import Lateness
from sipgw.worker.watch import Watch, usage_of

Telling = plane.Event | say.Counted | say.Noted | say.Logged


class Keeper(Protocol):
    """Takes what a child has to tell."""

    def held(self, child: "Child", held: say.Held, sockets: tuple[int, int]) -> None:
        """It holds a session from before; the sockets are the keeper's."""

    def ready(self, child: "Child") -> None:
        """It takes commands from now on."""

    def heard(self, child: "Child", message: Telling) -> None:
        """It said something."""

    def gone(self, child: "Child") -> None:
        """It is dead, and everything it said before has been heard."""


class Child:
    """One worker process. Made by `start` or `find`, inside a running loop."""

    def __init__(
        self,
        pid: int,
        sock: socket.socket,
        folder: SocketFolder,
        keeper: Keeper,
        process: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self.pid, self._folder, self._keeper, self._process = pid, folder, keeper, process
        self.born = time.monotonic()
        """When we began to know it."""
        self.sessions = 0
        """How many it was given and has not ended."""
        self.table: Table | None = None
        self.ready = False
        self.leaving = False
        """It was told to go."""
        self.lateness = Lateness()
        self.failures: dict[str, int] = {}
        """Failed system calls on RTP sockets."""
        self._reason = ""
        """Why we killed it."""
        self._watch = Watch()
        self._loop = asyncio.get_running_loop()
        self._exit = os.pidfd_open(pid)
        """Readable once the process is dead; -1 from then on."""
        self._loop.add_reader(self._exit, self._exit_seen)
        self._link = Link(sock, self._take, self._link_ended)

    @staticmethod
    def start(folder: SocketFolder, setup: int, keeper: Keeper) -> "Child":
        """Start a process; `ready` follows in about a second. Raises OSError.

        Args:
            folder: where it listens.
            setup: descriptor of a file that holds the `Setup`.
        """
        with folder.listen() as listener:
            passed = listener.fileno(), setup
            # -P: nothing that lies in the working directory takes the place of a module.
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "sipgw.worker", *map(str, passed)],
                pass_fds=passed, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            folder.give(process.pid)
            return Child(process.pid, folder.connect(process.pid), folder, keeper, process)

    @staticmethod
    def find(pid: int, folder: SocketFolder, keeper: Keeper) -> "Child":
        """A process of an earlier control; what it `held` follows, then `ready`. Raises OSError where it is gone."""
        return Child(pid, folder.connect(pid), folder, keeper)

    # --- commands ---------------------------------------------------------------------------------------------

    def detail(self, on: bool) -> None:
        """Let it tell every note, or only how many were drops."""
        self._link.send(say.encode(say.Detail(on)))

    def send(self, command: plane.Command, sockets: tuple[int, int] | tuple[()] = ()) -> None:
        """Give it a command; the sockets are duplicated on the way."""
        self._link.send(plane.encode(command), sockets)

    def shut_down(self) -> None:
        """Let it end its sessions and go."""
        self.leaving = True
        self._link.send(say.encode(say.Shutdown()))

    def kill(self, reason: str) -> None:
        """End it at once, whatever it is doing; `gone` follows."""
        if self._exit >= 0:
            self._reason = self._reason or reason
            signal.pidfd_send_signal(self._exit, signal.SIGKILL)

    def is_stuck(self, now: float) -> bool:
        """Whether it has been without a sign of life for too long. To be asked every `watch.INTERVAL`."""
        if self.table is None or self._exit < 0:
            return False
        try:
            return self._watch.look(now, self.table.beaten, usage_of(self.pid))
        except OSError:  # it is gone, which is told in a moment
            return False

    # --- its word ---------------------------------------------------------------------------------------------

    def _take(self, data: bytes, descriptors: list[int]) -> None:
        message = self._understood(data)
        if message is None:
            for descriptor in descriptors:
                os.close(descriptor)
            return
        match message:
            case say.Hello():
                self._met(message, descriptors[0])
            case say.Held():
                self._keeper.held(self, message, (descriptors[0], descriptors[1]))
            case say.AllHeld():
                self.ready = True
                self._keeper.ready(self)
            case say.Counted():
                self.lateness = Lateness(message.buckets, message.ticks, message.missed, message.sum_ms)
                self.failures = message.failures
                self._keeper.heard(self, message)
            case _:
                self._keeper.heard(self, message)

    def _understood(self, data: bytes) -> say.FromWorker | None:
        """The message; None where we do not go on with this worker."""
        try:
            message = say.from_worker.decode(data)
        except msgspec.DecodeError as error:
            self.kill(f"said something that makes no sense: {error}")
            return None
        if isinstance(message, say.Hello) and message.version != say.VERSION:
            self.kill("is of another version of sipgw")
            return None
        return message if self.table is not None or isinstance(message, say.Hello) else None

    def _met(self, hello: say.Hello, memory: int) -> None:
        with open(memory, "rb") as file:
            size = Table.bytes_for(hello.slots)
            mapped = mmap.mmap(file.fileno(), size, mmap.MAP_SHARED, mmap.PROT_READ)
        self.table = Table(memoryview(mapped), hello.slots)

    # --- the end ----------------------------------------------------------------------------------------------

    def _exit_seen(self) -> None:
        self._loop.remove_reader(self._exit)
        os.close(self._exit)
        self._exit = -1
        if self._process is not None:
            self._process.wait()
        self._folder.remove(self.pid)
        if not self._link.open:
            self._bury()

    def _link_ended(self) -> None:
        if self._exit < 0:
            self._bury()
        elif not self.leaving:
            # Whatever does not speak with us any more must not speak with our callers.
            self.kill("its link ended")

    def _bury(self) -> None:
        self._keeper.gone(self)
        self.table = None

    @property
    def epitaph(self) -> str:
        """How it ended."""
        code = self._process.returncode if self._process else None
        how = "" if code is None else f"killed by signal {-code}" if code < 0 else f"exited with {code}"
        return ", ".join(word for word in (f"pid {self.pid}", self._reason, how) if word)
