"""What a recording is called, by the template of the configuration."""

import re
from datetime import UTC, datetime
from string import Formatter

FIELDS = ("call", "called", "caller", "date", "route", "time")
"""What a template may hold in braces."""

_UNSAFE = re.compile(r"[^A-Za-z0-9+_@=.-]")
_LONGEST = 64


def recording_name(template: str, when: float, *, call: str, caller: str, called: str, route: str) -> str:
    """A relative path without an ending; what callers wrote can neither leave the folder nor hide in it.

    Args:
        template: such as `{date}/{call}`, checked by `objection`.
        when: Unix time of the recording's begin.
        call: the call's id.
        caller: its number or name.
        called: likewise.
        route: the pattern of its route.
    """
    begun = datetime.fromtimestamp(when, UTC)
    said = {"call": call, "caller": caller, "called": called, "route": route}
    safe = {name: _safe(value) for name, value in said.items()}
    return template.format(date=f"{begun:%Y-%m-%d}", time=f"{begun:%H%M%S}", **safe)


def objection(template: str) -> str:
    """What is wrong with a template; empty where nothing is."""
    try:
        fields = [field for _, field, _, _ in Formatter().parse(template) if field is not None]
    except ValueError as error:
        return f"is no template: {error}"
    unknown = next((field for field in fields if field not in FIELDS), None)
    if unknown is not None:
        return f"knows no {{{unknown}}}; there is {', '.join(f'{{{field}}}' for field in FIELDS)}"
    if template.startswith("/") or any(part in ("", ".", "..") for part in template.split("/")):
        return "is no relative path"
    return ""


def _safe(text: str) -> str:
    return _UNSAFE.sub("_", text)[:_LONGEST].lstrip(".") or "_"
