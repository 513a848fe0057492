"""Who calls, as headers beside From say it: P-Asserted-Identity and P-Preferred-Identity (RFC 3325), Remote-Party-ID
(draft-ietf-sip-privacy-04, what PBXs spoke before), and Privacy (RFC 3323), which says what others may not learn.

What they say counts only from a peer that is believed (`edge.py`); a wish for privacy counts from anybody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sipgw.sip.grammar import WHITESPACE, bad, is_token
from sipgw.sip.values import NameAddr

ANONYMOUS: Final = "anonymous"
"""In the place of what is withheld; the user part of a nameless From as well (RFC 3323 section 4.1.1.3)."""

_NOT_ABOUT_THE_CALLER: Final = frozenset({"none", "header", "session", "critical", "history"})
_FULLY: Final = frozenset({"full", "uri"})


def identities(values: Iterable[str], what: str) -> tuple[NameAddr, ...]:
    """The parties of P-Asserted-Identity or P-Preferred-Identity: a SIP URI, a tel URI, or one of each, as they came.

    Of more than that, which RFC 3325 section 9.1 forbids, the first of each kind.

    Raises:
        PeerError: 400 where one is no address, or neither of both kinds.
    """
    found: dict[bool, NameAddr] = {}
    for value in values:
        party = NameAddr.parse(value)
        if not (party.uri.is_sip or party.uri.scheme == "tel"):
            bad(what)
        found.setdefault(party.uri.is_sip, party)
    return tuple(found.values())


def is_anonymous(party: NameAddr) -> bool:
    """Whether somebody calls without a name, by the From that RFC 3323 has for that, or one much like it."""
    return party.uri.address.lower() == "anonymous.invalid" or party.uri.user_text.lower() == ANONYMOUS


@dataclass(frozen=True, slots=True)
class RemoteParty:
    """One Remote-Party-ID."""

    party: NameAddr

    @classmethod
    def parse(cls, text: str) -> "RemoteParty":
        """Read one.

        Raises:
            PeerError: 400 where it is none.
        """
        return cls(NameAddr.parse(text))

    @property
    def is_caller(self) -> bool:
        """Whether it speaks of the caller, as it does where it does not say."""
        return (self.party.params.get("party") or "calling").lower() == "calling"

    @property
    def is_screened(self) -> bool:
        """Whether the network has looked at the number, or given it; else it is no more than a second From."""
        return (self.party.params.get("screen") or "no").lower() == "yes"

    @property
    def hides_number(self) -> bool:
        """Whether the number is not to be shown."""
        return self._privacy in _FULLY

    @property
    def hides_name(self) -> bool:
        """Whether the name is not to be shown."""
        return self._privacy in ("full", "name")

    @property
    def _privacy(self) -> str:
        # `full-network` says besides who wishes it.
        return (self.party.params.get("privacy") or "off").lower().partition("-")[0]


@dataclass(frozen=True, slots=True)
class Privacy:
    """What is wished not to be told (RFC 3323 section 4.2)."""

    values: tuple[str, ...] = ()
    """Lower case, in order: `id`, `user`, `header`, `session`, `history`, `none`, `critical` …"""

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Privacy":
        """Read the values of all such lines.

        Raises:
            PeerError: 400 where one is no token.
        """
        # Semicolons are right; commas come from those who know other headers.
        values = (value.strip(WHITESPACE) for text in texts for value in text.replace(",", ";").split(";"))
        found = tuple(dict.fromkeys(value.lower() for value in values if value))
        if not all(map(is_token, found)):
            bad("Privacy")
        return cls(found)

    @property
    def hides_caller(self) -> bool:
        """Whether the caller's number and name are to be withheld; so they are where a wish is not understood."""
        return not _NOT_ABOUT_THE_CALLER.issuperset(self.values)

    @property
    def hides_history(self) -> bool:
        """Whether the same goes for where the call went before (RFC 7044 section 10.1.2)."""
        return "history" in self.values or "header" in self.values

    @property
    def is_waived(self) -> bool:
        """Whether the caller wishes for none, in so many words."""
        return "none" in self.values and not self.hides_caller
