"""Which keys a configuration may have at a place, read off its sections' types."""

import types
import typing
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sipgw.settings.problems import Where


def known_keys(section: type[BaseModel], where: Where) -> list[str]:
    """The keys there may be at `where` inside a section; none where it takes any, or is no section."""
    kinds: list[object] = [section]
    for step in where:
        kinds = [inner for kind in kinds for inner in _inside(kind, step)]
    return [key for kind in kinds if _is_section(kind) for key in keys_of(kind)]


def keys_of(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """A section's fields by their keys, as a file writes them."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _inside(kind: object, step: str | int) -> Iterator[object]:
    """What may stand at a step into a value of this kind."""
    if _is_section(kind):
        field = keys_of(kind).get(str(step))
        yield from _choices(field.annotation if field else None)
    else:  # dict[str, X], tuple[X, ...] or list[X]
        for inner in typing.get_args(kind):
            yield from _choices(inner)


def _choices(kind: object) -> Iterator[object]:
    """The kinds a value may be of: those of a union, without what `Annotated` adds."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        yield from _choices(typing.get_args(kind)[0])
    elif origin in (typing.Union, types.UnionType):
        for inner in typing.get_args(kind):
            yield from _choices(inner)
    else:
        yield kind


def _is_section(kind: object) -> typing.TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
