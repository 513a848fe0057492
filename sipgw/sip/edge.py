"""The edge of trust: what only a believed peer may tell us is taken out of what others send (RFC 3325 section 5).

Whoever can reach us can write such lines; above the edge, one that is there is meant.
"""

from dataclasses import replace
from typing import Final

from sipgw.sip.attestation import verstat
from sipgw.sip.headers import Headers, key
from sipgw.sip.model import Request

RESERVED: Final = frozenset({
    "p-asserted-identity", "p-preferred-identity", "remote-party-id", "diversion", "history-info",
    "p-attestation-indicator", "attestation-info", "origination-id", "x-twilio-verstat", "x-plivo-stir-verification",
    "p-asserted-service", "p-called-party-id", "p-charge-info", "p-charging-vector", "p-served-user",
})  # fmt: skip
"""Names in lower case. Not Identity, which proves itself to who verifies it, nor Privacy, which anybody may wish."""


def stripped(request: Request) -> tuple[Request, tuple[str, ...]]:
    """A request without them, and the names of those that were there.

    From stays as it is, as the dialog needs it; that there was an attestation in it is told as `verstat`.
    """
    names = tuple(sorted(name for name in RESERVED if name in request.headers))
    attested = ("verstat",) if verstat(request.from_) else ()
    if not names:
        return request, attested
    kept = Headers(pair for pair in request.headers.pairs if key(pair[0]) not in RESERVED)
    return replace(request, headers=kept), names + attested
