"""The keys of places outside that we post to: what all of them share, and those of webhooks and hooks."""

import ipaddress
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from sipgw.call.feed import Kind
from sipgw.io.inside import EVERYWHERE
from sipgw.ops.signing import key
from sipgw.options import HookOptions, PlaceOptions, WebhookOptions
from sipgw.settings.section import Seconds, Section, Wait

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = frozenset({"content-length", "content-type", "host", "transfer-encoding"})


def _web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:
        good = False
    if not good:
        raise ValueError("is not a web address; write https://host/path")
    return url


def _signing(secret: SecretStr) -> SecretStr:
    try:
        key(secret.get_secret_value())
    except ValueError as error:
        raise ValueError(f"{error}; make one: echo whsec_$(openssl rand -base64 24)") from None
    return secret


def _networks(value: bool | tuple[str, ...]) -> bool | tuple[str, ...]:
    for network in () if isinstance(value, bool) else value:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            raise ValueError(f"{network!r} is neither an address nor a range; write 10.1.0.0/16") from None
    return value


def _headers(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OURS or name.lower().startswith("webhook-"):
            raise ValueError(f"{name!r} cannot be set here")
        if not value.get_secret_value().isprintable() or not value.get_secret_value().isascii():
            raise ValueError(f"the value of {name} holds what a header cannot")
    return headers


Signing = Annotated[SecretStr, AfterValidator(_signing)]


class Place(Section):
    """Where to post to, and how."""

    url: Annotated[str, AfterValidator(_web_address)]
    """Where to post to: `https://…`. Redirects are not followed."""
    secret: Signing
    """Signs what is posted, so that the receiver knows it is ours; 16 characters or more."""
    old_secret: Signing | None = None
    """The secret before, while receivers change to the new one: both sign."""
    headers: Annotated[dict[str, SecretStr], AfterValidator(_headers)] = Field(default_factory=dict)
    """Sent along; never printed or logged."""
    ca_file: str = ""
    """PEM file of further authorities that its certificate may come from; the system's count as well."""
    allow_private: Annotated[bool | tuple[str, ...], AfterValidator(_networks)] = False
    """Whether it may be at an inside address (loopback, private, link-local); or the networks it may be in."""

    def place(self, name: str, **more: Any) -> PlaceOptions:
        """As the layers below see it."""
        secrets = (self.secret, self.old_secret) if self.old_secret else (self.secret,)
        allowed = self.allow_private
        return PlaceOptions(
            name=name,
            url=self.url,
            secrets=tuple(secret.get_secret_value() for secret in secrets),
            headers={header: value.get_secret_value() for header, value in self.headers.items()},
            ca_file=self.ca_file,
            inside=(tuple(map(str, EVERYWHERE)) if allowed else ()) if isinstance(allowed, bool) else allowed,
            **more,
        )


class Hook(Place):
    """A service that is asked where calls go."""

    timeout: Seconds = 1.0
    """Seconds it has to answer; the caller waits meanwhile."""
    connections: Annotated[int, Field(ge=1, le=1000)] = 50
    """Questions to it at a time; more are not put, as if it had failed."""
    cache_by: tuple[Literal["called", "caller", "trunk"], ...] = ("called", "caller")
    """What must be the same in another call of the route for an answer to be good for it."""
    cache_for: Wait = 0.0
    """Seconds an answer is used without asking again."""
    stale_for: Wait = 3600.0
    """Seconds an answer may be used when it is asked again and does not answer."""

    def options(self, name: str) -> HookOptions:
        """As the layers below see it."""
        place = self.place(name, timeout=self.timeout, connections=self.connections)
        return HookOptions(place, self.cache_by, self.cache_for, self.stale_for)


class Webhook(Place):
    """One endpoint that is told what happens in calls."""

    events: tuple[Kind, ...] = (Kind.STARTED, Kind.ANSWERED, Kind.ENDED, Kind.ALARM)
    """What it is told, by name."""
    timeout: Seconds = 10.0
    """Seconds it has for each answer."""
    connections: Annotated[int, Field(ge=1, le=64)] = 4
    """Requests to it at a time."""
    give_up_after: Seconds = 86_400.0
    """Seconds a delivery is tried again and again."""
    most_pending: Annotated[int, Field(ge=1)] = 10_000
    """Deliveries kept for it on disk; more are dropped and counted."""

    def options(self, name: str) -> WebhookOptions:
        """As the layers below see it."""
        return WebhookOptions(
            self.place(name, timeout=self.timeout, connections=self.connections),
            frozenset(kind.value for kind in self.events),
            self.give_up_after,
            self.most_pending,
        )
