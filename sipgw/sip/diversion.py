"""Where a call went before it came here: Diversion (RFC 5806), as telephone networks say it; History-Info (7044)."""

import re
from dataclasses import dataclass
from typing import Final

from sipgw.sip.grammar import bad, number
from sipgw.sip.uri import Uri, unescape
from sipgw.sip.values import NameAddr

_MOST: Final = 9999
_INDEX = re.compile(r"[0-9]++(?:\.[0-9]++)*+")
_CAUSE = re.compile(r"\bcause\s*=\s*([0-9]{1,4})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Diversion:
    """One Diversion: who sent the call on. The first of a message is the most recent."""

    party: NameAddr
    counter: int
    """How often, as many networks write several in a row as one."""

    @classmethod
    def parse(cls, text: str) -> "Diversion":
        """Read one.

        Raises:
            PeerError: 400 where it is none.
        """
        party = NameAddr.parse(text)
        return cls(party, number(party.params.get("counter") or "1", _MOST, "Diversion"))

    @property
    def reason(self) -> str:
        """`unconditional`, `user-busy`, `no-answer`, `deflection` … in lower case; `unknown` where it is not told."""
        return (self.party.params.get("reason") or "unknown").lower()

    @property
    def hides_number(self) -> bool:
        """Whether the number is not to be shown."""
        return self._privacy in ("full", "uri")

    @property
    def hides_name(self) -> bool:
        """Whether the name is not to be shown."""
        return self._privacy in ("full", "name")

    @property
    def _privacy(self) -> str:
        return (self.party.params.get("privacy") or "off").lower()


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One entry of History-Info: an address the call was for. The last of a message is the one it has now."""

    party: NameAddr
    index: str
    """Its place among those before: `1`, `1.1`, `1.2` …"""
    cause: int | None
    """Why the call left the address for the next: a SIP status (RFC 3326, RFC 4458); None where it did not, or no one
    says."""
    hidden: bool
    """Not to be shown."""

    @classmethod
    def parse(cls, text: str) -> "HistoryEntry":
        """Read one.

        Raises:
            PeerError: 400 where it is none, or has no index.
        """
        party = NameAddr.parse(text)
        index = party.params.get("index") or ""
        if not _INDEX.fullmatch(index):
            bad("History-Info")
        said = _inside(party.uri)
        return cls(
            party, index, _cause(party.uri, said.get("reason", "")), "history" in said.get("privacy", "").lower()
        )


def _inside(uri: Uri) -> dict[str, str]:
    """Headers inside a URI; Teams writes them without %XX."""
    pairs = (item.partition("=") for item in uri.headers.split("&") if item)
    return {unescape(name).lower(): unescape(value) for name, _, value in pairs}


def _cause(uri: Uri, reason: str) -> int | None:
    found = _CAUSE.search(reason)
    if found:
        return int(found[1])
    given = uri.param("cause") if uri.is_sip else None
    return int(given) if given and given.isascii() and given.isdigit() and len(given) <= 4 else None
