"""Runs in the `openai` environment: judges client events, one JSON a line, by the package's own types.

The package's models take unknown fields silently and a union may settle on a sibling, so the model is chosen by the
event's `type`, and whatever it did not declare is a fault. Prints one line an event: `ok`, or what is wrong.
"""

import json
import sys
import typing

from openai.types.realtime import RealtimeClientEvent
from pydantic import BaseModel, ValidationError


def models(union):
    members = typing.get_args(typing.get_args(union)[0])
    return {typing.get_args(model.model_fields["type"].annotation)[0]: model for model in members}


def undeclared(value, path=""):
    if isinstance(value, BaseModel):
        yield from (f"{path}.{name}" for name in value.model_extra or {})
        for name in type(value).model_fields:
            yield from undeclared(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, (list, tuple)):
        for index, member in enumerate(value):
            yield from undeclared(member, f"{path}[{index}]")


def judge(event, known):
    model = known.get(event.get("type"))
    if model is None:
        return f"unknown type {event.get('type')!r}"
    try:
        faults = list(undeclared(model.model_validate(event)))
    except ValidationError as error:
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return "undeclared: " + ", ".join(faults) if faults else "ok"


KNOWN = models(RealtimeClientEvent)
for line in sys.stdin:
    print(judge(json.loads(line), KNOWN))
