"""Reason: why a request was sent or refused, in SIP's own words or the telephone network's (RFC 3326, RFC 6432).

What a far end says goes into records and onto screens: it is bounded, and what is no reason costs itself alone.
"""

from dataclasses import dataclass
from itertools import islice
from typing import Final

from sipgw.errors import PeerError
from sipgw.sip.grammar import number, quote
from sipgw.sip.message import Message, Response
from sipgw.sip.params import Params

SIP: Final = "SIP"
Q850: Final = "Q.850"

_MOST = 8
"""Values read of one message."""
_LONGEST = 128
"""Characters of a text."""
_HIGHEST = {"sip": 699, "q.850": 127}
"""The largest cause, by protocol; ITU-T Q.850 has seven bits."""


@dataclass(frozen=True, slots=True)
class FarReason:
    """Why the far end ended a call, as far as it says so."""

    status: int | None = None
    """In SIP's words: of the response, or of a Reason; 200 in a CANCEL means that another phone answered."""
    q850: int | None = None
    text: str = ""
    """In its own words, printable, 128 characters at most."""


def reason(protocol: str, cause: int, text: str) -> tuple[str, str]:
    """A Reason header of ours."""
    return "Reason", f"{protocol};cause={cause};text={quote(text)}"


def reason_of(message: Message | None) -> FarReason:
    """What a BYE, a CANCEL or a refusal says. Of several values of one protocol the first counts (RFC 9366)."""
    if message is None:
        return FarReason()
    causes: dict[str, tuple[int, str]] = {}
    for value in islice(message.headers.listed("Reason"), _MOST):
        found = _read(value)
        if found is not None:
            causes.setdefault(found[0], found[1:])
    sip, q850 = causes.get("sip"), causes.get("q.850")
    words = [text for _, text in filter(None, (q850, sip)) if text]
    status = sip and sip[0]
    if isinstance(message, Response):
        status, words = message.status, [*words, printable(message.reason)]
    return FarReason(status or None, q850 and q850[0], words[0] if words else "")


def _read(value: str) -> tuple[str, int, str] | None:
    """Protocol in lower case, cause and text; None where it is no reason that we know."""
    protocol, semicolon, rest = value.partition(";")
    name = protocol.strip().lower()
    if name not in _HIGHEST:
        return None
    try:
        params = Params.parse(semicolon + rest)
        cause = number(params.get("cause") or "", _HIGHEST[name], "Reason")
    except PeerError:
        return None
    return name, cause, printable(params.get("text") or "")


def printable(text: str) -> str:
    """The text without what is not to be printed, and no longer than a reason may be."""
    return "".join(char for char in text[:_LONGEST] if char.isprintable()).strip()
