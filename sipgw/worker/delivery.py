"""Events of the media plane on their way to control: each in a later turn of the loop than what caused it."""

import asyncio
from collections.abc import Callable

from sipgw.media import plane


class Delivery:
    """Keeps events until somebody listens, then delivers them in order. Make it inside a running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener: Callable[[plane.Event], None] | None = None
        self._waiting: list[plane.Event] = []
        self._due: asyncio.Handle | None = None

    def listen(self, listener: Callable[[plane.Event], None]) -> None:
        """Deliver to `listener` from now on; what waited for one comes first."""
        self._listener = listener
        self._deliver_soon()

    def add(self, event: plane.Event) -> None:
        """Deliver `event` after those that were added before it."""
        self._waiting.append(event)
        self._deliver_soon()

    def flush(self) -> None:
        """Deliver at once what waits, if anybody listens."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if self._listener is None:
            return
        taken, self._waiting = self._waiting, []
        for event in taken:
            self._listener(event)

    def _deliver_soon(self) -> None:
        if self._due is None and self._listener is not None and self._waiting:
            self._due = self._loop.call_soon(self.flush)
