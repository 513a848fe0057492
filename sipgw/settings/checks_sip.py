"""What no single key of `sip` can tell: listeners that get in each other's way, certificates that are none."""

import ipaddress
from collections.abc import Sequence

from sipgw.errors import Unavailable
from sipgw.io.advertised import Way, parse
from sipgw.io.tls import TlsFiles
from sipgw.options import AddressOptions, ListenerOptions
from sipgw.settings.problems import Where
from sipgw.settings.sip import Listener, Sip
from sipgw.settings.source import Source

_SECURE = ("tls", "wss")
_FOR_TLS = ("certificate", "private_key", "authorities", "clients", "further")


def check_sip(sip: Sip, listeners: Sequence[ListenerOptions], media: AddressOptions, source: Source) -> None:
    """Note every contradiction in `source.problems`; `listeners` are what was made of `sip` and `media`."""
    check_address(sip.host, sip.advertised, ("sip",), source)
    if not sip.transports and not sip.listeners:
        source.complain(("sip", "transports"), "is empty", "name udp, tcp or both, or write listeners")
    places: list[Where] = [("sip", "transports")] * len(sip.transports)
    places += [("sip", "listeners", index) for index in range(len(sip.listeners))]
    taken: dict[tuple[str, str, int], Where] = {}
    for where, options in zip(places, listeners, strict=True):
        carrier = "udp" if options.transport == "udp" else "tcp"
        if taken.setdefault((carrier, *options.local), where) is not where:
            source.complain(where, f"{carrier} port {options.port} is another listener's", "give it another port")
    if sip.transports:
        _media(listeners[0].media[0], media, source)
    for index, listener in enumerate(sip.listeners):
        options, where = listeners[len(sip.transports) + index], ("sip", "listeners", index)
        _listener(listener, options, where, source)
        if options.media[0].host != media.host or listener.media_advertised:
            check_address(options.media[0].host, options.media[0].advertised, where, source, "media_")


def check_address(host: str, advertised: str, where: Where, source: Source, of: str = "") -> None:
    """The host must be an address of ours that others can be told, or `advertised` tells them another.

    Args:
        host: the address.
        advertised: what they are told instead.
        where: the section.
        source: takes the complaint.
        of: what both keys begin with, as `media_`.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        source.complain((*where, f"{of}host"), f"{host!r} is not an IP address", "give one of this machine")
        return
    if advertised:
        _advertised(advertised, address.version, (*where, f"{of}advertised"), source)
    elif address.is_unspecified:
        remedy = f"set {where[0]}.{of}advertised" if len(where) == 1 else f"set its {of}advertised"
        text = f"{host} cannot be told to others"
        source.complain((*where, f"{of}host"), text, f"{remedy} to the address they reach, or to auto")


def _advertised(text: str, version: int, where: Where, source: Source) -> None:
    try:
        said = parse(text)
    except ValueError as error:
        source.complain(where, str(error), "give what others reach")
        return
    if said.way is Way.WRITTEN and not said.is_name and ipaddress.ip_address(said.value).version != version:
        source.complain(where, f"{text} is of another family than its host", f"give one of IPv{version}")


def _media(own: AddressOptions, media: AddressOptions, source: Source) -> None:
    """Calls to `sip.host` over another family than that of `media` have their media at `sip.host` as well."""
    if own.host in ("::", "0.0.0.0") and own.host != media.host:
        text = f"{media.host} is no place for the media of calls to {own.host}"
        source.complain(("media", "host"), text, "write listeners with a media_host each")


def check_networks(networks: tuple[str, ...], where: Where, source: Source, key: str = "sources") -> None:
    """Each of the `key` of a section must be an address or a range."""
    for index, network in enumerate(networks):
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            text = f"{network!r} is neither an address nor a range"
            source.complain((*where, key, index), text, "write 203.0.113.7 or 203.0.113.0/24")


def _listener(listener: Listener, options: ListenerOptions, where: Where, source: Source) -> None:
    check_address(options.host, options.advertised, where, source)
    secure = listener.transport in _SECURE
    for key in _FOR_TLS:
        if not secure and key in listener.model_fields_set:
            source.complain((*where, key), f"means nothing to {listener.transport}", "it is for tls and wss")
    if listener.origins and listener.transport not in ("ws", "wss"):
        source.complain((*where, "origins"), f"means nothing to {listener.transport}", "it is for ws and wss")
    if listener.transport in ("ws", "wss") and not listener.origins:
        source.complain(where, "no web page may connect", "name them in origins")
    if secure and not listener.certificate:
        source.complain(where, "has no certificate", "name its PEM file in certificate")
    elif secure:
        try:
            TlsFiles(options.tls)
        except Unavailable as error:
            source.complain((*where, "certificate"), str(error))
