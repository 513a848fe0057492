"""User-to-User: data that one application hands the other along with a call (RFC 7433)."""

import re
from dataclasses import dataclass

from sipgw.sip.grammar import bad, unquote
from sipgw.sip.params import NO_PARAMS, Params

_DATA = re.compile(r'[ \t\r\n]*+("(?:[^"\\]|\\.)*+"|[^\s;,"<>]++)[ \t\r\n]*+(;.*)?', re.DOTALL)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*+")


@dataclass(frozen=True, slots=True)
class UserToUser:
    """One User-to-User value."""

    data: str
    """As written, without quotes. Contact centres often begin it with `00` or `04`, ISDN's protocol discriminator."""
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> "UserToUser":
        """Read one.

        Raises:
            PeerError: 400 where it is none, or its data are not in the encoding that it names.
        """
        found = _DATA.fullmatch(text)
        if not found:
            bad("User-to-User")
        value = cls(unquote(found[1]), Params.parse(found[2] or ""))
        if value.encoding == "hex" and not _HEX.fullmatch(value.data):
            bad("User-to-User")
        return value

    @property
    def encoding(self) -> str:
        """How `data` is written: `hex`, or what its purpose says; empty where it is not told."""
        return (self.params.get("encoding") or "").lower()

    @property
    def purpose(self) -> str:
        """The application it is for; empty means ISDN's user-to-user service (RFC 7434)."""
        return self.params.get("purpose") or ""

    @property
    def content(self) -> str:
        """What kind of data it is, such as `isdn-uui`; empty where it is not told."""
        return self.params.get("content") or ""

    @property
    def octets(self) -> bytes:
        """The data themselves."""
        return bytes.fromhex(self.data) if self.encoding == "hex" else self.data.encode("utf-8", "replace")
