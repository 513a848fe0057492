"""What the layers get to see of trunks: who may send us calls, and how either side proves who it is."""

from dataclasses import dataclass, field


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
