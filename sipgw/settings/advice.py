"""What a configuration may do but should not: told by `sipgw check` and at the start, and refused by nobody."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from sipgw.options import SECURE
from sipgw.settings.addresses import is_loopback
from sipgw.settings.calls import Route
from sipgw.settings.model import Settings
from sipgw.settings.problems import Problem, Where
from sipgw.settings.source import Source
from sipgw.sip.uri import Uri
from sipgw_codecs.registry import codec


def advise(settings: Settings, source: Source) -> Iterator[Problem]:
    """What an operator should think about again. The settings have passed every check."""
    yield from _reachable(settings, source)
    yield from _scraped(settings, source)
    yield from _steered(settings, source)
    yield from _unencrypted(settings, source)
    yield from _keys_in_the_clear(settings, source)
    yield from _unproven(settings, source)
    yield from _unspoken(settings, source)
    yield from _shadowed(settings, source)


def _reachable(settings: Settings, source: Source) -> Iterator[Problem]:
    """What follows from listening for more than this machine."""
    open_to_all = [
        listener
        for listener in settings.sip_options().listeners
        if not ip_address(listener.host).is_loopback and listener.tls.clients != "required"
    ]
    if not open_to_all:
        return
    host = open_to_all[0].host
    for index, route in enumerate(settings.routes):
        if route.anyone:
            text = f"whoever reaches {host} may call {route.number!r}"
            yield source.problem(("routes", index, "anyone"), text, "list the callers' addresses in sources instead")
    unheard = [one for one in open_to_all if all(is_loopback(place.host) for place in one.media)]
    if unheard:
        text = f"{settings.media.host} is reached from this machine only, so that other callers hear nothing"
        yield source.problem(("media", "host"), text, f"write {unheard[0].host}, as SIP has it")


def _scraped(settings: Settings, source: Source) -> Iterator[Problem]:
    host = settings.metrics.host
    if settings.metrics.port and not _is_near(host):
        text = f"whoever reaches {host} sees how many calls there are and how they end"
        yield source.problem(("metrics", "host"), text, "serve them on 127.0.0.1 or a private address")


def _steered(settings: Settings, source: Source) -> Iterator[Problem]:
    host = settings.api.host
    if settings.api.port and not ip_address(host).is_loopback:
        text = f"tokens and transcripts travel to {host} unencrypted"
        yield source.problem(("api", "host"), text, "serve it on 127.0.0.1, behind a proxy with TLS")


def _unencrypted(settings: Settings, source: Source) -> Iterator[Problem]:
    for name, backend in settings.backends.items():
        parts = urlsplit(backend.url)
        if parts.scheme == "ws" and not _is_near(parts.hostname or ""):
            text = f"calls{' and headers' if backend.headers else ''} travel to {parts.hostname} unencrypted"
            yield source.problem(("backends", name, "url"), text, "write wss:// if it can")
    for section, places in (("webhooks", settings.webhooks), ("hooks", settings.hooks)):
        for name, place in places.items():
            parts = urlsplit(place.url)
            if parts.scheme == "http" and not _is_near(parts.hostname or ""):
                text = f"what is told of calls travels to {parts.hostname} unencrypted"
                yield source.problem((section, name, "url"), text, "write https:// if it can")


def _keys_in_the_clear(settings: Settings, source: Source) -> Iterator[Problem]:
    """SRTP that somebody relies on, while whoever reads the signalling reads its keys as well."""
    open_ones = {
        listener.transport
        for listener in settings.sip_options().listeners
        if listener.transport not in SECURE and not ip_address(listener.host).is_loopback
    }
    if not open_ones:
        return
    asked: list[tuple[Where, bool, set[str]]] = [(("media",), settings.media.srtp == "required", open_ones)]
    for name, trunk in settings.trunks.items():
        asked.append((("trunks", name), trunk.srtp in ("optional", "required"), open_ones))
    for name, phone in settings.phones.items():
        transports = open_ones & set(phone.transports) if phone.transports else open_ones
        asked.append((("phones", name), phone.srtp in ("optional", "required"), transports))
    for where, wanted, transports in asked:
        if wanted and transports:
            text = f"the keys travel unencrypted in calls that come over {' or '.join(sorted(transports))}"
            yield source.problem((*where, "srtp"), text, "let them come over tls alone")


def _unproven(settings: Settings, source: Source) -> Iterator[Problem]:
    """Trunks that are never known, or registrars never reached, for want of a listener."""
    listeners = settings.sip_options().listeners
    asking = any(one.transport in SECURE and one.tls.clients != "none" for one in listeners)
    spoken = {one.transport for one in listeners}
    for name, trunk in settings.trunks.items():
        if trunk.names and not asking:
            text = "no listener asks those who connect for a certificate, which would prove these"
            yield source.problem(("trunks", name, "names"), text, "give a tls listener clients: optional or required")
        for index, registrar in enumerate(trunk.register_.registrars if trunk.register_ else ()):
            uri = Uri.parse(registrar)
            wanted = "tls" if uri.scheme == "sips" else (uri.param("transport") or "").lower()
            if wanted and wanted not in spoken:
                where = ("trunks", name, "register", "registrars", index)
                yield source.problem(
                    where, f"cannot be reached without a {wanted} listener", "add one to sip.listeners"
                )


def _unspoken(settings: Settings, source: Source) -> Iterator[Problem]:
    for name in settings.media.codecs:
        if missing := codec(name).available():
            yield source.problem(("media", "codecs"), f"{name} is neither offered nor taken", missing)


def _shadowed(settings: Settings, source: Source) -> Iterator[Problem]:
    for index, route in enumerate(settings.routes):
        first = next((at for at, earlier in enumerate(settings.routes[:index]) if _covers(earlier, route)), None)
        if first is not None:
            text = f"gets no calls: routes[{first}] before it takes them all"
            yield source.problem(("routes", index), text, "put it first")


def _covers(earlier: Route, later: Route) -> bool:
    """Whether the earlier route takes every call that fits the later one."""
    pattern = earlier.number
    fits = later.number.startswith(pattern[:-1]) if pattern.endswith("*") else later.number == pattern
    fits = fits and _all(later.callers, earlier.callers) and _all(later.attestation, earlier.attestation)
    if earlier.anyone or later.anyone:
        return fits and earlier.anyone
    places = set(later.sources) <= set(earlier.sources) and set(later.trunks) <= set(earlier.trunks)
    return fits and places and ("*" in earlier.phones or set(later.phones) <= set(earlier.phones))


def _all(later: tuple[str, ...], earlier: tuple[str, ...]) -> bool:
    """Whether an earlier choice takes all that a later one does; none is no limit."""
    return not earlier or (bool(later) and set(later) <= set(earlier))


def _is_near(host: str) -> bool:
    """Whether a host is this machine or in a network of one's own, as a name without a domain is."""
    try:
        address = ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost"))
    return address.is_private and not address.is_unspecified
