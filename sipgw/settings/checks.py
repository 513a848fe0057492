"""What no single key can tell: names that must exist, ranges that must hold something, what a dialect needs."""

from sipgw.errors import PeerError, SipgwError
from sipgw.io.trust import trust
from sipgw.options.phone import PREFIX
from sipgw.settings.calls import Asked, Route
from sipgw.settings.checks_phones import check_phones
from sipgw.settings.checks_recording import check_recording
from sipgw.settings.checks_sip import check_address, check_networks, check_sip
from sipgw.settings.dialects import check_backend
from sipgw.settings.media import Media
from sipgw.settings.model import Settings
from sipgw.settings.packaged import prompt_names
from sipgw.settings.problems import Where, did_you_mean
from sipgw.settings.source import Source
from sipgw.settings.trunks import Trunk
from sipgw.sip.uri import Uri
from sipgw_codecs.registry import codec


def check(settings: Settings, source: Source) -> None:
    """Note every contradiction in `source.problems`."""
    check_sip(settings.sip, settings.sip_options().listeners, settings.media.address(), source)
    check_address(settings.media.host, settings.media.advertised, ("media",), source)
    _ports(settings.media, _datagram_ports(settings), source)
    check_networks(settings.media.allowed_destinations, ("media",), source, "allowed_destinations")
    if all(codec(name).available() for name in settings.media.codecs):
        missing = "; ".join(codec(name).available() for name in settings.media.codecs)
        source.complain(("media", "codecs"), f"has none that can be had here: {missing}", "name PCMU and PCMA")
    _records(settings.records.url, source)
    check_recording(settings, source)
    if not settings.routes:
        source.complain(("routes",), "is empty", "nobody could call; add a route")
    for name, backend in settings.backends.items():
        check_backend(backend.options(name), source)
    _prompt(settings.calls.hold_music, ("calls", "hold_music"), settings, source)
    users: dict[str, Where] = {}
    for name, trunk in settings.trunks.items():
        _trunk(trunk, ("trunks", name), users, source)
    check_phones(settings, users, source)
    for name, webhook in settings.webhooks.items():
        _authorities(webhook.ca_file, ("webhooks", name, "ca_file"), source)
    for name, hook in settings.hooks.items():
        _authorities(hook.ca_file, ("hooks", name, "ca_file"), source)
    for index, route in enumerate(settings.routes):
        _route(route, ("routes", index), settings, source)


def _datagram_ports(settings: Settings) -> list[int]:
    return [one.port for one in settings.sip_options().listeners if one.transport == "udp"]


def _ports(media: Media, sip_ports: list[int], source: Source) -> None:
    first, last = media.range
    where = ("media", "ports")
    if not 1024 <= first <= last <= 65_535:
        source.complain(where, f"{media.ports} is no range of ports", "write the lower first, from 1024 to 65535")
    elif last - (first + first % 2) < 1:
        source.complain(where, f"{media.ports} has no even port with its next", "a call takes two")
    for port in sip_ports:
        if first <= port <= last:
            source.complain(where, f"{media.ports} holds SIP's port {port}", "move one of them")


def _records(url: str, source: Source) -> None:
    if not url:
        return
    # Not for everybody: most keep their records in a file, and the library takes a while to load.
    from sipgw.records.engine import database_url

    try:
        database_url(url)
    except SipgwError as error:
        source.complain(("records", "url"), str(error))


def _authorities(ca_file: str, where: Where, source: Source) -> None:
    try:
        trust(ca_file)
    except OSError as error:
        source.complain(where, f"{ca_file} cannot be used: {error.strerror}", "name a file of certificates in PEM form")


def _target(target: str | Asked, where: Where, settings: Settings, source: Source) -> None:
    if isinstance(target, Asked):
        if target.ask not in settings.hooks:
            web = "://" in target.ask
            hint = "give it a name with url and secret in hooks" if web else did_you_mean(target.ask, settings.hooks)
            source.complain((*where, "ask"), f"there is no hook {target.ask!r}", hint)
    elif target not in settings.backends:
        hint = did_you_mean(target, settings.backends)
        source.complain(where, f"there is no backend {target!r}", hint)


