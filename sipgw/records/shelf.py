"""Where phones are registered, in the database: so that they can be called after a restart as before it.

What the database has to hold of each phone waits here until it is written, the newest alone: while the database is
down, that much is lost and no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sipgw.records.rows import clean, moment

Row = dict[str, Any]
Key = tuple[str, str]
"""Node and phone."""


@dataclass(frozen=True, slots=True)
class KeptBinding:
    """One place where a phone is registered. Times are Unix times."""

    contact: str
    """The whole Contact, without `expires`."""
    transport: str
    local: tuple[str, int]
    """Our listener."""
    remote: tuple[str, int]
    """Where it is reached."""
    source: tuple[str, int]
    """Where it registered from."""
    registered: float
    expires: float
    call_id: str
    cseq: int
    path: tuple[str, ...]
    direct: bool
    natted: bool
    user_agent: str

    def row(self, node: str, phone: str, number: int) -> Row:
        """As the table has it."""
        return {
            "node": node, "phone": phone, "number": number, "contact": clean(self.contact),
            "transport": self.transport, "local_host": self.local[0], "local_port": self.local[1],
            "host": self.remote[0], "port": self.remote[1],
            "source_host": self.source[0], "source_port": self.source[1],
            "registered": moment(self.registered), "expires": moment(self.expires),
            "call_id": clean(self.call_id), "cseq": self.cseq, "path": [clean(hop) for hop in self.path],
            "direct": self.direct, "natted": self.natted, "user_agent": clean(self.user_agent),
        }  # fmt: skip

    @classmethod
    def of(cls, row: Row) -> "KeptBinding":
        """From the table."""
        return cls(
            row["contact"], row["transport"], (row["local_host"], row["local_port"]), (row["host"], row["port"]),
            (row["source_host"], row["source_port"]), _unix(row["registered"]), _unix(row["expires"]),
            row["call_id"], row["cseq"], tuple(row["path"]), row["direct"], row["natted"], row["user_agent"],
        )  # fmt: skip


class Shelf:
    """What waits to be written. `put` in the loop, `take` and `put_back` in the keeper's thread."""

    def __init__(self) -> None:
        self._waiting: dict[Key, list[Row]] = {}

    def put(self, node: str, phone: str, bindings: Sequence[KeptBinding]) -> None:
        """These are all that the phone has now."""
        self._waiting[node, phone] = [one.row(node, phone, number) for number, one in enumerate(bindings, 1)]

    def take(self) -> dict[Key, list[Row]]:
        """What is to be written, by node and phone."""
        taken, self._waiting = self._waiting, {}
        return taken

    def put_back(self, rows: dict[Key, list[Row]]) -> None:
        """It was not written; what has come since is newer."""
        for key, found in rows.items():
            self._waiting.setdefault(key, found)


def _unix(when: datetime) -> float:
    return when.timestamp()
