"""The `sipgw` dialect, message by message, and its documentation and schema held against it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.ai import sipgw_protocol, sipgw_wire
from sipgw.ai.carried import Attestation, Carried, Passed
from sipgw.ai.dialect import Connect
from sipgw.ai.events import (
    BackendEvent,
    CallerSpeech,
    CallFacts,
    Clear,
    DigitPressed,
    Drained,
    Dropped,
    Ended,
    Failed,
    GatewayEvent,
    HangUpWish,
    Interrupted,
    MarkReached,
    PlaceMark,
    Ready,
    RecordingWish,
    Say,
    Speech,
    SpeechEnded,
    Started,
    ToolResult,
    Transcript,
    TransferWish,
)
from sipgw.ai.sipgw_protocol import SipgwProtocol
from sipgw.options import BackendOptions

FOLDER = Path(sipgw_protocol.__file__).parent
SCHEMA = json.loads((FOLDER / "sipgw-protocol.schema.json").read_text())
FACTS = CallFacts(
    "n1-1", "+4420", "+4421", "Ann", {"X-Customer": "17"}, "a84b@phone", "PCMA", started="2030-05-01T12:00:00Z",
    variables={"tier": "gold"}, instructions="Be brief.",
    carried=Carried(
        "sip:+4420@carrier.example", "sip:+4421@gw.example", attestation=Attestation("A", "from"),
        history=(Passed("1", "+4422", 302),),
    ),
)  # fmt: skip
FRAME = bytes(range(240)) * 4


def valid(message: object, side: str) -> None:
    """Raises if the schema does not know the message."""
    jsonschema.Draft202012Validator({**SCHEMA, "oneOf": [{"$ref": f"#/$defs/{side}"}]}).validate(message)


def dialect(audio: str = "pcm16/24000", **settings: Any) -> SipgwProtocol:
    options = BackendOptions("mine", "sipgw", "ws://ai.test/", {"X-Key": "k"}, audio=audio, settings=settings)
    return SipgwProtocol(options, FACTS)


def connected(**settings: Any) -> SipgwProtocol:
    core = dialect(**settings)
    core.open(0.0)
    core.connected(0.1)
    return core


def ready() -> SipgwProtocol:
    core = connected()
    core.to_send()
    core.events()
    return core


def sent(core: SipgwProtocol) -> list[dict[str, Any]]:
    """What is to be sent, all of it valid."""
    messages = [json.loads(message) for message in core.to_send()]
    for message in messages:
        valid(message, "to_backend")
    return messages


def hear(core: SipgwProtocol, *messages: str | bytes | dict[str, object]) -> list[BackendEvent]:
    for message in messages:
        core.receive(json.dumps(message) if isinstance(message, dict) else message, 1.0)
    return core.events()


# --- setting up ---------------------------------------------------------------------------------------------------


def test_it_connects_with_its_headers_and_offers_its_version() -> None:
    assert dialect().open(0.0) == Connect("ws://ai.test/", {"X-Key": "k"}, ("sipgw.v1",))


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 24_000])
def test_the_start_tells_all_that_is_known(rate_hz: int) -> None:
    core = dialect(f"pcm16/{rate_hz}", parameters={"tenant": "acme"}, frame_ms=40)
    core.open(0.0)
    core.connected(0.1)
    assert sent(core) == [
        {
            "type": "start",
            "version": 1,
            "call": {
                "id": "n1-1",
                "caller": "+4420",
                "called": "+4421",
                "caller_name": "Ann",
                "headers": {"X-Customer": "17"},
                "sip_call_id": "a84b@phone",
                "codec": "PCMA",
                "started": "2030-05-01T12:00:00Z",
                "variables": {"tier": "gold"},
                "instructions": "Be brief.",
                "carried": {
                    "from": "sip:+4420@carrier.example",
                    "to": "sip:+4421@gw.example",
                    "asserted": [],
                    "privacy": [],
                    "attestation": {"level": "A", "source": "from"},
                    "diversions": [],
                    "history": [{"index": "1", "number": "+4422", "cause": 302}],
                    "user_to_user": [],
                    "identity": [],
                },
            },
            "audio": {"encoding": "pcm16", "rate_hz": rate_hz, "channels": 1, "frame_ms": 40},
            "parameters": {"tenant": "acme"},
            "resumed": False,
        }
    ]
    assert (core.frame_ms, core.audio_format.rate_hz) == (40, rate_hz)


def test_an_open_socket_is_a_ready_backend() -> None:
    core = connected()
    assert core.events() == [Ready()]
    assert hear(core, {"type": "ready"}) == []


def test_a_backend_that_wants_to_be_waited_for_says_when() -> None:
    core = connected(wait_ready=True)
    assert core.events() == []
    assert core.audio(FRAME, 0.2) is None
    assert hear(core, {"type": "ready"}) == [Ready()]
    assert core.audio(FRAME, 0.3) == FRAME


def test_a_lost_connection_resumes_without_a_second_greeting() -> None:
    core = ready()
    core.send(Started(), 0.5)
    core.disconnected(1006, "", 2.0)
    assert core.events() == [Failed("connection_lost", detail="1006")]
    core.send(DigitPressed("5", 100), 2.1)
    core.open(2.2)
    core.connected(2.3)
    start, opening = sent(core)
    assert (start["resumed"], opening) == (True, {"type": "open"})
    assert core.events() == [Ready()]


def test_a_conversation_that_goes_on_elsewhere_resumes() -> None:
    core = SipgwProtocol(BackendOptions("mine", "sipgw", "ws://ai.test/"), CallFacts("c1", resumed=True))
    core.open(0.0)
    core.connected(0.1)
    core.send(Started(), 0.2)
    start, opening = sent(core)
    assert (start["resumed"], opening) == (True, {"type": "open"})


@pytest.mark.parametrize(
    ("audio", "settings", "complaint"),
    [
        ("pcmu/8000", {}, "sipgw speaks pcm16, not pcmu/8000"),
        ("pcm16/24000", {"wait": True}, "unknown field `wait`"),
        ("pcm16/24000", {"wait_ready": "yes"}, "wait_ready"),
        ("pcm16/24000", {"frame_ms": 25}, "frame_ms"),
        ("pcm16/24000", {"frame_ms": 500}, "frame_ms"),
    ],
)
def test_settings_that_make_no_sense_are_refused(audio: str, settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        dialect(audio, **settings)


def test_a_url_is_needed() -> None:
    with pytest.raises(ValueError, match="backend mine: url is missing"):
        SipgwProtocol(BackendOptions("mine", "sipgw"), FACTS)


# --- towards the backend ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (Started(), {"type": "open"}),
        (DigitPressed("#", 120), {"type": "dtmf", "digit": "#", "duration_ms": 120}),
        (CallerSpeech(True), {"type": "speech", "speaking": True}),
        (Interrupted("a", 480, 2000), {"type": "interrupted", "item": "a", "sent_ms": 480, "queued_ms": 2000}),
        (MarkReached("m"), {"type": "mark", "name": "m", "cleared": False}),
        (MarkReached("m", cleared=True), {"type": "mark", "name": "m", "cleared": True}),
        (Drained(), {"type": "drained"}),
        (ToolResult("t", '{"a":[1]}'), {"type": "result", "id": "t", "output": {"a": [1]}, "failed": False}),
        (ToolResult("t", "no JSON", True), {"type": "result", "id": "t", "output": "no JSON", "failed": True}),
        (Say("Hello."), {"type": "say", "text": "Hello."}),
        (Ended("over"), {"type": "end", "reason": "over"}),
    ],
)
def test_an_event_is_told(event: GatewayEvent, message: dict[str, object]) -> None:
    core = ready()
    core.send(event, 1.0)
    assert sent(core) == [message]


def test_the_callers_audio_is_sent_as_it_is() -> None:
    assert ready().audio(memoryview(FRAME), 1.0) == FRAME


def test_nothing_is_kept_for_a_socket_that_is_not_there() -> None:
    core = dialect()
    core.send(Ended("over"), 0.1)
    assert core.to_send() == []


# --- from the backend ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ({"type": "clear"}, Clear()),
        ({"type": "mark", "name": "m"}, PlaceMark("m")),
        ({"type": "transfer", "target": "sales"}, TransferWish("sales")),
        (
            {"type": "transfer", "target": "sales", "id": "t", "summary": "s", "reason": "r"},
            TransferWish("sales", "t", "s", "r"),
        ),
        ({"type": "pause_recording"}, RecordingWish(paused=True)),
        ({"type": "resume_recording"}, RecordingWish(paused=False)),
        ({"type": "hang_up"}, HangUpWish()),
        ({"type": "hang_up", "id": "h", "reason": "done"}, HangUpWish("h", "done")),
        ({"type": "transcript", "who": "caller", "text": "Hi"}, Transcript("caller", "Hi")),
        (
            {"type": "transcript", "who": "agent", "text": "Hi", "final": False, "item": "a"},
            Transcript("agent", "Hi", False, "a"),
        ),
        ({"type": "error"}, Failed("backend_error")),
        ({"type": "error", "message": "full", "permanent": True}, Failed("backend_error", True, "full")),
    ],
)
def test_a_message_is_understood(message: dict[str, object], event: BackendEvent) -> None:
    valid(message, "from_backend")
    assert hear(ready(), message) == [event]
    # Fields that a later backend adds are none of our business.
    assert hear(ready(), {**message, "colour": "green"}) == [event]


def test_binary_is_speech_and_an_item_names_it() -> None:
    core = ready()
    assert hear(core, b"abcd") == [Speech(b"abcd")]
    assert hear(core, {"type": "item", "id": "a"}, b"abcd", b"", {"type": "item", "id": "b"}, b"efgh") == [
        Speech(b"abcd", "a"),
        SpeechEnded("a"),
        Speech(b"efgh", "b"),
    ]
    assert hear(core, {"type": "item_end"}, b"ijkl") == [SpeechEnded("b"), Speech(b"ijkl")]


def test_what_follows_a_clear_has_no_name() -> None:
    assert hear(ready(), {"type": "item", "id": "a"}, b"abcd", {"type": "clear"}, b"efgh") == [
        Speech(b"abcd", "a"),
        Clear(),
        Speech(b"efgh"),
    ]


def test_a_sample_may_be_cut_in_two() -> None:
    assert hear(ready(), b"abc", b"d", b"e", b"fg") == [Speech(b"ab"), Speech(b"cd"), Speech(b"ef")]


def test_half_a_sample_does_not_shift_the_next_utterance() -> None:
    core = ready()
    assert hear(core, b"abc", {"type": "clear"}, b"defg")[-1] == Speech(b"defg")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not_a_message"),
        ("null", "not_a_message"),
        ("[" * 100_000, "not_a_message"),
        ('{"type": 1}', "not_a_message"),
        ('{"type": "start"}', "unknown_message"),
        ('{"type": "mark"}', "malformed_message"),
        ('{"type": "mark", "name": 1}', "malformed_message"),
        ('{"type": "transfer", "target": ""}', "malformed_message"),
        ('{"type": "transcript", "who": "dog", "text": "woof"}', "malformed_message"),
    ],
)
def test_what_makes_no_sense_is_a_named_drop(text: str, reason: str) -> None:
    (event,) = hear(ready(), text)
    assert isinstance(event, Dropped)
    assert event.reason == reason
    assert len(event.detail) <= 80


@given(st.text() | st.binary())
def test_anything_whatever_may_come(message: str | bytes) -> None:
    hear(ready(), message)


def test_a_server_that_echoes_texts_too_does_no_harm() -> None:
    core = ready()
    for event in (Started(), DigitPressed("1", 100), Drained(), Interrupted("", 1, 2), Ended("over")):
        core.send(event, 1.0)
    assert {type(event) for event in hear(core, *core.to_send())} == {Dropped}


# --- the end ------------------------------------------------------------------------------------------------------


def test_closing_normally_hangs_up() -> None:
    core = ready()
    core.send(Started(), 0.5)
    core.disconnected(1000, "", 2.0)
    assert core.events() == [HangUpWish(reason="backend_closed")]


def test_closing_normally_before_the_call_is_a_refusal() -> None:
    core = ready()
    core.disconnected(1000, "full", 0.2)
    assert core.events() == [Failed("backend_closed", False, "1000 full")]


@pytest.mark.parametrize("farewell", [{"type": "hang_up"}, {"type": "error"}])
def test_a_backend_may_leave_after_its_last_word(farewell: dict[str, object]) -> None:
    core = ready()
    assert len(hear(core, farewell)) == 1
    core.disconnected(1006, "", 2.0)
    assert core.events() == []


def test_our_own_end_is_no_failure() -> None:
    core = ready()
    core.send(Ended("over"), 1.0)
    core.disconnected(1005, "", 1.1)
    core.disconnected(1005, "", 1.2)
    assert core.events() == []
    core.handle_timers(9.0)
    assert core.next_timer() is None


# --- the documentation --------------------------------------------------------------------------------------------


def documented(heading: str) -> list[dict[str, Any]]:
    """The examples under a heading of PROTOCOL.md."""
    section = (FOLDER / "PROTOCOL.md").read_text().partition(f"## {heading}\n")[2]
    text = section.partition("```json\n")[2].partition("```")[0]
    found, at = [], 0
    while at < len(text):
        message, at = json.JSONDecoder().raw_decode(text, at)
        at += len(text[at:]) - len(text[at:].lstrip())
        found.append(message)
    return found


def kinds(side: str) -> set[str]:
    return {row["properties"]["type"]["const"] for row in SCHEMA["$defs"][side]["oneOf"]}


@pytest.mark.parametrize(("heading", "side"), [("To the backend", "to_backend"), ("From the backend", "from_backend")])
def test_the_examples_are_valid_and_complete(heading: str, side: str) -> None:
    examples = documented(heading)
    for example in examples:
        valid(example, side)
    assert {example["type"] for example in examples} == kinds(side)


def test_the_schema_knows_every_message_we_understand_and_no_other() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert kinds("from_backend") == {each.__struct_config__.tag for each in sipgw_wire.BackendMessage.__args__}


@pytest.mark.parametrize("example", documented("From the backend"), ids=lambda example: str(example["type"]))
def test_the_documented_messages_are_understood(example: dict[str, object]) -> None:
    core = ready()
    assert not [event for event in hear(core, example, b"ab") if isinstance(event, Dropped)]


@pytest.mark.parametrize(
    ("message", "side"),
    [
        ({"type": "open"}, "from_backend"),
        ({"type": "mark"}, "from_backend"),
        ({"type": "mark", "name": "m"}, "to_backend"),
        ({"type": "dtmf", "digit": "55", "duration_ms": 1}, "to_backend"),
        ({"type": "interrupted", "item": "", "sent_ms": -1, "queued_ms": 1}, "to_backend"),
    ],
)
def test_the_schema_refuses_what_is_none_of_its_messages(message: dict[str, object], side: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        valid(message, side)
