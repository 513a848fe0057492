"""Addresses of ours as the configuration has them."""

import ipaddress
from dataclasses import replace

from sipgw.options import AddressOptions


def plain(host: str) -> str:
    """An address as the system writes it; what is none stays as it is, for the checks to complain about."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host


def media_of(host: str, media_host: str, advertised: str, media: AddressOptions) -> tuple[AddressOptions, ...]:
    """Where the RTP of a listener's calls goes, the preferred first.

    Args:
        host: the listener's own.
        media_host: what it says of RTP; may be empty.
        advertised: the same of SDP.
        media: that of the media section. Where the other is of another family, it serves far ends of its own one;
            but not the loopback for who is elsewhere.
    """
    if not media_host and is_six(host) is is_six(media.host):
        return (replace(media, advertised=advertised or media.advertised),)
    own = AddressOptions(media_host or host, advertised)
    serves = is_six(own.host) is not is_six(media.host) and (is_loopback(host) or not is_loopback(media.host))
    return (own, media) if serves else (own,)


def is_six(host: str) -> bool:
    """Whether an address is one of IPv6."""
    return ":" in host


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    return host == "::1" or host.startswith("127.")
