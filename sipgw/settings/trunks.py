"""The keys of each trunk: a carrier, a PBX or another peer."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from sipgw.options import CredentialOptions, IdentityOptions, Nat, RegistrationOptions, SrtpPolicy, TrunkOptions
from sipgw.settings.section import Section

Header = Literal["pai", "rpid", "ppi", "from"]


class Account(Section):
    """A name and a password."""

    username: str
    """The name, as it stands in the Authorization header."""
    password: SecretStr
    """The password; never printed or logged."""
    realm: str = ""
    """The realm it is good for; any where it is left out."""

    def options(self) -> CredentialOptions:
        """As the SIP agent sees it."""
        return CredentialOptions(self.username, self.password.get_secret_value(), self.realm)


class Register(Section):
    """How we register with a peer."""

    registrars: tuple[str, ...]
    """SIP URIs, such as `sip:carrier.example;transport=tls`; the next is tried where one does not work."""
    user: str
    """The user part of the address that is registered: the account, or the number."""
    domain: str = ""
    """The host part of that address; that of the registrar where it is left out."""
    expires: Annotated[int, Field(ge=60, le=86_400)] = 3600
    """Seconds asked for; the registrar may give less, or want more."""

    def options(self) -> RegistrationOptions:
        """As the SIP agent sees it."""
        return RegistrationOptions(self.registrars, self.user, self.domain, self.expires)


class Trunk(Section):
    """One peer, and how each side knows the other."""

    sources: tuple[str, ...] = ()
    """Addresses or ranges it sends from, such as `203.0.113.0/24`."""
    names: tuple[str, ...] = ()
    """Names that its certificate proves, over TLS with `clients` optional or required."""
    users: tuple[Account, ...] = ()
    """Its calls have to prove by digest that they come from one of these users."""
    credentials: tuple[Account, ...] = ()
    """What we answer where it asks who we are."""
    register_: Annotated[Register | None, Field(alias="register")] = None
    """How we register with it, where it does not know without that where we are."""
    trust_identity: bool = True
    """Believe what it says about its callers: who they are, how sure that is, who diverted the call. Without, such
    headers are taken out of what it sends."""
    identity: Annotated[tuple[Header, ...], Field(min_length=1)] = (
        "pai",
        "rpid",
        "from",
    )
    """Where the caller's number is taken from, the first that is there: P-Asserted-Identity, Remote-Party-ID,
    P-Preferred-Identity, From. From counts last, named or not."""

    nat: Nat = "auto"
    """Where requests within its calls go: `auto`, to its Contact unless that cannot be right; `always`, to where it was
    last heard from; `never`, to its Contact whatever that says."""
    srtp: SrtpPolicy | None = None
    """Whether sound is encrypted in its calls, in place of `media.srtp`: `off`, `optional` or `required`."""

    def options(self, name: str) -> TrunkOptions:
        """As the SIP agent sees it."""
        users = tuple(account.options() for account in self.users)
        credentials = tuple(account.options() for account in self.credentials)
        register = self.register_.options() if self.register_ else None
        identity = IdentityOptions(self.trust_identity, self.identity)
        return TrunkOptions(
            name, self.sources, tuple(map(str.lower, self.names)), users, credentials, register, identity, self.nat
        )
