"""Which values of the configuration are secret, and how to print things without them.

A key's type says it: `SecretStr`, wherever it stands. Besides, passwords and keys in URLs, and values under telling
names where a section takes any key.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, SecretStr

MASK = "***"
_SECRET_NAME = re.compile(r"key|token|secret|password|credential|signature|auth", re.IGNORECASE)
_SHORTEST = 6
"""Shorter values are not searched for inside other text: they would be found everywhere."""


def secrets_in(value: object) -> Iterator[str]:
    """Every secret in a section or a value of one, at any depth."""
    match value:
        case SecretStr():
            yield from _of_text(value.get_secret_value())
        case BaseModel():
            for _, inner in value:
                yield from secrets_in(inner)
        case Mapping():
            for name, inner in value.items():
                telling = isinstance(inner, str) and inner and _SECRET_NAME.search(str(name))
                yield from (inner,) if telling else secrets_in(inner)
        case list() | tuple():
            for inner in value:
                yield from secrets_in(inner)
        case str() if "://" in value:
            yield from _of_url(value)


def hide(value: object, secrets: Collection[str]) -> object:
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


def _of_text(text: str) -> Iterator[str]:
    """A secret, and those it is made of: `Bearer …`, or a URL with a password."""
    if text:
        yield text
        yield from (word for word in text.split() if len(word) >= _SHORTEST)
        yield from _of_url(text)


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
