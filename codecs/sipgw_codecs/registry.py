"""Every codec, in the order in which they are offered unless the configuration says otherwise."""

from sipgw.errors import UsageError
from sipgw_codecs.g711 import G711, PCMA, PCMU

Codec = G711
"""What a codec may be; the union grows with each new kind, so that mypy shows who has to know it."""

CODECS: tuple[Codec, ...] = (PCMU, PCMA)


def codec(name: str) -> Codec:
    """The codec of that SDP encoding name, which is case-insensitive (RFC 8866 section 6.6).

    Raises:
        UsageError: there is none.
    """
    for one in CODECS:
        if one.name == name.upper():
            return one
    raise UsageError(f"no codec {name!r}; there are {', '.join(one.name for one in CODECS)}")
