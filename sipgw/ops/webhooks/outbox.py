"""Deliveries on disk: what each endpoint is still to get. SQLite, used by the gateway and by commands at a time.

Committed means that it survives the process. It is flushed to the disk by SQLite's checkpoints only, so that after a
power cut the last moments may be missing; waiting for the disk would make all deliveries wait.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from sipgw.errors import Unavailable

FILE = "webhooks.sqlite"
"""In the state folder."""
_VERSION = 1
_LOCK_WAIT = 5.0
"""Seconds to wait for a command, or for the gateway, that is writing."""

_SCHEMA = """
CREATE TABLE deliveries (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    call TEXT NOT NULL,
    made REAL NOT NULL,
    body BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    failure TEXT NOT NULL DEFAULT '',
    given_up REAL
);
CREATE INDEX deliveries_due ON deliveries (endpoint, given_up, due);
CREATE INDEX deliveries_of_call ON deliveries (endpoint, call, place) WHERE given_up IS NULL;
CREATE TABLE disabled (endpoint TEXT PRIMARY KEY, url TEXT NOT NULL, reason TEXT NOT NULL, since REAL NOT NULL);
"""
_DUE = """
SELECT place, endpoint, id, kind, call, made, body, attempts FROM deliveries AS one
WHERE endpoint = ? AND given_up IS NULL AND due <= ?
    AND (call = '' OR NOT EXISTS (
        SELECT 1 FROM deliveries AS earlier WHERE earlier.endpoint = one.endpoint AND earlier.call = one.call
            AND earlier.given_up IS NULL AND earlier.place < one.place))
ORDER BY due, place LIMIT ?
"""
"""Of each call only the oldest: what happens in a call arrives in order."""


class Message(NamedTuple):
    """What happened, for endpoints to hear."""

    id: str
    kind: str
    call: str
    made: float
    body: bytes


class Delivery(NamedTuple):
    """One message for one endpoint."""

    place: int
    """Orders them."""
    endpoint: str
    id: str
    kind: str
    call: str
    made: float
    """Unix time."""
    body: bytes
    attempts: int
    """So far."""


class Waiting(NamedTuple):
    """What one endpoint still has to get."""

    endpoint: str
    pending: int
    oldest: float | None
    """Unix time of the oldest that is pending."""
    given_up: int
    failure: str
    """Of the last attempt that failed; empty where none did."""
    disabled: str
    """Why the endpoint gets nothing; empty where it does."""


class Outbox:
    """The deliveries in one file. Belongs to the thread that makes it.

    Raises:
        Unavailable: the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, timeout=_LOCK_WAIT, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._prepare(path)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"{path} cannot be used: {error}; move it away to begin anew") from None

    def add(self, messages: Iterable[tuple[str, Message]], most: Mapping[str, int]) -> Counter[str]:
        """Keep what endpoints are to get, all or nothing; returns how many were left out, by endpoint.

        Args:
            messages: each with the endpoint it is for.
            most: deliveries that may be pending for an endpoint; those beyond are left out.
        """
        left_out: Counter[str] = Counter()
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            room = {endpoint: limit - self._pending(endpoint) for endpoint, limit in most.items()}
            for endpoint, message in messages:
                if room.get(endpoint, 0) <= 0:
                    left_out[endpoint] += 1
                    continue
                room[endpoint] -= 1
                self._db.execute(
                    "INSERT INTO deliveries (endpoint, id, kind, call, made, body, due) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (endpoint, *message, message.made),
                )
        return left_out

    def due(self, endpoint: str, now: float, most: int) -> list[Delivery]:
        """What may be sent now: of each call the oldest only, and what is no call's."""
        return [Delivery(*row) for row in self._db.execute(_DUE, (endpoint, now, most))]

    def next_due(self, endpoint: str, after: float) -> float | None:
        """When the first attempt later than `after` is due; None where there is none."""
        found = self._db.execute(
            "SELECT min(due) FROM deliveries WHERE endpoint = ? AND given_up IS NULL AND due > ?", (endpoint, after)
        )
        when: float | None = found.fetchone()[0]
        return when

    def delivered(self, place: int) -> None:
        """The endpoint has it."""
        self._db.execute("DELETE FROM deliveries WHERE place = ?", (place,))

    def again(self, place: int, due: float, failure: str) -> None:
        """It failed; try again at `due`."""
        self._db.execute(
            "UPDATE deliveries SET attempts = attempts + 1, due = ?, failure = ? WHERE place = ?", (due, failure, place)
        )

    def give_up(self, endpoint: str, made_before: float, now: float) -> int:
        """Try no longer to deliver what is older; returns how many that were. They are kept for `retry`."""
        return self._db.execute(
            "UPDATE deliveries SET given_up = ? WHERE endpoint = ? AND given_up IS NULL AND made < ?",
            (now, endpoint, made_before),
        ).rowcount

    def forget(self, given_up_before: float, endpoints: Iterable[str]) -> None:
        """Delete what was given up before then, and what is as old and for an endpoint that is not among these."""
        names = tuple(endpoints)
        marks = ", ".join("?" * len(names))
        self._db.execute(
            f"DELETE FROM deliveries WHERE given_up < ? OR made < ? AND endpoint NOT IN ({marks})",
            (given_up_before, given_up_before, *names),
        )

    def disable(self, endpoint: str, url: str, reason: str, now: float) -> int:
        """Send it nothing any more, neither what is pending nor what comes; returns how many were pending."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT OR REPLACE INTO disabled VALUES (?, ?, ?, ?)", (endpoint, url, reason, now))
            return self._db.execute(
                "UPDATE deliveries SET given_up = ?, failure = ? WHERE endpoint = ? AND given_up IS NULL",
                (now, reason, endpoint),
            ).rowcount

    def disabled(self) -> set[tuple[str, str]]:
        """Names and URLs of endpoints that get nothing; one that has moved since is another."""
        return set(self._db.execute("SELECT endpoint, url FROM disabled"))

    def retry(self, endpoint: str, now: float) -> int:
        """Send everything now that is pending or was given up, to an endpoint that may have been disabled.

        Returns how many deliveries that are.
        """
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM disabled WHERE endpoint = ?", (endpoint,))
            # What was given up begins anew, or it would be too old at once.
            self._db.execute(
                "UPDATE deliveries SET made = ?, given_up = NULL WHERE endpoint = ? AND given_up IS NOT NULL",
                (now, endpoint),
            )
            return self._db.execute("UPDATE deliveries SET due = ? WHERE endpoint = ?", (now, endpoint)).rowcount

    def waiting(self) -> list[Waiting]:
        """What each endpoint still has to get; only those that there is something to tell of."""
        rows = self._db.execute(
            "SELECT name, sum(place IS NOT NULL AND given_up IS NULL), min(made) FILTER (WHERE given_up IS NULL), "
            "count(given_up), coalesce(max(failure), ''), coalesce(max(reason), '') "
            "FROM (SELECT endpoint AS name FROM deliveries UNION SELECT endpoint FROM disabled) "
            "LEFT JOIN deliveries ON deliveries.endpoint = name LEFT JOIN disabled ON disabled.endpoint = name "
            "GROUP BY name ORDER BY name"
        )
        return [Waiting(*row) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _pending(self, endpoint: str) -> int:
        found = self._db.execute("SELECT count(*) FROM deliveries WHERE endpoint = ? AND given_up IS NULL", (endpoint,))
        count: int = found.fetchone()[0]
        return count

    def _prepare(self, path: Path) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT")
        elif version != _VERSION:
            raise Unavailable(f"{path} was made by a version of sipgw that came after this one; move it away")
