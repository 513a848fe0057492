"""How an operator says by which address others reach us: written down, or to be found out."""

import re
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import lru_cache
from ipaddress import ip_address

_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)*(?=[^.]*[A-Za-z]){_LABEL}")
"""The last label has a letter: without, it is an address with a mistake in it."""
_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_STUN_PORT = 3478


class Way(StrEnum):
    """How it is known."""

    WRITTEN = auto()
    """As it stands there."""
    ROUTE = auto()
    """It is that of the interface by which the far end is reached."""
    INTERFACE = auto()
    """It is that of one interface."""
    STUN = auto()
    """A server outside says it."""


@dataclass(frozen=True, slots=True)
class Advertised:
    """One such saying."""

    way: Way
    value: str = ""
    """The address or name itself, the interface, or the server's host."""
    port: int = 0
    """The server's."""

    @property
    def is_name(self) -> bool:
        """Whether it is a name that is told as it is, where names may be."""
        return self.way is Way.WRITTEN and not is_address(self.value)


@lru_cache(maxsize=256)
def parse(text: str) -> Advertised:
    """Read `198.51.100.7`, `sbc.example.com`, `auto`, `interface:eth0` or `stun:stun.example.com:3478`.

    Raises:
        ValueError: it is none of them.
    """
    kind, _, rest = text.partition(":")
    if text == "auto":
        return Advertised(Way.ROUTE)
    if is_address(text):
        if ip_address(text).is_unspecified:
            raise ValueError(f"{text} is nobody's address")
        return Advertised(Way.WRITTEN, str(ip_address(text)))
    if kind == "interface" and rest:
        return Advertised(Way.INTERFACE, rest)
    if kind == "stun" and (found := _SERVER.fullmatch(rest)):
        return Advertised(Way.STUN, found[1].strip("[]"), int(found[2] or _STUN_PORT))
    if _NAME.fullmatch(text):
        return Advertised(Way.WRITTEN, text)
    raise ValueError(f"{text!r} is neither an address nor a name, nor auto, interface:NAME or stun:HOST:PORT")


def is_address(text: str) -> bool:
    """Whether it is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
