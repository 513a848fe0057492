"""How sure a carrier is that the caller may use the number, in one word, from all the ways in which they say so.

STIR has three levels: A, the caller may use the number; B, the caller is a customer; C, the call came from elsewhere
(RFC 8588). Carriers check the signature and tell the result in a parameter or a header of their own. The word counts
only from a peer that is believed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sipgw.sip.headers import Headers
from sipgw.sip.values import NameAddr

FAILED: Final = "failed"
UNKNOWN: Final = "unknown"
LEVELS: Final = ("A", "B", "C", FAILED, UNKNOWN)

_VERSTAT = re.compile(
    r"TN-Validation-Passed(?:-([ABC]))?(?:-Diverted|-Passthrough)*+|(TN-Validation-Failed)(?:-[\w-]*+)?|(No-TN-Validation)",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r";verstat(?:=[^;@?]*+)?", re.IGNORECASE)
_INDICATOR = "p-attestation-indicator"
_PLIVO = {"verified": "A", "not verified": UNKNOWN, "not applicable": UNKNOWN}
"""Plivo's word for B, C and failed is the same, so it proves nothing."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """What was said, and where."""

    level: str = UNKNOWN
    """One of `LEVELS`."""
    source: str = ""
    """The header that said it, in lower case; empty where none did."""


def attestation(headers: Headers, asserted: tuple[NameAddr, ...], caller: NameAddr) -> Attestation:
    """What a believed peer says of its caller.

    Args:
        headers: of the INVITE.
        asserted: its P-Asserted-Identity.
        caller: its From.
    """
    indicated = (headers.get(_INDICATOR) or "").strip().upper()
    indicated = indicated if indicated in ("A", "B", "C") else ""
    for source, level in _said(headers, asserted, caller, indicated):
        if level:
            return Attestation(level, source)
    return Attestation()


def _said(
    headers: Headers, asserted: tuple[NameAddr, ...], caller: NameAddr, indicated: str
) -> Iterator[tuple[str, str]]:
    """Each place where it may be said, with what it says; the first that says something counts."""
    for party in asserted:
        yield "p-asserted-identity", _level(verstat(party), indicated)
    yield "from", _level(verstat(caller), indicated)
    yield "x-twilio-verstat", _level(headers.get("X-Twilio-VerStat") or "", indicated)
    yield "x-plivo-stir-verification", _PLIVO.get((headers.get("X-Plivo-Stir-Verification") or "").strip().lower(), "")
    yield _INDICATOR, indicated


def verstat(party: NameAddr) -> str:
    """The parameter of that name: of the number (3GPP TS 24.229), of the URI (Telnyx), or of the header."""
    uri = party.uri
    number = uri.opaque if uri.scheme == "tel" else uri.user or ""
    return uri.param("verstat") or party.params.get("verstat") or _of_number(number)


def unattested(uri: str) -> str:
    """A URI as written, without that parameter."""
    return _PARAMETER.sub("", uri)


def _of_number(text: str) -> str:
    for item in text.split(";")[1:]:
        name, _, value = item.partition("=")
        if name.lower() == "verstat":
            return value
    return ""


def _level(text: str, indicated: str) -> str:
    """The level; empty where the text is nothing we know. Telnyx leaves out the A of what passed."""
    found = _VERSTAT.fullmatch(text.strip())
    if not found:
        return ""
    level, failed, none = found.groups()
    if failed or none:
        return FAILED if failed else UNKNOWN
    return (level or indicated or "A").upper()
