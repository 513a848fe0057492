"""What the HTTP API gets to see of the settings."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TokenOptions:
    """Who may use the API, and how far."""

    name: str
    role: str
    """`read`, `operate` (and read) or `admin` (and operate)."""
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """The HTTP API's view."""

    host: str = "127.0.0.1"
    port: int = 0
    """TCP; 0 means that it is not served."""
    tokens: tuple[TokenOptions, ...] = ()
    """Without any, one is made at the first start."""
    hosts: tuple[str, ...] = ()
    """Names it is reached by, besides IP addresses and `localhost`."""
    origins: tuple[str, ...] = ()
    """Web pages of other origins that may use it, such as `https://desk.example`."""
