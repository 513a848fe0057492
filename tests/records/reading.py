"""A database with four calls in it, and which of them each filter finds; the same on every database."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import URL

from sipgw.call.cdr import CallRecord
from sipgw.records.reading import Filter, Row
from sipgw.records.rows import moment
from sipgw.records.store import Store
from tests.records.records import NOON, record, refused


@dataclass(frozen=True)
class FilterCase:
    """A filter and the calls it finds."""

    name: str
    wanted: Filter
    calls: list[str]


FOUND = [
    FilterCase("all", Filter(), ["n1-4", "n1-3", "n1-2", "n1-1"]),
    FilterCase("since", Filter(since=moment(NOON + 20)), ["n1-4", "n1-3"]),
    FilterCase("until", Filter(until=moment(NOON + 20)), ["n1-2", "n1-1"]),
    FilterCase("caller", Filter(number="+4930123"), ["n1-4", "n1-2", "n1-1"]),
    FilterCase("called", Filter(number="200"), ["n1-3"]),
    FilterCase("prefix", Filter(number="+49*"), ["n1-4", "n1-2", "n1-1"]),
    FilterCase("percent", Filter(number="10%*"), []),
    FilterCase("cause", Filter(cause="not_found"), ["n1-2"]),
    FilterCase("route", Filter(route="1*"), ["n1-3", "n1-1"]),
    FilterCase("trunk", Filter(trunk="carrier"), ["n1-4"]),
    FilterCase("backend", Filter(backend="first"), ["n1-3", "n1-1"]),
    FilterCase("a caller is no backend", Filter(backend="+4930123"), []),
    FilterCase("all at once", Filter(since=moment(NOON + 1), number="2*", backend="second"), ["n1-3"]),
]


async def filled(url: URL, *more: CallRecord) -> URL:
    """The database at `url`, with the calls and more."""
    store = Store(url)
    await store.migrate()
    await store.write(
        [
            record("n1-1"),
            refused("n1-2", started=NOON + 10),
            record("n1-3", started=NOON + 20, caller="+33155", called="200"),
            refused("n1-4", started=NOON + 30, cause="overload", trunk="carrier"),
            *more,
        ]
    )
    await store.close()
    return url


def ids(found: Sequence[Row]) -> list[str]:
    """The calls' ids."""
    return [row["call"] for row in found]
