"""Keys for SRTP in SDP: `a=crypto` (RFC 4568).

An offerer lists what it could use, each with the key it would send by; the answerer takes one, under the same tag, and
gives its own key. What we cannot do exactly as asked (key lists, MKI, unprotected parts) is passed over.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sipgw.sdp.lines import Attribute
from sipgw.sdp.model import Media

KEY_BYTES = {
    "AEAD_AES_256_GCM": 44,
    "AEAD_AES_128_GCM": 28,
    "AES_256_CM_HMAC_SHA1_80": 46,
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_CM_128_HMAC_SHA1_32": 30,
}
"""Octets of master key and salt together, of each suite that we have (RFC 4568 6.2, RFC 6188, RFC 7714)."""
OFFERED = ("AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM", "AES_CM_128_HMAC_SHA1_32")
"""What we offer, in this order: the one that everybody has comes first, as some take the first or nothing."""

_LINE = re.compile(r"([0-9]{1,9})\s+([A-Za-z0-9_]+)\s+(\S+)((?:\s+\S+)*)\s*")
_KEY = re.compile(r"inline:([A-Za-z0-9+/]+={0,2})(?:\|(2\^[0-9]{1,2}|[0-9]{1,15}))?")
_HARMLESS = re.compile(r"WSH=[0-9]+|KDR=0|-\S+", re.IGNORECASE)
"""Session parameters that may be passed over: a window's size, no renewal of keys, and what is optional."""

RandomBytes = Callable[[int], bytes]
"""Makes so many octets that nobody can guess."""


@dataclass(frozen=True, slots=True)
class Crypto:
    """One `a=crypto`."""

    tag: int
    suite: str
    key: bytes = field(repr=False)
    """Master key and salt with which its sender protects."""

    def attribute(self) -> Attribute:
        """As it stands in SDP."""
        return Attribute("crypto", f"{self.tag} {self.suite} inline:{base64.b64encode(self.key).decode()}")


@dataclass(frozen=True, slots=True)
class Keys:
    """What both sides agreed; field by field the media plane's `Srtp`."""

    suite: str
    ours: bytes = field(repr=False)
    theirs: bytes = field(repr=False)


def offered_by(media: Media) -> list[Crypto]:
    """What a line offers of what we have, in its order."""
    return [one for value in media.values("crypto") if (one := _read(value)) is not None]


def offers(random: RandomBytes) -> list[Crypto]:
    """What we offer, each with a key of its own."""
    return [Crypto(tag, suite, random(KEY_BYTES[suite])) for tag, suite in enumerate(OFFERED, 1)]


def chosen(theirs: Iterable[Crypto], random: RandomBytes, before: Keys | None = None) -> tuple[Crypto, Keys] | None:
    """Our answer and what is agreed by it: the first of theirs that we have; None where there is none.

    Args:
        theirs: of `offered_by`.
        random: makes our key.
        before: what was agreed until now. If they keep their key we keep ours, and nobody counts anew.
    """
    for one in theirs:
        same = before is not None and (before.suite, before.theirs) == (one.suite, one.key)
        ours = before.ours if before is not None and same else random(KEY_BYTES[one.suite])
        return Crypto(one.tag, one.suite, ours), Keys(one.suite, ours, one.key)
    return None


def kept(keys: Keys, described: Media) -> Crypto:
    """Ours in another offer of the same session, under the tag that it had in our last description."""
    tags = (one.tag for one in offered_by(described) if (one.suite, one.key) == (keys.suite, keys.ours))
    return Crypto(next(tags, 1), keys.suite, keys.ours)


def accepted(ours: Iterable[Crypto], answer: Media) -> Keys | None:
    """What is agreed by an answer to our offers; None where it takes none of them."""
    taken = offered_by(answer)
    if len(taken) != 1:
        return None
    for one in ours:
        if (one.tag, one.suite) == (taken[0].tag, taken[0].suite):
            return Keys(one.suite, one.key, taken[0].key)
    return None


def _read(value: str) -> Crypto | None:
    line = _LINE.fullmatch(value)
    if line is None:
        return None
    tag, suite, keys, parameters = line.groups()
    key, size = _KEY.fullmatch(keys), KEY_BYTES.get(suite.upper())
    if key is None or size is None or not all(map(_HARMLESS.fullmatch, parameters.split())):
        return None
    try:
        octets = base64.b64decode(key[1] + "=" * (-len(key[1]) % 4), validate=True)
    except binascii.Error:
        return None
    return Crypto(int(tag), suite.upper(), octets) if len(octets) == size else None
