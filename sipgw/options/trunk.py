"""What the layers get to see of trunks: who may send us calls, and how either side proves who it is."""

from dataclasses import dataclass, field
from typing import Literal

Nat = Literal["auto", "always", "never"]
"""Whether a peer's Contact is replaced by the address it was last heard from, for requests within its dialogs."""


@dataclass(frozen=True, slots=True)
class CredentialOptions:
    """A name and a password."""

    username: str
    password: str = field(repr=False)
    realm: str = ""
    """Where they are good for; empty for any."""


@dataclass(frozen=True, slots=True)
class RegistrationOptions:
    """How we register with a peer, so that it knows where to send calls (RFC 3261 section 10)."""

    registrars: tuple[str, ...]
    """SIP URIs; the next is tried where one does not work."""
    user: str
    """The user part of the address we register, and of our Contact."""
    domain: str = ""
    """The host part of that address; empty means that of the registrar."""
    expires: int = 3600
    """Seconds asked for; the registrar may give less, or want more."""


@dataclass(frozen=True, slots=True)
class IdentityOptions:
    """What is believed of what a peer says about its callers."""

    believed: bool = True
    """Headers that only a trusted peer may send count: asserted identities, attestation, diversions. Else they are
    taken out of what it sends."""
    order: tuple[str, ...] = ("pai", "rpid", "from")
    """Where the caller's number is taken from, the first that is there: `pai`, `rpid`, `ppi` or `from`."""


NOBODY = IdentityOptions(believed=False, order=("from",))
"""For who is no trunk."""


@dataclass(frozen=True, slots=True)
class TrunkOptions:
    """One carrier, PBX or other peer."""

    name: str
    sources: tuple[str, ...] = ()
    """Addresses or ranges it sends from."""
    names: tuple[str, ...] = ()
    """Names that its certificate proves, over TLS."""
    users: tuple[CredentialOptions, ...] = ()
    """Who must prove to be one of them, by digest; with `sources` or `names`, besides coming from there."""
    credentials: tuple[CredentialOptions, ...] = ()
    """What we say where the peer asks who we are."""
    register: RegistrationOptions | None = None
    """None where the peer knows without that where we are."""
    identity: IdentityOptions = IdentityOptions()
    """What is believed of what it says about its callers."""
    nat: Nat = "auto"
    """Whether its Contact is replaced by its source; `auto`: where it cannot be right (`sip/paths.py`)."""
