"""A second loop in a thread of its own, for work that may be slow and must not hold the calls up."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Args = TypeVarTuple("Args")


class Aside:
    """A loop in a thread; made and stopped from the outside.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def call(self, act: Callable[[*Args], object], *args: *Args) -> None:
        """Call `act` in there, soon. After `stop` nothing is called any more."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(act, *args)

    def run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run `work` in there. Cancelling what is returned cancels the work."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def stop(self) -> None:
        """Cancel what still runs, let it finish, and end the thread."""
        await asyncio.wrap_future(self.run(_cancel_all()))
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
