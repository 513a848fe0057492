"""Which values of a backend are secret, and how to print things without them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from sipgw.options import BackendOptions

MASK = "***"
_SECRET_NAME = re.compile(r"key|token|secret|password|credential|signature|auth", re.IGNORECASE)
_SHORTEST = 6
"""Shorter values are not searched for inside other text: they would be found everywhere."""


def secrets_in(backend: BackendOptions) -> Iterator[str]:
    """The secret values of one backend: header values, passwords and keys in its URL and in its settings."""
    for value in backend.headers.values():
        yield value
        yield from (word for word in value.split() if len(word) >= _SHORTEST)
    yield from _of_url(backend.url)
    yield from _of_settings(backend.settings)


def hide(value: object, secrets: Iterable[str]) -> object:
    """The same value with every secret in it masked."""
    match value:
        case str():
            for secret in sorted(secrets, key=len, reverse=True):
                if value == secret or len(secret) >= _SHORTEST:
                    value = value.replace(secret, MASK)
            return value
        case Mapping():
            return {key: hide(inner, secrets) for key, inner in value.items()}
        case list() | tuple():
            return [hide(inner, secrets) for inner in value]
    return value


def _of_url(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return
    if password:
        yield password
        yield unquote(password)
    for name, value in parse_qsl(parts.query):
        if _SECRET_NAME.search(name):
            yield value


def _of_settings(settings: Mapping[str, object]) -> Iterator[str]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _of_settings(value)
        elif isinstance(value, str) and value and _SECRET_NAME.search(name):
            yield value
