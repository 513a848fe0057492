"""`/docs`: the OpenAPI description as one page of its own, without a script and without a network."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
h2{border-bottom:1px solid #ccc;margin-top:2.5rem}h3{margin-bottom:.2rem}code{background:#f4f4f4;padding:.1rem .3rem}
table{border-collapse:collapse}td,th{text-align:left;padding:.15rem .8rem .15rem 0;
vertical-align:top}.m{display:inline-block;min-width:3.5rem;font-weight:600}
"""
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


def page(description: Mapping[str, Any]) -> str:
    """The page for an OpenAPI description."""
    info = description["info"]
    title = escape(info["title"])
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>",
        f"<h1>{title} {escape(info['version'])}</h1><p>{escape(info.get('description', ''))}</p>",
        "<p>For programs: <a href=openapi.json>openapi.json</a>.</p>",
        *_operations(description),
        "<h2>What is sent</h2>",
        *(_schema(name, schema) for name, schema in description["components"]["schemas"].items()),
    ]
    return "".join(parts)


def _operations(description: Mapping[str, Any]) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    for tag, operations in groups.items():
        yield f"<h2>{escape(tag)}</h2>"
        yield from operations


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{escape(one['name'])}</code><td>{escape(one['in'])}<td>{escape(one.get('description', ''))}"
        for one in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        rows.append(f"<tr><td>body<td>JSON<td>{_kind(body)}")
    answers = ", ".join(
        f"{status}{_answer(response)}" for status, response in sorted(operation.get("responses", {}).items())
    )
    return (
        f"<h3><span class=m>{method.upper()}</span> <code>{escape(path)}</code></h3>"
        f"<p>{escape(operation.get('description', ''))}</p><table>{''.join(rows)}</table><p>Answers: {answers}</p>"
    )


def _answer(response: Mapping[str, Any]) -> str:
    for content in response.get("content", {}).values():
        if "$ref" in content.get("schema", {}):
            return f" ({_kind(content['schema'])})"
    return ""


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{escape(key)}</code><td>{_kind(field)}<td>{escape(field.get('description', ''))}"
        for key, field in schema.get("properties", {}).items()
    ]
    about = escape(schema.get("description", ""))
    return f"<h3 id={escape(name)}>{escape(name)}</h3><p>{about}</p><table>{''.join(rows)}</table>"


def _kind(schema: Mapping[str, Any]) -> str:
    """A type in words, with a link where it is one of ours."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href=#{name}>{name}</a>"
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return escape(str(schema.get("type", "anything")))
