"""Whether two URIs are the same address (RFC 3261 section 19.1.4)."""

from sipgw.sip.uri import Uri, unescape
from sipgw.sip.values import same_address

_WEIGHTY = ("user", "ttl", "method", "maddr", "transport")
"""Parameters that tell two URIs apart where only one of them has it; others do where both have it."""


def same_uri(one: Uri, other: Uri) -> bool:
    """Whether both lead to the same place, however each is written."""
    if not one.is_sip or not other.is_sip:
        return one.raw == other.raw
    return (
        (one.scheme, one.user_text, one.port) == (other.scheme, other.user_text, other.port)
        and (one.user is None) == (other.user is None)
        and unescape(one.password or "") == unescape(other.password or "")
        and same_address(one.host, other.host)
        and _same_params(one, other)
        and sorted(one.headers.lower().split("&")) == sorted(other.headers.lower().split("&"))
    )


def _same_params(one: Uri, other: Uri) -> bool:
    names = {unescape(name).lower() for uri in (one, other) for name, _ in uri.params}
    for name in names:
        here, there = one.param(name), other.param(name)
        if (here is None or there is None) and name not in _WEIGHTY:
            continue
        if (here is None) != (there is None) or (here or "").lower() != (there or "").lower():
            return False
    return True
