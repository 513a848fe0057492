"""The far ends as processes: started, spoken to over a pipe, and ended with the run whatever becomes of it."""

import asyncio
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Self

from sipgw.errors import Unavailable
from sipgw.tools.bench.usage import Usage, usage

_LIMIT = 60.0
_END_LIMIT = 5.0


class Child:
    """One process that runs `work(*arguments, pipe)`. Inside `async with`."""

    def __init__(self, work: Callable[..., None], *arguments: object) -> None:
        # Not forked: a copy of this process's loop and descriptors would be in the way.
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._theirs: Connection | None = theirs
        self._process = context.Process(target=work, args=(*arguments, theirs), daemon=True)
        self._name = work.__name__

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._process.start)
        assert self._theirs is not None
        self._theirs.close()  # so that its end is seen
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._end)

    def tell(self, word: object) -> None:
        """Send it a word."""
        self._pipe.send(word)

    async def hear(self) -> Any:
        """What it says next.

        Raises:
            Unavailable: it ended, or says nothing.
        """
        return await asyncio.to_thread(self._hear)

    def used(self) -> Usage:
        """What it has used."""
        assert self._process.pid is not None
        return usage(self._process.pid)

    def _hear(self) -> Any:
        if not self._pipe.poll(_LIMIT):
            raise Unavailable(f"the process {self._name} says nothing")
        try:
            return self._pipe.recv()
        except EOFError:
            self._process.join(_END_LIMIT)
            raise Unavailable(f"the process {self._name} ended with {self._process.exitcode}") from None

    def _end(self) -> None:
        self._pipe.close()
        self._process.join(0.5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
