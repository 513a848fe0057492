"""What an INVITE carries besides caller and called, as backends, hooks and records get to know it.

What the caller wishes to keep private is not in here; nor is what a peer said that is not believed.
"""

import msgspec


class Attestation(msgspec.Struct, frozen=True):
    """How sure a carrier is that the caller may use the number."""

    level: str = "unknown"
    """`A`, `B`, `C`, `failed` or `unknown`."""
    source: str = ""
    """The header that said so, in lower case; empty where none did."""


class Diverted(msgspec.Struct, frozen=True):
    """Who sent the call on (RFC 5806)."""

    number: str
    name: str
    reason: str
    """`unconditional`, `user-busy`, `no-answer` …; `unknown` where it is not told."""
    counter: int
    """How often."""


class Passed(msgspec.Struct, frozen=True):
    """An address that the call was for (RFC 7044)."""

    index: str
    """Its place: `1`, `1.1` …"""
    number: str
    cause: int | None
    """The SIP status for which the call left it; None where nobody says."""


class UserData(msgspec.Struct, frozen=True):
    """What another application sends along (RFC 7433)."""

    data: str
    """As written, without quotes."""
    encoding: str
    """`hex`, or whatever else; empty where it is not told, like the following."""
    purpose: str
    content: str


class Carried(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """What an INVITE carries."""

    from_: str = ""
    """The URI in From: what the caller says of itself."""
    to: str = ""
    """The URI in To, which forwarding leaves alone."""
    asserted: tuple[str, ...] = ()
    """The URIs of P-Asserted-Identity: what the network says."""
    privacy: tuple[str, ...] = ()
    """What the caller wishes not to be told (RFC 3323): `id`, `user`, `history` …"""
    attestation: Attestation = Attestation()
    diversions: tuple[Diverted, ...] = ()
    """The most recent first."""
    history: tuple[Passed, ...] = ()
    """In order; the last is where the call is now."""
    user_to_user: tuple[UserData, ...] = ()
    identity: tuple[str, ...] = ()
    """Identity headers exactly as they came (RFC 8224). Nobody has verified them."""

    def brief(self) -> dict[str, str]:
        """What of it is told where there is not much room."""
        return {
            "attestation": self.attestation.level,
            "attestation_source": self.attestation.source,
            "privacy": ", ".join(self.privacy),
            "diverted_by": self.diverted_by,
        }

    @property
    def diverted_by(self) -> str:
        """The number that sent the call on last; empty where none did."""
        return self.diversions[0].number if self.diversions else ""


NOTHING = Carried()
