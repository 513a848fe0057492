"""`LocalPlane`: the media plane in the control process's own loop (`workers: 0`).

What crosses goes through the seam's encoding and comes back in a later turn of the loop, and the sockets travel as
duplicated descriptors: all as it is with a worker in another process, so that nothing works only here.
"""

import os
from collections.abc import Callable

from sipgw.ai.registry import Prompts
from sipgw.media import plane
from sipgw.options import MediaOptions
from sipgw.trace import Trace, silent
from sipgw.worker.delivery import Delivery
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
        self._delivery = Delivery()
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
        self._delivery.listen(listener)

    async def close(self) -> None:
        """End all sessions and release everything; their last events are delivered before this returns."""
        await self._worker.close()
        self._delivery.flush()

    def _emit(self, event: plane.Event) -> None:
        self._delivery.add(plane.decode_event(plane.encode(event)))