def _prompt(name: str, where: Where, settings: Settings, source: Source) -> None:
    names = sorted({*settings.prompts, *prompt_names()})
    if name and name not in names:
        source.complain(where, f"there is no prompt {name!r}", did_you_mean(name, names))


def _route(route: Route, where: Where, settings: Settings, source: Source) -> None:
    _prompt(route.silence_prompt, (*where, "silence_prompt"), settings, source)
    _early_media(route, where, settings, source)
    if not route.targets:
        source.complain((*where, "targets"), "is empty", "name a backend")
    for index, target in enumerate(route.targets):
        _target(target, (*where, "targets", index), settings, source)
    check_networks(route.sources, where, source)
    for index, trunk in enumerate(route.trunks):
        if trunk not in settings.trunks:
            hint = did_you_mean(trunk, settings.trunks)
            source.complain((*where, "trunks", index), f"there is no trunk {trunk!r}", hint)
    for index, phone in enumerate(route.phones):
        if phone != "*" and phone not in settings.phones:
            hint = did_you_mean(phone, settings.phones)
            source.complain((*where, "phones", index), f"there is no phone {phone!r}", hint)
    if not route.anyone and not route.sources and not route.trunks and not route.phones:
        hint = "list the callers' addresses in sources, their trunks in trunks, phones in phones, or write anyone: true"
        source.complain(where, "nobody may use this route", hint)
    if "*" in route.number[:-1] or not route.number:
        source.complain((*where, "number"), f"{route.number!r} is no pattern", "a `*` stands at the end or alone")
    if route.last_resort != "apology" and not _is_refusal(route.last_resort):
        text = f"{route.last_resort!r} is no last resort"
        source.complain((*where, "last_resort"), text, "write apology, or a SIP code from 400 to 699")


def _early_media(route: Route, where: Where, settings: Settings, source: Source) -> None:
    _prompt(route.early_prompt, (*where, "early_prompt"), settings, source)
    for key, given in (("early_prompt", route.early_prompt), ("early_seconds", route.early_seconds)):
        if given and not route.early_media:
            source.complain((*where, key), "would not be heard", "write early_media: true as well")
    if route.early_seconds >= route.max_ringing:
        text = f"{route.early_seconds:g} s are not less than max_ringing, after which the call gets 480"
        source.complain((*where, "early_seconds"), text, "let the AI speak for a shorter time, or raise max_ringing")


def _trunk(trunk: Trunk, where: Where, users: dict[str, Where], source: Source) -> None:
    check_networks(trunk.sources, where, source)
    if str(where[1]).startswith(PREFIX):
        source.complain(where, f"a trunk's name cannot begin with {PREFIX}", "that is what phones are called by")
    if not trunk.sources and not trunk.names and not trunk.users and not trunk.register_:
        source.complain(where, "cannot be known", "write its addresses in sources, or names, users or register")
    for index, registrar in enumerate(trunk.register_.registrars if trunk.register_ else ()):
        if not _is_registrar(registrar):
            text = f"{registrar!r} is no SIP URI of a host"
            source.complain((*where, "register", "registrars", index), text, "write sip:carrier.example")
    if trunk.register_ and not trunk.register_.registrars:
        source.complain((*where, "register", "registrars"), "is empty", "name one, such as sip:carrier.example")
    for index, user in enumerate(trunk.users):
        here = (*where, "users", index, "username")
        if users.setdefault(user.username, here) is not here:
            source.complain(here, f"{user.username!r} is another trunk's user as well", "give each a name of its own")


def _is_registrar(text: str) -> bool:
    try:
        uri = Uri.parse(text)
    except PeerError:
        return False
    return uri.scheme in ("sip", "sips") and bool(uri.host) and uri.user is None


def _is_refusal(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 400 <= int(text) <= 699
