"""The header lines of a message: ordered, found without regard to case and in long and compact form (RFC 3261 7.3)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from sipgw.sip.grammar import split_list

COMPACT: Final = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
"""Compact forms as registered with IANA, and the long names in lower case."""


@lru_cache(maxsize=1024)
def key(name: str) -> str:
    """The one name under which all spellings of a header are found."""
    # Kept: it is asked a hundred times a call, for the same few dozen spellings.
    lower = name.lower()
    return COMPACT.get(lower, lower)


@dataclass(frozen=True, slots=True, init=False)
class Headers:
    """Header lines as name and value, in order and spelled as they came."""

    pairs: tuple[tuple[str, str], ...]
    """For copying into another message: a value may be `Latin1`, which remembers the bytes it came in.

    Whatever is read by name or by iteration is plain text.
    """
    _index: dict[str, list[str]] = field(compare=False, repr=False)
    """Filled at the first look: what we only print is never looked into."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        object.__setattr__(self, "pairs", tuple(pairs))
        object.__setattr__(self, "_index", {})

    @property
    def _values(self) -> dict[str, list[str]]:
        index = self._index
        if not index:
            for name, value in self.pairs:
                index.setdefault(key(name), []).append(str(value))
        return index

    def get(self, name: str) -> str | None:
        """The value of the first such line, or None."""
        values = self._values.get(key(name))
        return values[0] if values else None

    def all(self, name: str) -> tuple[str, ...]:
        """The values of all such lines, one for each line."""
        return tuple(self._values.get(key(name), ()))

    def listed(self, name: str) -> tuple[str, ...]:
        """The items of all such lines, comma-joined lines taken apart.

        Only for headers whose grammar is a list: a Date or an Authorization has commas of its own.
        """
        return tuple(item for line in self._values.get(key(name), ()) for item in split_list(line))

    def with_(self, name: str, value: str) -> "Headers":
        """The same with one such line, in the place of the first; at the end where there was none."""
        if name not in self:
            return self.plus((name, value))
        wanted, pairs, done = key(name), [], False
        for pair in self.pairs:
            if key(pair[0]) != wanted:
                pairs.append(pair)
            elif not done:
                pairs.append((pair[0], value))
                done = True
        return Headers(pairs)

    def without(self, name: str) -> "Headers":
        """The same without such lines."""
        wanted = key(name)
        return Headers(pair for pair in self.pairs if key(pair[0]) != wanted)

    def plus(self, *pairs: tuple[str, str]) -> "Headers":
        """The same with these lines at the end."""
        return Headers((*self.pairs, *pairs))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and key(name) in self._values

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, str(value)) for name, value in self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)
