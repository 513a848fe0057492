"""The keys of each phone that registers with us."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from sipgw.options import PhoneOptions, SrtpPolicy
from sipgw.settings.section import Section
from sipgw.settings.sip import Transport


class Phone(Section):
    """One phone, or all the phones on one desk."""

    user: str = ""
    """Its extension, by which it registers and proves who it is; its name here where it is left out."""
    password: SecretStr = SecretStr("")
    """The password; never printed or logged."""
    ha1: dict[Literal["MD5", "SHA-256", "SHA-512-256"], SecretStr] = Field(default_factory=dict)
    """In place of a password: the hash of `user:realm:password` in hex, for each of `sip.algorithms`."""
    display_name: str = ""
    """What it is called in lists."""
    max_contacts: Annotated[int, Field(ge=1, le=100)] = 5
    """Places it may be registered at; the one refreshed longest ago makes room for one more."""
    sources: tuple[str, ...] = ()
    """Addresses or ranges it may come from, such as `192.0.2.0/24`; any where it is left out."""
    transports: tuple[Transport, ...] = ()
    """Those it may come by; any where it is left out."""
    srtp: SrtpPolicy | None = None
    """Whether sound is encrypted in its calls, in place of `media.srtp`: `off`, `optional` or `required`."""

    def options(self, name: str) -> PhoneOptions:
        """As the SIP agent sees it."""
        hashes = tuple((algorithm, one.get_secret_value().lower()) for algorithm, one in self.ha1.items())
        return PhoneOptions(
            name, self.user or name, self.password.get_secret_value(), hashes, self.display_name, self.max_contacts,
            self.sources, self.transports,
        )  # fmt: skip
