"""What no single key of `sip` can tell: listeners that get in each other's way, certificates that are none."""

import ipaddress

from sipgw.errors import Unavailable
from sipgw.io.tls import TlsFiles
from sipgw.options import ListenerOptions
from sipgw.settings.problems import Where
from sipgw.settings.sip import Listener, Sip
from sipgw.settings.source import Source

_SECURE = ("tls", "wss")
_FOR_TLS = ("certificate", "private_key", "authorities", "clients", "further")


def check_sip(sip: Sip, source: Source) -> None:
    """Note every contradiction in `source.problems`."""
    check_address(sip.host, sip.advertised, ("sip",), source)
    if not sip.transports and not sip.listeners:
        source.complain(("sip", "transports"), "is empty", "name udp, tcp or both, or write listeners")
    places: list[Where] = [("sip", "transports")] * len(sip.transports)
    places += [("sip", "listeners", index) for index in range(len(sip.listeners))]
    taken: dict[tuple[str, str, int], Where] = {}
    for where, options in zip(places, sip.options("").listeners, strict=True):
        carrier = "udp" if options.transport == "udp" else "tcp"
        if taken.setdefault((carrier, *options.local), where) is not where:
            source.complain(where, f"{carrier} port {options.port} is another listener's", "give it another port")
    for index, listener in enumerate(sip.listeners):
        _listener(listener, sip.options("").listeners[len(sip.transports) + index], ("sip", "listeners", index), source)


def check_address(host: str, advertised: str, where: Where, source: Source) -> None:
    """`host` must be an address of ours that others can be told, or `advertised` tells them another."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        source.complain((*where, "host"), f"{host!r} is not an IP address", "give one of this machine")
        return
    if address.is_unspecified and not advertised:
        remedy = f"set {where[0]}.advertised" if len(where) == 1 else "set its advertised"
        source.complain((*where, "host"), f"{host} cannot be told to others", f"{remedy} to the address they reach")


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
