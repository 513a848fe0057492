"""SIP and SIPS URIs (RFC 3261 section 19.1, RFC 5118 for IPv6); other schemes are kept as they are."""

import re
from dataclasses import InitVar, dataclass, field
from functools import lru_cache
from typing import Final

from sipgw.sip.grammar import bad
from sipgw.sip.params import NO_PARAMS, Params

HOST: Final = r"\[[0-9A-Fa-f:.]++\]|[A-Za-z0-9_][A-Za-z0-9_.\-]*+"
"""A name, an IPv4 address, or an IPv6 address in brackets. Underscores are no letters of host names, but are in use."""

_SIP = re.compile(
    r"(sips?):"
    r'(?:([^@:\s<>"]*+)(?::([^@\s<>"]*+))?@)?'
    rf"({HOST})(?::([0-9]{{1,5}}))?"
    r'((?:;[^;?\s<>"]++)*+)'
    r'(?:\?([^\s<>"]*+))?',
    re.IGNORECASE,
)
_OTHER = re.compile(r'([A-Za-z][A-Za-z0-9+.\-]*+):([^\s<>"]++)')
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


_SECRETS = re.compile(r'(sips?:[^@:\s<>"]*+):[^@\s<>"]*+@|\?\S*+', re.IGNORECASE)


def without_secrets(line: str) -> str:
    """A start line as logs may have it: URIs without passwords (19.1.1) and headers, which may hold some as well."""
    return _SECRETS.sub(lambda found: f"{found[1]}:***@" if found[1] else "?***", line)


def unescape(text: str) -> str:
    """The text with its %XX resolved, read as UTF-8, else ISO 8859-1; stray percent signs stay."""
    if "%" not in text:
        return text
    data = _PERCENT.sub(lambda found: bytes((int(found[1], 16),)), text.encode("utf-8", "replace"))
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Uri:
    """An address. Two are equal where they are written alike; `raw` is how this one is written.

    For a scheme other than sip and sips only `scheme` and `opaque` are set.
    """

    scheme: str
    """Lower case."""
    user: str | None = field(default=None, compare=False)
    """As written, with %XX; see `user_text`. Empty, not None, for the `sip:@host` of some anonymous callers."""
    password: str | None = field(default=None, compare=False)
    host: str = field(default="", compare=False)
    """IPv6 literals in their brackets; see `address`."""
    port: int | None = field(default=None, compare=False)
    params: Params = field(default=NO_PARAMS, compare=False)
    headers: str = field(default="", compare=False)
    """What follows the question mark, as written."""
    opaque: str = field(default="", compare=False)
    """What follows the colon of another scheme."""
    raw: str = field(init=False, repr=False)
    written: InitVar[str] = ""

    def __post_init__(self, written: str) -> None:
        object.__setattr__(self, "raw", written or self._print())

    @classmethod
    def parse(cls, text: str) -> "Uri":
        """Read a URI of any scheme.

        Raises:
            PeerError: 400 where it is none.
        """
        return _parse(text)

    def _print(self) -> str:
        if self.opaque:
            return f"{self.scheme}:{self.opaque}"
        password = "" if self.password is None else f":{self.password}"
        user = "" if self.user is None else f"{self.user}{password}@"
        port = "" if self.port is None else f":{self.port}"
        headers = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{user}{self.host}{port}{self.params}{headers}"

    @property
    def is_sip(self) -> bool:
        """Whether this is a sip or sips URI, so that host and the rest are set."""
        return self.scheme in ("sip", "sips")

    @property
    def user_text(self) -> str:
        """The user with %XX resolved; the number of a tel URI without its parameters (RFC 3966)."""
        return unescape(self.opaque.partition(";")[0] if self.scheme == "tel" else self.user or "")

    @property
    def address(self) -> str:
        """The host without the brackets of an IPv6 literal, as sockets take it."""
        return self.host.strip("[]")

    def param(self, name: str) -> str | None:
        """A parameter's value with %XX resolved; the empty string for a flag, None where it is absent."""
        for key, value in self.params:
            if unescape(key).lower() == name:
                return unescape(value or "")
        return None

    def __str__(self) -> str:
        return self.raw


@lru_cache(maxsize=2048)
def _parse(text: str) -> Uri:
    # Kept: the same numbers, Contacts and proxies come again with every message.
    if found := _SIP.fullmatch(text):
        scheme, user, password, host, port, params, headers = found.groups()
        if port and int(port) > 65535:
            bad("port")
        return Uri(
            scheme.lower(),
            user,
            password,
            host,
            int(port) if port else None,
            _uri_params(params) if params else NO_PARAMS,
            headers or "",
            written=text,
        )
    other = _OTHER.fullmatch(text)
    if not other or other[1].lower() in ("sip", "sips"):
        bad("URI")
    return Uri(other[1].lower(), opaque=other[2], written=text)


def _uri_params(text: str) -> Params:
    pairs = []
    for item in text[1:].split(";"):
        name, equals, value = item.partition("=")
        if not name:
            bad("URI parameter")
        pairs.append((name, value if equals else None))
    return Params(tuple(pairs))
