"""What the layers get to see of phones that register with us."""

from dataclasses import dataclass, field

PREFIX = "phone:"
"""Before a phone's name, where trunks and phones stand side by side."""


@dataclass(frozen=True, slots=True)
class PhoneOptions:
    """One phone, or all the phones on one desk."""

    name: str
    user: str
    """Its extension: the user part of its address, and its name in digest."""
    password: str = field(default="", repr=False)
    hashes: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """In place of a password: by algorithm what it is hashed to together with user and realm (HA1), in hex."""
    display_name: str = ""
    max_contacts: int = 5
    """Places it may be registered at; the one that was refreshed longest ago makes room for one more."""
    sources: tuple[str, ...] = ()
    """Addresses or ranges it may come from; empty for any."""
    transports: tuple[str, ...] = ()
    """Those it may come by; empty for any."""

    @property
    def address(self) -> str:
        """What it is called where trunks and phones stand side by side: in routes, records and metrics."""
        return f"{PREFIX}{self.name}"
