"""Parameters of headers and URIs: `;name=value;flag` (RFC 3261 section 25.1, generic-param and uri-parameter)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sipgw.sip.grammar import bad, unquote

_PARAM = re.compile(
    r'[ \t\r\n]*+;[ \t\r\n]*+([^\s;=,"<>]++)[ \t\r\n]*+'
    r'(?:=[ \t\r\n]*+("(?:[^"\\]|\\.)*+"|[^\s;,"<>]*+)[ \t\r\n]*+)?+',
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Params:
    """Ordered parameters whose names know no case. Values are kept as they came, quotes and all."""

    pairs: tuple[tuple[str, str | None], ...] = ()
    """Name and value as written; None for a flag."""

    @classmethod
    def parse(cls, text: str) -> "Params":
        """Read `;name=value;flag`.

        Raises:
            PeerError: 400 where the text holds anything but parameters, each with a name.
        """
        pairs, at, end = [], 0, len(text)
        while at < end:
            found = _PARAM.match(text, at)
            if not found:
                if not text[at:].strip(" \t\r\n"):
                    break
                bad("parameter")
            pairs.append((found[1], found[2]))
            at = found.end()
        return cls(tuple(pairs))

    def get(self, name: str) -> str | None:
        """The value without quotes; the empty string for a flag, None where there is no such parameter."""
        wanted = name.lower()
        for key, value in self.pairs:
            if key.lower() == wanted:
                return unquote(value) if value else ""
        return None

    def with_(self, name: str, value: str | None) -> "Params":
        """The same with this parameter set, in its place where it was there before. The value is written as given."""
        if name not in self:
            return Params((*self.pairs, (name, value)))
        wanted, pairs, done = name.lower(), [], False
        for key, old in self.pairs:
            if key.lower() != wanted:
                pairs.append((key, old))
            elif not done:
                pairs.append((key, value))
                done = True
        return Params(tuple(pairs))

    def without(self, name: str) -> "Params":
        """The same without this parameter."""
        wanted = name.lower()
        return Params(tuple(pair for pair in self.pairs if pair[0].lower() != wanted))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str | None]]:
        return iter(self.pairs)

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def __str__(self) -> str:
        return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in self.pairs)


NO_PARAMS: Final = Params()
