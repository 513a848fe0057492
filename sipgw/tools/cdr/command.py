"""What `sipgw cdr` does with a database."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from sipgw.errors import Unavailable
from sipgw.records.reading import Filter, Reader
from sipgw.records.store import Store, said
from sipgw.tools.cdr.export import Form, json_of, writer
from sipgw.tools.cdr.show import show_calls, show_story

_WIDE = 220
"""Columns of a table that goes into a file or another program."""


def console(*, stderr: bool = False) -> Console:
    """One that does not cut tables off where nobody looks at them."""
    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=_WIDE)


def list_calls(url: URL, wanted: Filter, limit: int, *, as_json: bool) -> None:
    """Print the newest calls."""

    async def work() -> None:
        async with _reading(url) as reader:
            found = await reader.newest(wanted, limit)
        if as_json:
            sys.stdout.writelines(f"{json_of(row)}\n" for row in found)
        elif found:
            show_calls(found, console())
        else:
            console(stderr=True).print("no calls")

    asyncio.run(work())


def show(url: URL, call: str, *, as_json: bool) -> None:
    """Print all there is of one call. Raises Unavailable where there is none."""

    async def work() -> None:
        async with _reading(url) as reader:
            story = await reader.story(call)
        if story is None:
            raise Unavailable(f"there is no record of a call {call!r}")
        if as_json:
            print(json_of(story.document()))
        else:
            show_story(story, console())

    asyncio.run(work())


def export(url: URL, wanted: Filter, form: Form, output: Path | None) -> None:
    """Write the calls, in the order they began, to a file or to standard output; progress is shown to a terminal."""

    async def work() -> None:
        async with _reading(url) as reader:
            total = await reader.count(wanted)
            with _opened(output) as out, _progress(total) as progress:
                write = writer(form, out)
                async for stories in reader.stories(wanted):
                    write(stories)
                    progress.advance(progress.task_ids[0], len(stories))

    asyncio.run(work())


def migrate(url: URL) -> None:
    """Bring the tables up to date. Raises Unavailable."""

    async def work() -> tuple[str, str]:
        store = Store(url)
        try:
            return await store.migrate()
        except (DBAPIError, OSError) as error:
            raise Unavailable(f"the tables cannot be migrated: {said(error)}") from None
        finally:
            await store.close()

    before, after = asyncio.run(work())
    told = f"the tables are of version {after}"
    console().print(f"{told} already" if before == after else f"{told} now, from {before or 'nothing'}")


@asynccontextmanager
async def _reading(url: URL) -> AsyncIterator[Reader]:
    reader = Reader(url)
    try:
        yield reader
    finally:
        await reader.close()


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    with contextlib.ExitStack() as stack:
        yield sys.stdout if output is None else stack.enter_context(output.open("w", encoding="utf-8", newline=""))


@contextmanager
def _progress(total: int) -> Iterator[Progress]:
    shown = Console(stderr=True)
    with Progress(console=shown, transient=True, disable=not shown.is_terminal) as progress:
        progress.add_task("exporting", total=total)
        yield progress
