"""Who asks: tokens with roles. Of a token only its hash is kept; guesses are few and take long."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from sipgw.options import TokenOptions

_GUESSES = 20
"""Bad tokens from one address within `_WINDOW`."""
_WINDOW = 60.0
_ADDRESSES = 1000
"""Addresses whose guesses are counted."""


class Role(IntEnum):
    """How far a token goes; each may do what those before it may."""

    READ = 1
    OPERATE = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Who:
    """The bearer of a token."""

    name: str
    role: Role


class TooManyGuesses(Exception):
    """An address sent too many bad tokens; `wait` seconds from now it may try again."""

    def __init__(self, wait: float) -> None:
        super().__init__("too many bad tokens")
        self.wait = wait


class Access:
    """All tokens.

    Args:
        tokens: those that are valid.
    """

    def __init__(self, tokens: Iterable[TokenOptions]) -> None:
        self._known: list[tuple[bytes, Who]] = []
        self.accept(tokens)
        self._guesses: dict[str, tuple[float, int]] = {}
        """When an address's window began, and its bad tokens since."""

    def accept(self, tokens: Iterable[TokenOptions]) -> None:
        """Only these are valid from now on."""
        self._known = [(_hash(one.token), Who(one.name, Role[one.role.upper()])) for one in tokens]

    def who(self, token: str, source: str, now: float) -> Who | None:
        """Whose token it is; None where it is nobody's.

        Args:
            token: as it was sent.
            source: the address it came from.
            now: seconds, on any clock.

        Raises:
            TooManyGuesses: this address has to wait; its token was not looked at.
        """
        began, count = self._guesses.get(source, (now, 0))
        if now - began >= _WINDOW:
            began, count = now, 0
            self._guesses.pop(source, None)
        if count >= _GUESSES:
            raise TooManyGuesses(began + _WINDOW - now)
        found = self._find(token)
        if found is None:
            self._guesses[source] = began, count + 1
            while len(self._guesses) > _ADDRESSES:
                del self._guesses[next(iter(self._guesses))]
        return found

    def _find(self, token: str) -> Who | None:
        """Compares with every token there is, so that time does not tell how near a guess was."""
        given, found = _hash(token), None
        for known, who in self._known:
            if hmac.compare_digest(given, known):
                found = who
        return found


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()
