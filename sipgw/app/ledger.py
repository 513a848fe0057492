"""What outlives control: its answered calls and their legs, in the journal of the state folder.

Every change is written before anything is sent because of it, so that the next process knows what far ends know.
"""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from structlog.typing import FilteringBoundLogger

from sipgw.call.registry import Calls
from sipgw.call.snapshot import CallSnapshot
from sipgw.errors import Unavailable
from sipgw.io.journal import Journal
from sipgw.sip.agent import Agent

OLDEST = 4 * 3600.0
"""Seconds after which nobody is told any more that a call is over. No call lasts longer by the defaults, and its far
end's address may be somebody else's by then."""

_LEG, _CALL = "leg", "call"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CallSnapshot).decode


@dataclass(slots=True)
class Changes:
    """Names of what is to be written anew; agent and calls add to it."""

    legs: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Remembered:
    """What the process before us left."""

    calls: list[CallSnapshot] = field(default_factory=list)
    legs: set[str] = field(default_factory=set)
    """The agent has them again."""
    written: float = 0.0
    """Unix time of its last word."""
    old: bool = False
    """Too old to tell far ends: the agent has no legs of it."""


class Ledger:
    """Keeps the journal of one agent and its calls.

    Args:
        folder: where the journal is.
        agent: whose legs are written down.
        calls: what else.
        changes: where both say what has changed.
        log: told of what cannot be read or written.
    """

    def __init__(self, folder: Path, agent: Agent, calls: Calls, changes: Changes, log: FilteringBoundLogger) -> None:
        self._journal = Journal(folder)
        self._agent, self._calls, self._changes, self._log = agent, calls, changes, log
        self._failing = False

    def open(self, now: float) -> Remembered:
        """Read what is left of the process before; its legs are the agent's from here on.

        Raises:
            Unavailable: the journal cannot be read.
        """
        try:
            left = self._journal.open()
        except OSError as error:
            raise Unavailable(f"the journal cannot be read: {error}") from None
        for problem in left.problems:
            self._log.warning("journal not whole", problem=problem)
        found = Remembered(written=left.written, old=time.time() - left.written > OLDEST)
        for key, value in left.rows.items():
            try:
                self._remember(key, value, found, now)
            except Exception as error:  # noqa: BLE001 the other rows are wanted all the same
                self._log.error("journal row not readable", key=key, error=repr(error))
                self._put(key, None)
        return found

    def write(self) -> None:
        """Write down what has changed."""
        while self._changes.legs:
            leg = self._changes.legs.pop()
            plain = self._agent.snapshot(leg)
            self._put(f"{_LEG}/{leg}", None if plain is None else json.dumps(plain).encode())
        while self._changes.calls:
            kept = self._calls.snapshot(self._changes.calls.pop())
            if kept is not None:  # one that is over stays until its record is safe
                self._put(f"{_CALL}/{kept.call}", _bytes(kept))

    def recorded(self, call: str) -> None:
        """The record of a call is safe: nothing more is to be remembered of it."""
        self._put(f"{_CALL}/{call}", None)

    def close(self) -> None:
        """Leave what is still up to the next process."""
        self._journal.close()

    def _remember(self, key: str, value: bytes, found: Remembered, now: float) -> None:
        kind, _, name = key.partition("/")
        if kind == _CALL:
            found.calls.append(_decode(value))
        elif found.old:
            self._put(key, None)
        else:
            self._agent.restore(name, json.loads(value), now)
            found.legs.add(name)

    def _put(self, key: str, value: bytes | None) -> None:
        """Write one row, or that it is gone. Calls go on where that is not possible; it is told once."""
        try:
            if value is None:
                self._journal.drop(key)
            else:
                self._journal.put(key, value)
        except OSError as error:
            if not self._failing:
                self._log.error("journal not written", error=error.strerror, remedy="make room in the state folder")
            self._failing = True
        else:
            self._failing = False


def _bytes(kept: CallSnapshot) -> bytes:
    try:
        return _encode(kept)
    except UnicodeEncodeError:  # a lone surrogate, of a far end's name say, which no encoding has
        return _encode(_mended(msgspec.to_builtins(kept, builtin_types=(bytes,))))


def _mended(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_mended(key): _mended(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_mended(inner) for inner in value]
    return value
