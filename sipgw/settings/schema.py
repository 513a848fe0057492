"""The configuration as a JSON Schema, for editors: keys, values and docstrings, and every way a file may write them.

pydantic describes what the sections hold. A file may say it in more ways: any plain value may hold `${NAME}`, any key
may be written as `key_file`, and a number may stand in quotes, or stand for a text.
"""

from collections.abc import Iterator
from typing import Any

from sipgw.settings.model import Settings

Schema = dict[str, Any]

_PLAIN = ("string", "number", "integer", "boolean")
_CLOSED = {"enum", "const", "pattern"}
"""What keeps a text from being just any."""
_SWITCHES = ("yes", "no", "on", "off")
"""Booleans to people, and to YAML 1.1, but texts to an editor."""


def schema() -> Schema:
    """What a configuration file may hold (JSON Schema 2020-12)."""
    made: Schema = Settings.model_json_schema()
    sections = [made, *made.get("$defs", {}).values()]
    for section in sections:
        if "properties" in section:
            _widen(section)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "sipgw"}


def _widen(section: Schema) -> None:
    """Let a section be written as files may write it."""
    keys: dict[str, Schema] = {}
    for name, key in section["properties"].items():
        key.pop("title", None)  # the key's name again
        keys[name] = _any_way(key)
        if _is_plain(key) and not name.endswith("_file"):
            keys[f"{name}_file"] = {
                "type": "string",
                "description": f"Name of a file that holds the value of `{name}`.",
            }
    section["properties"] = keys
    either = [name for name in section.get("required", ()) if f"{name}_file" in keys]
    if either:
        section["required"] = [name for name in section["required"] if name not in either]
        section["allOf"] = [{"anyOf": [{"required": [name]}, {"required": [f"{name}_file"]}]} for name in either]


def _any_way(value: Schema) -> Schema:
    """The schema of a value that may be written in other ways, too."""
    for inner in ("items", "additionalProperties"):
        if isinstance(value.get(inner), dict):
            value = {**value, inner: _any_way(value[inner])}
    if not _is_plain(value):
        return value
    told: Schema = {name: value[name] for name in ("description", "default") if name in value}
    strict = {name: part for name, part in value.items() if name not in told}
    return {**told, "anyOf": [way for choice in strict.get("anyOf", [strict]) for way in _ways(choice)]}


def _ways(choice: Schema) -> Iterator[Schema]:
    """How a plain value of one type may be written."""
    kind = choice["type"]
    yield choice
    if kind == "boolean":
        yield {"enum": list(_SWITCHES)}
    if kind in ("integer", "number"):
        yield {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
    if kind == "string" and not _CLOSED & choice.keys():
        yield {"type": "number"}
    elif kind != "null":
        yield {"type": "string", "pattern": r"\$\{[^}]+\}"}


def _is_plain(value: Schema) -> bool:
    return bool(_kinds(value)) and _kinds(value) <= {*_PLAIN, "null"}


def _kinds(value: Schema) -> set[str]:
    """The types a value may have; none where it is a section, or anything at all."""
    if "anyOf" in value:
        inner = [_kinds(choice) for choice in value["anyOf"]]
        return set().union(*inner) if all(inner) else set()
    kind = value.get("type")
    return {kind} if isinstance(kind, str) else set()
