"""The keys of `api`: the HTTP API and who may use it."""

from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from sipgw.options import ApiOptions, TokenOptions
from sipgw.settings.section import Section

_SHORTEST = 16


class Token(Section):
    """Somebody who may use the API."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._@-]{1,64}$")]
    """Stands in the audit log for whatever is done with this token."""
    role: Literal["read", "operate", "admin"]
    """`read` sees calls and events, `operate` steers calls, too, `admin` may drain, reload and read the audit log."""
    token: SecretStr
    """At least 16 characters that nobody can guess; `token_file` names a file that holds them."""

    @field_validator("token")
    @classmethod
    def _long_enough(cls, token: SecretStr) -> SecretStr:
        if len(token.get_secret_value()) < _SHORTEST:
            raise ValueError(f"is shorter than {_SHORTEST} characters; make one with: openssl rand -hex 32")
        return token


class Api(Section):
    """The HTTP API."""

    host: str = "127.0.0.1"
    """IP address to serve it on. It has no encryption of its own: put a proxy in front for other machines."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """TCP port; 0: not served. SIPGW_API_PORT overrides it."""
    tokens: tuple[Token, ...] = ()
    """Who may use it. Without any, an admin's is made at the first start and kept in the state folder."""
    hosts: tuple[str, ...] = ()
    """Names it is reached by, besides IP addresses and `localhost`."""
    origins: tuple[str, ...] = ()
    """Origins of web pages that may use it, such as `https://desk.example`."""

    @field_validator("host")
    @classmethod
    def _an_address(cls, host: str) -> str:
        try:
            ip_address(host)
        except ValueError:
            raise ValueError(
                "is not an IP address; give one of this machine, or 127.0.0.1 for this machine only"
            ) from None
        return host

    @field_validator("tokens")
    @classmethod
    def _by_name(cls, tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        if len({token.name for token in tokens}) < len(tokens):
            raise ValueError("two tokens have the same name; the audit log could not tell them apart")
        return tokens

    def options(self) -> ApiOptions:
        """What the API gets to see."""
        tokens = tuple(TokenOptions(one.name, one.role, one.token.get_secret_value()) for one in self.tokens)
        return ApiOptions(self.host, self.port, tokens, self.hosts, self.origins)
