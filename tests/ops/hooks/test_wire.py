"""What goes over the wire to a hook and back, and what is no answer."""

import json
from pathlib import Path

import jsonschema
import pytest

import sipgw.ops.hooks
from sipgw.call.advice import Advice, Question, Rejection
from sipgw.ops.hooks.wire import decode, encode, schema

PUBLISHED = json.loads((Path(sipgw.ops.hooks.__file__).parent / "hook.schema.json").read_text())
QUESTION = Question(
    call="n1-7", node="n1", route="+1555*", trunk="carrier", caller="+15550100", caller_name="Zoë", called="+15550199",
    source="192.0.2.7", headers={"X-Customer": "17"}, sip_call_id="a@b", started="2026-11-25T10:00:00.000+00:00",
    tried=("assistant",),
)  # fmt: skip


def answers() -> list[tuple[dict[str, object], Advice]]:
    return [
        ({"continue": True}, Advice()),
        ({"backend": "assistant"}, Advice(backend="assistant")),
        ({"reject": {"status": 486}}, Advice(reject=Rejection(486))),
        ({"reject": {"status": 603, "reason": "Decline"}}, Advice(Rejection(603, "Decline"))),
        (
            {
                "backend": "mine", "settings": {"voice": "marin", "speed": 1.1}, "headers": {"X-A": "1"},
                "variables": {"customer": "Ann"}, "instructions": "Be kind.", "ring": True,
            },
            Advice(None, "mine", {"voice": "marin", "speed": 1.1}, {"X-A": "1"}, {"customer": "Ann"}, "Be kind.", True),
        ),
        ({"continue": True, "variables": {"a_1": ""}}, Advice(variables={"a_1": ""})),
    ]  # fmt: skip


def test_the_published_schema_is_made_from_the_code() -> None:
    assert json.loads(json.dumps(schema())) == PUBLISHED, "run tests/ops/hooks/publish.py"
    jsonschema.Draft202012Validator.check_schema(PUBLISHED)


def test_a_question_is_as_the_schema_has_it() -> None:
    sent = json.loads(encode(QUESTION))
    jsonschema.validate(sent, {**PUBLISHED, "anyOf": [{"$ref": "#/$defs/Question"}]})
    assert sent["caller_name"] == "Zoë"
    assert sent["headers"] == {"X-Customer": "17"}
    assert sent["tried"] == ["assistant"]


@pytest.mark.parametrize(("answer", "advice"), answers())
def test_an_answer_is_read_and_is_as_the_schema_has_it(answer: dict[str, object], advice: Advice) -> None:
    jsonschema.validate(answer, {**PUBLISHED, "anyOf": [{"$ref": "#/$defs/Answer"}]})
    assert decode(json.dumps(answer).encode()) == advice


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "truncated"),
        (b"<html>Welcome</html>", "malformed"),
        (b"[]", "Expected `object`"),
        (b"\xff", "malformed"),
        (b"[" * 100_000, ""),
        (b"{}", "say one of backend, reject and continue"),
        (b'{"backend": "a", "continue": true}', "say one of"),
        (b'{"backend": "a", "reject": {"status": 486}}', "say one of"),
        (b'{"bakend": "a"}', "unknown field `bakend`"),
        (b'{"backend": 7}', "Expected `str`"),
        (b'{"reject": {"status": 200}}', ">= 400"),
        (b'{"reject": {"status": 700}}', "<= 699"),
        (b'{"continue": true, "variables": {"a b": "c"}}', "matching regex"),
        (b'{"continue": true, "variables": {"a\\n": "c"}}', "matching regex"),
        (b'{"continue": true, "variables": {"a": 7}}', "Expected `str`"),
        (b'{"continue": true, "settings": {"voice": "x"}}', "need the backend"),
        (b'{"backend": "a", "headers": {"X-A": "b\\r\\nX-C: d"}}', "matching regex"),
        (b'{"backend": "a", "headers": {"X-A": "b\\n"}}', "matching regex"),
        (b'{"backend": "a", "headers": {"X A": "b"}}', "matching regex"),
        (b'{"backend": "a", "instructions": "' + b"x" * 70_000 + b'"}', "length <= 65536"),
    ],
)
def test_what_is_no_answer_is_told(body: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=r".*") as caught:
        decode(body)
    assert said in str(caught.value)
