"""The keys of each trunk: a carrier, a PBX or another peer."""

from pydantic import SecretStr

from sipgw.options import CredentialOptions, TrunkOptions
from sipgw.settings.section import Section


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

    def options(self, name: str) -> TrunkOptions:
        """As the SIP agent sees it."""
        users = tuple(account.options() for account in self.users)
        credentials = tuple(account.options() for account in self.credentials)
        return TrunkOptions(name, self.sources, tuple(map(str.lower, self.names)), users, credentials)
