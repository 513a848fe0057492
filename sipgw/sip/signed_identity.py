"""Identity: a signed statement of who calls (RFC 8224), with a PASSporT in it (RFC 8225).

It is kept to the byte, so that somebody else can verify it. Nothing here does: neither signature nor certificate is
looked at, and what the statement claims is believed by nobody.
"""

import re
from dataclasses import dataclass

from sipgw.sip.grammar import WHITESPACE, bad
from sipgw.sip.params import Params

LONGEST = 8192
"""Bytes of one; those of carriers are about one thousand."""

_TOKEN = re.compile(rb"([A-Za-z0-9_\-+/=]*+)\.([A-Za-z0-9_\-+/=]*+)\.([A-Za-z0-9_\-+/=]++)")
_INFO = re.compile(r';[ \t]*+info[ \t]*+=[ \t]*+<([^<>"\s]*+)>[ \t]*+', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SignedIdentity:
    """One Identity header."""

    raw: bytes
    """As it came, without the white space around it; ASCII."""
    info: str
    """URI of the certificate."""
    params: Params
    """The others: `alg`, `ppt` …"""

    @classmethod
    def parse(cls, raw: bytes) -> "SignedIdentity":
        """Look whether it has the shape of one, in full or compact form.

        Raises:
            PeerError: 400 where it has not, or is longer than `LONGEST`.
        """
        raw = raw.strip(WHITESPACE.encode())
        token, semicolon, rest = raw.partition(b";")
        if len(raw) > LONGEST or not raw.isascii() or not _TOKEN.fullmatch(token.rstrip()):
            bad("Identity")
        text = (semicolon + rest).decode()
        info = _INFO.search(text)
        if not info:
            bad("Identity")
        return cls(raw, info[1], Params.parse(text[: info.start()] + text[info.end() :]))
