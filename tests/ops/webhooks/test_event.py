"""Bodies are as the published schema has them, for every kind of happening that a call makes."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

import sipgw.ops.webhooks
from sipgw.ai.events import Transcript, Turn
from sipgw.call.feed import Happening, Kind
from sipgw.media import plane
from sipgw.ops.webhooks.event import body, message_id
from tests.fakes.control import Control

SCHEMA = json.loads((Path(sipgw.ops.webhooks.__file__).parent / "event.schema.json").read_text())


def happenings() -> list[Happening]:
    """Of a call whose first AI fails, with words, a key and a farewell."""
    control = Control()
    call = control.invite()
    call.fails()
    call.ready(2)
    call.ack()
    call.packet()
    call.media(plane.Digit(call.session, "5", 100))
    call.report(Transcript("caller", "Good day"), 2)
    call.report(Turn(420), 2)
    call.replaced()
    call.bye()
    call.over()
    return [*control.happenings, Happening(Kind.ALARM, "", 1e9, {"name": "loop_lag", "detail": "40 ms"})]


def test_every_body_is_as_the_schema_says() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    told = happenings()
    assert {one.kind for one in told} >= {
        Kind.STARTED, Kind.RINGING, Kind.TARGET, Kind.TARGET_FAILED, Kind.ANSWERED, Kind.DIGIT, Kind.TRANSCRIPT,
        Kind.TURN, Kind.REPLACED, Kind.ENDED, Kind.ALARM,
    }  # fmt: skip
    for happening in told:
        validator.validate(json.loads(body(happening, message_id(), "n1")))


@pytest.mark.parametrize("kind", [Kind.STARTED, Kind.ANSWERED, Kind.REPLACED, Kind.ENDED, Kind.ALARM])
def test_the_schema_misses_what_is_missing(kind: Kind) -> None:
    happening = next(one for one in happenings() if one.kind is kind)
    for name in ("caller", "cause", "target", "name"):
        if name in happening.data:
            less = replace(happening, data={key: value for key, value in happening.data.items() if key != name})
            if kind is Kind.ANSWERED and name == "caller":
                continue
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(json.loads(body(less, message_id(), "n1")), SCHEMA)


def test_a_body_names_message_kind_time_and_call() -> None:
    text = body(Happening(Kind.RINGING, "n1-7", 1_700_000_000.25), "msg_x", "n1")
    assert json.loads(text) == {
        "id": "msg_x",
        "type": "call.ringing",
        "timestamp": "2023-11-14T22:13:20.250+00:00",
        "node": "n1",
        "call": "n1-7",
        "data": {},
    }
