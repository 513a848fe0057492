"""The structured header values every message needs: Via, From/To/Contact/Route, CSeq (RFC 3261 section 20)."""

import re
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final

from sipgw.sip.grammar import MAX_31_BIT, TOKEN, bad, number, quote, unescape
from sipgw.sip.params import NO_PARAMS, Params
from sipgw.sip.uri import HOST, Uri

__all__ = ["COOKIE", "CSeq", "NameAddr", "Params", "Via"]

COOKIE: Final = "z9hG4bK"
"""Begins every branch made by RFC 3261's rules (section 8.1.1.7)."""

_S = r"[ \t\r\n]*+"
_VIA = re.compile(
    rf"{_S}SIP{_S}/{_S}2\.0{_S}/{_S}({TOKEN.pattern})[ \t\r\n]++({HOST}){_S}(?::{_S}([0-9]{{1,5}}){_S})?+(.*)",
    re.IGNORECASE | re.DOTALL,
)
_NAME_ADDR = re.compile(
    rf'{_S}(?:"((?:[^"\\]|\\.)*+)"{_S}|([^"<]*+))<([^<>]*+)>(.*)',
    re.DOTALL,
)
_CSEQ = re.compile(rf"{_S}([0-9]++)[ \t\r\n]++({TOKEN.pattern}){_S}")


@dataclass(frozen=True, slots=True)
class Via:
    """One hop a request took, and the way its response goes back (section 20.42)."""

    transport: str
    host: str
    """As written; IPv6 literals in brackets."""
    port: int | None = None
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> "Via":
        """Read one Via value.

        Raises:
            PeerError: 400 where it is none.
        """
        found = _VIA.fullmatch(text)
        if not found:
            bad("Via")
        transport, host, port, params = found.groups()
        if port and int(port) > 65535:
            bad("Via")
        return cls(transport, host, int(port) if port else None, Params.parse(params))

    @property
    def branch(self) -> str | None:
        """The transaction's id, where the sender gave one."""
        return self.params.get("branch") or None

    @property
    def is_unique(self) -> bool:
        """Whether the branch names one transaction: it has the cookie and something after it (section 17.2.3)."""
        branch = self.branch or ""
        return len(branch) > len(COOKIE) and branch[: len(COOKIE)].lower() == COOKIE.lower()

    @property
    def rport(self) -> int | None:
        """The port the request came from, once a server has written it (RFC 3581)."""
        text = self.params.get("rport")
        return number(text, 65535, "rport") if text else None

    @property
    def wants_rport(self) -> bool:
        """Whether the sender asks for the response at the port it sent from (RFC 3581)."""
        return "rport" in self.params

    @property
    def received(self) -> str | None:
        """The address the request came from, without brackets (both forms are in use: RFC 5118 section 4.5)."""
        text = self.params.get("received")
        return text.strip("[]") if text else None

    def with_source(self, host: str, port: int) -> "Via":
        """The same with the address a request came from (RFC 3261 section 18.2.1, RFC 3581 section 4).

        Args:
            host: the source's IP address, IPv6 without brackets.
            port: the source's port.
        """
        params = self.params.without("received")
        if self.wants_rport:
            params = params.with_("rport", str(port)).with_("received", host)
        elif not same_address(self.host, host):
            params = params.with_("received", host)
        return self if params == self.params else replace(self, params=params)

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {self.host}{port}{self.params}"


def same_address(one: str, other: str) -> bool:
    """Whether two hosts are written for the same address; names are the same where they are spelled alike."""
    one, other = one.strip("[]").lower(), other.strip("[]").lower()
    if one == other:
        return True
    try:
        return ip_address(one) == ip_address(other)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A party: From, To, Contact, Route, Refer-To … (sections 20.10, 20.20, 20.39).

    A Contact of `*` (section 10.2.2) has the URI scheme `*`.
    """

    display: str
    """Without quotes; empty where there is none."""
    uri: Uri
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> "NameAddr":
        """Read one name-addr or addr-spec with its parameters.

        Raises:
            PeerError: 400 where it is none.
        """
        if found := _NAME_ADDR.fullmatch(text):
            quoted, plain, uri, params = found.groups()
            display = unescape(quoted) if quoted is not None else plain.strip(" \t\r\n")
            return cls(display, Uri.parse(uri), Params.parse(params))
        return cls._parse_bare(text)

    @classmethod
    def _parse_bare(cls, text: str) -> "NameAddr":
        # Without brackets all parameters are the header's, and the URI may hold no comma and no question mark.
        address, semicolon, params = text.strip(" \t\r\n").partition(";")
        address = address.rstrip(" \t\r\n")
        if address == "*":
            return cls("", STAR, Params.parse(semicolon + params))
        if "?" in address or "," in address:
            bad("address")
        return cls("", Uri.parse(address), Params.parse(semicolon + params))

    @property
    def tag(self) -> str | None:
        """The party's half of the dialog id (section 19.3)."""
        return self.params.get("tag") or None

    def with_tag(self, tag: str) -> "NameAddr":
        """The same with this tag."""
        return replace(self, params=self.params.with_("tag", tag))

    def __str__(self) -> str:
        if self.uri == STAR:
            return f"*{self.params}"
        display = f"{quote(self.display)} " if self.display else ""
        return f"{display}<{self.uri}>{self.params}"


STAR: Final = Uri("*", opaque="*")
"""Stands for all bindings in a Contact of `*`."""


@dataclass(frozen=True, slots=True)
class CSeq:
    """Orders requests within a dialog (section 20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> "CSeq":
        """Read number and method.

        Raises:
            PeerError: 400 where they are missing or the number has more than 31 bits.
        """
        found = _CSEQ.fullmatch(text)
        if not found:
            bad("CSeq")
        return cls(number(found[1], MAX_31_BIT, "CSeq"), found[2])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"
