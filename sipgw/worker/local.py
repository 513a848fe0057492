"""`LocalPlane`: the media plane in the control process's own loop (`workers: 0`).

What crosses goes through the seam's encoding and comes back in a later turn of the loop, and the sockets travel as
duplicated descriptors: all as it is with a worker in another process, so that nothing works only here.
"""

import asyncio
import os
from collections.abc import Callable

from sipgw.ai.registry import Prompts
from sipgw.media import plane
from sipgw.options import MediaOptions
from sipgw.trace import Trace, silent
from sipgw.worker.known import Adopted
from sipgw.worker.worker import Worker


class LocalPlane:
    """A worker of our own. Make it inside a running loop.

    Args:
        options: the media plane's settings.
        prompts: what can be played: PCM16 at 24 kHz by name.
        trace: takes notes.
    """

    def __init__(self, options: MediaOptions, prompts: Prompts, trace: Trace = silent) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener: Callable[[plane.Event], None] | None = None
        self._waiting: list[bytes] = []
        self._delivery: asyncio.Handle | None = None
        self._worker = Worker(options, self._emit, prompts, trace)

    @property
    def workers(self) -> dict[str, Worker]:
        """The one there is, by its number, for its counters."""
        return {"0": self._worker}

    async def start(self) -> None:
        """It is ready as made."""

    async def adopt(self) -> list[Adopted]:
        """Nothing of an earlier process lives on."""
        return []

    def detail(self, on: bool) -> None:
        """Its notes come in any case; they cost nothing that a log does not want."""

    def command(self, command: plane.Command, sockets: tuple[int, int] | None = None) -> None:
        """Carry out `command`."""
        passed = None if sockets is None else (os.dup(sockets[0]), os.dup(sockets[1]))
        self._worker.command(plane.decode_command(plane.encode(command)), passed)

    def listen(self, listener: Callable[[plane.Event], None]) -> None:
        """Send every event to `listener` from now on; those that waited for one come first."""
        self._listener = listener
        self._deliver_soon()

    async def close(self) -> None:
        """End all sessions and release everything; their last events are delivered before this returns."""
        await self._worker.close()
        self._deliver()

    def _emit(self, event: plane.Event) -> None:
        self._waiting.append(plane.encode(event))
        self._deliver_soon()

    def _deliver_soon(self) -> None:
        if self._delivery is None and self._listener is not None and self._waiting:
            self._delivery = self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        if self._delivery is not None:
            self._delivery.cancel()
            self._delivery = None
        if self._listener is None:
            return
        taken, self._waiting = self._waiting, []
        for data in taken:
            self._listener(plane.decode_event(data))
