"""What the configuration leaves to the dialects: whether a backend can work, and what is usual for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from sipgw.ai.events import CallFacts
from sipgw.ai.registry import DIALECTS, make_dialect
from sipgw.options import BackendOptions
from sipgw.settings.problems import Where, did_you_mean
from sipgw.settings.source import Source

_FACTS = CallFacts("check")
_URL_HINT = "write ws://host:port/ or wss://host/"


@dataclass(frozen=True, slots=True)
class Usual:
    """In force where the configuration says nothing."""

    barge_in: str = "backend"
    live: bool = False


USUAL: Mapping[str, Usual] = {"echo": Usual(barge_in="off", live=True), "tone": Usual(barge_in="off")}
"""Dialects that differ from the others: an echo and a tone would interrupt themselves."""


def check_backend(options: BackendOptions, source: Source) -> None:
    """Note why a backend cannot work, by setting a conversation up that never connects."""
    where: Where = ("backends", options.name)
    if options.dialect not in DIALECTS:
        hint = did_you_mean(options.dialect, DIALECTS)
        source.complain((*where, "dialect"), f"there is no dialect {options.dialect!r}", hint)
        return
    try:
        connection = make_dialect(options, _FACTS).open(0.0)
    except ValueError as error:
        key, text = _split(str(error).removeprefix(f"backend {options.name}: "))
        hint = _URL_HINT if key == "url" else ""
        source.complain((*where, key) if key else where, text, hint)
        return
    _check_url(options, None if connection is None else connection.url, (*where, "url"), source)


def _check_url(options: BackendOptions, url: str | None, where: Where, source: Source) -> None:
    """`url` is where the dialect would connect to; None where it is built in."""
    if url is None:
        if options.url:
            source.complain(where, f"dialect {options.dialect} is built in", "leave the url out")
    elif not url:
        source.complain(where, "is missing", _URL_HINT)
    elif not _is_websocket(url):
        source.complain(where, "is not a WebSocket address", _URL_HINT)


def _split(text: str) -> tuple[str, str]:
    """The key a dialect's complaint begins with, if it does, and the rest."""
    first, _, rest = text.partition(" ")
    key = first.removesuffix(":")
    return (key, rest) if key in BackendOptions.__dataclass_fields__ else ("", text)


def _is_websocket(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
