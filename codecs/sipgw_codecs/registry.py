"""Every codec, in the order in which they are offered unless the configuration says otherwise."""

from sipgw.errors import UsageError
from sipgw_codecs.framed import Framed
from sipgw_codecs.g711 import G711, PCMA, PCMU
from sipgw_codecs.g722 import G722_64
from sipgw_codecs.l16 import L16_16K
from sipgw_codecs.linear import Linear
from sipgw_codecs.opus import OPUS

Codec = G711 | Framed
"""What a codec may be: a table, by which all calls are decoded in one pass, or a coder for each stream."""
Sound = G711 | Linear
"""What the engine works on between decoder and encoder: the bytes of a law as they are, or linear PCM."""

CODECS: tuple[Codec, ...] = (OPUS, G722_64, PCMU, PCMA, L16_16K)


LAWS: dict[str, G711] = {one.name: one for one in (PCMU, PCMA)}
"""Those that are tables, by name."""


def codec(name: str) -> Codec:
    """The codec of that SDP encoding name, which is case-insensitive (RFC 8866 section 6.6).

    Raises:
        UsageError: there is none.
    """
    for one in CODECS:
        if one.name == name.upper():
            return one
    raise UsageError(f"no codec {name!r}; there are {', '.join(one.name for one in CODECS)}")
