"""The `openai-realtime` dialect in simulated time, message by message."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.ai.events import (
    REMEMBERED,
    BackendEvent,
    CallerSpeech,
    CallerSpoke,
    CallerStopped,
    CallFacts,
    DigitPressed,
    Dropped,
    Ended,
    Failed,
    HangUpWish,
    Interrupted,
    Ready,
    Say,
    Speech,
    SpeechEnded,
    Started,
    ToolCall,
    ToolResult,
    Transcript,
    TransferWish,
    Words,
)
from sipgw.ai.openai_realtime import OpenAIRealtime
from sipgw.ai.openai_turns import ITEMS_KEPT
from sipgw.options import BackendOptions

FRAME = bytes(range(240)) * 4


def dialect(audio: str = "pcm16/24000", url: str = "wss://ai.test/v1/realtime", **settings: Any) -> OpenAIRealtime:
    settings = {"model": "m", **settings}
    options = BackendOptions("ai", "openai-realtime", url=url, audio=audio, barge_in="both", settings=settings)
    return OpenAIRealtime(options, CallFacts(call="c1"))


def tell(core: OpenAIRealtime, type_: str, now: float = 1.0, **fields: Any) -> list[BackendEvent]:
    """A server's event, and what it amounted to."""
    core.receive(json.dumps({"type": type_, "event_id": "e", **fields}), now)
    return core.events()


def sent(core: OpenAIRealtime) -> list[dict[str, Any]]:
    return [json.loads(message) for message in core.to_send()]


def ready(audio: str = "pcm16/24000", **settings: Any) -> OpenAIRealtime:
    core = dialect(audio, **settings)
    set_up(core)
    return core


def set_up(core: OpenAIRealtime) -> None:
    """A connection, up to the session that stands."""
    core.open(0.0)
    core.connected(0.1)
    tell(core, "session.created", session={})
    core.to_send()
    assert tell(core, "session.updated", session={}) == [Ready()]


def delta(core: OpenAIRealtime, audio: bytes, item: str = "i1", **more: Any) -> list[BackendEvent]:
    encoded = base64.b64encode(audio).decode()
    return tell(core, "response.output_audio.delta", delta=encoded, item_id=item, **more)


# --- setting up ---------------------------------------------------------------------------------------------------


def test_the_model_goes_into_the_url_unless_it_names_one() -> None:
    def url(given: str) -> str:
        made = dialect(url=given).open(0.0)
        assert made is not None
        return made.url

    assert url("") == "wss://api.openai.com/v1/realtime?model=m"
    assert url("wss://x.test/a?b=1") == "wss://x.test/a?b=1&model=m"
    assert url("wss://x.test/a?model=other") == "wss://x.test/a?model=other"
    assert url("wss://x.test/a?deployment=d") == "wss://x.test/a?deployment=d"


def test_headers_carry_the_key_and_the_beta_word() -> None:
    options = BackendOptions("ai", "openai-realtime", headers={"Authorization": "Bearer k"}, settings={"beta": True})
    made = OpenAIRealtime(options, CallFacts(call="c1")).open(0.0)
    assert made is not None
    assert made.headers == {"Authorization": "Bearer k", "OpenAI-Beta": "realtime=v1"}


def test_the_calls_own_instructions_take_the_place_of_the_backends() -> None:
    options = BackendOptions("ai", "openai-realtime", settings={"model": "m", "instructions": "Be brief."})
    core = OpenAIRealtime(options, CallFacts(call="c1", instructions="Say sorry first."))
    core.open(0.0)
    core.connected(0.1)
    tell(core, "session.created", session={})
    (update,) = sent(core)
    assert update["session"]["instructions"] == "Say sorry first."


def test_the_session_is_described_once_the_server_has_spoken() -> None:
    core = dialect(voice="marin", instructions="Be brief.", transcription="words-1", speed=1.1)
    core.open(0.0)
    core.connected(0.1)
    assert sent(core) == []
    assert tell(core, "session.created", session={}) == []
    (update,) = sent(core)
    session = update["session"]
    assert update["type"] == "session.update"
    assert session["type"] == "realtime"
    assert session["instructions"] == "Be brief."
    assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}
    assert session["audio"]["input"]["turn_detection"] == {"type": "server_vad"}
    assert session["audio"]["input"]["transcription"] == {"model": "words-1"}
    assert session["audio"]["output"]["voice"] == "marin"
    assert session["audio"]["output"]["speed"] == 1.1
    assert [tool["name"] for tool in session["tools"]] == ["hang_up", "transfer_call"]


@pytest.mark.parametrize(("audio", "name"), [("pcmu/8000", "audio/pcmu"), ("pcma/8000", "audio/pcma")])
def test_g711_goes_straight_through_and_names_no_rate(audio: str, name: str) -> None:
    core = dialect(audio)
    core.open(0.0)
    core.connected(0.1)
    tell(core, "session.created")
    session = sent(core)[0]["session"]
    assert session["audio"]["input"]["format"] == {"type": name}
    assert session["audio"]["output"]["format"] == {"type": name}
    assert core.audio_format.bytes_of(core.frame_ms) == 160


def test_the_beta_session_is_flat() -> None:
    core = dialect("pcmu/8000", beta=True, voice="v", transcription={"model": "w"})
    core.open(0.0)
    core.connected(0.1)
    tell(core, "session.created")
    session = sent(core)[0]["session"]
    assert session["input_audio_format"] == session["output_audio_format"] == "g711_ulaw"
    assert session["input_audio_transcription"] == {"model": "w"}
    assert "type" not in session
    assert "audio" not in session


def test_tools_can_be_left_out_and_added() -> None:
    core = dialect(hang_up=False, transfer=False, tools=[{"type": "function", "name": "look_up"}])
    core.open(0.0)
    core.connected(0.1)
    tell(core, "session.created")
    assert [tool["name"] for tool in sent(core)[0]["session"]["tools"]] == ["look_up"]


def test_a_server_that_waits_for_us_is_spoken_to_and_one_that_never_confirms_is_ready() -> None:
    core = dialect()
    core.open(0.0)
    core.connected(0.1)
    assert core.next_timer() == pytest.approx(1.1)
    core.handle_timers(1.0)
    assert sent(core) == []
    core.handle_timers(1.1)
    assert sent(core)[0]["type"] == "session.update"
    assert core.events() == []
    assert core.next_timer() == pytest.approx(3.1)
    core.handle_timers(3.1)
    assert core.events() == [Ready()]
    assert core.next_timer() is None
    # The word that comes late changes nothing.
    assert tell(core, "session.created") == []
    assert tell(core, "session.updated") == []
    assert sent(core) == []


def test_an_error_while_setting_up_is_a_refusal() -> None:
    core = dialect()
    core.open(0.0)
    core.connected(0.1)
    tell(core, "session.created")
    (failed,) = tell(core, "error", error={"type": "invalid_request_error", "code": "bad", "message": "no"})
    assert failed == Failed("session_refused", True, "invalid_request_error: bad: no")
    core.disconnected(1000, "", 2.0)
    assert core.events() == []
    assert core.next_timer() is None


def test_another_format_than_asked_for_is_a_failure_not_noise() -> None:
    core = dialect("pcmu/8000")
    core.open(0.0)
    core.connected(0.1)
    tell(core, "session.created")
    granted = {"audio": {"output": {"format": {"type": "audio/pcm", "rate": 24_000}}}}
    (failed,) = tell(core, "session.updated", session=granted)
    assert failed == Failed("audio_format_refused", True, "output audio/pcm")


@pytest.mark.parametrize(
    ("audio", "settings"),
    [("pcm16/8000", {}), ("opus", {}), ("pcm16/24000", {"vioce": "x"}), ("pcm16/24000", {"voice": 3})],
)
def test_settings_that_make_no_sense_are_refused(audio: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        dialect(audio, **settings)


def test_turns_without_any_vad_are_refused() -> None:
    options = BackendOptions("ai", "openai-realtime", barge_in="backend", settings={"turn_detection": None})
    with pytest.raises(ValueError, match="barge_in"):
        OpenAIRealtime(options, CallFacts(call="c1"))


def test_a_lost_connection_is_a_failure_and_a_reconnection_begins_anew() -> None:
    core = ready()
    core.disconnected(1011, "oops", 5.0)
    assert core.events() == [Failed("backend_internal_error", False, "1011 oops")]
    assert core.audio(FRAME, 5.0) is None
    core.open(6.0)
    core.connected(6.1)
    tell(core, "session.created")
    assert sent(core)[0]["type"] == "session.update"
    assert tell(core, "session.updated") == [Ready()]


def test_an_expected_close_is_no_failure() -> None:
    core = ready()
    core.send(Ended("normal"), 5.0)
    core.disconnected(1000, "", 5.1)
    assert core.events() == []


# --- audio --------------------------------------------------------------------------------------------------------


def test_caller_audio_is_an_append_of_base64() -> None:
    core = ready()
    message = core.audio(memoryview(FRAME), 1.0)
    assert isinstance(message, str)
    carried = json.loads(message)
    assert carried["type"] == "input_audio_buffer.append"
    assert base64.b64decode(carried["audio"]) == FRAME


def test_nothing_is_sent_before_the_session_stands() -> None:
    core = dialect()
    core.open(0.0)
    core.connected(0.1)
    assert core.audio(FRAME, 0.2) is None


@pytest.mark.parametrize("family", ["response.output_audio", "response.audio"])
def test_speech_comes_with_its_item(family: str) -> None:
    core = ready()
    assert tell(core, f"{family}.delta", delta=base64.b64encode(FRAME).decode(), item_id="i1") == [Speech(FRAME, "i1")]
    assert tell(core, f"{family}.done", item_id="i1") == [SpeechEnded("i1")]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ('{"type":"response.output_audio.delta","item_id":"i","delta":"?!"}', "bad_base64"),
        ('{"type":"response.output_audio.delta","item_id":"i","delta":"AAA"}', "bad_base64"),
        ('{"type":"response.output_audio.delta","item_id":"i","delta":"AAAA"}', "half_sample"),
        ('{"type":"response.output_audio.delta","item_id":"i","delta":7}', "malformed_event"),
        ('{"type":"response.output_audio.delta"}', "malformed_event"),
        ('{"type":"something.else"}', "unknown_event"),
        ('{"kind":"x"}', "not_an_event"),
        ("hello", "not_an_event"),
        (b"\xff\x00", "not_an_event"),
        ("[" * 100_000, "not_an_event"),
    ],
)
def test_what_makes_no_sense_is_a_named_drop(message: str | bytes, reason: str) -> None:
    core = ready()
    core.receive(message, 1.0)
    (dropped,) = core.events()
    assert isinstance(dropped, Dropped)
    assert dropped.reason == reason


@pytest.mark.parametrize("kind", ["response.content_part.added", "rate_limits.updated", "conversation.item.added"])
def test_events_of_the_interface_we_have_no_use_for_pass_in_silence(kind: str) -> None:
    assert tell(ready(), kind, item={"id": "x"}) == []


@given(st.one_of(st.binary(max_size=64), st.text(max_size=64)))
def test_receive_returns_for_anything(message: str | bytes) -> None:
    core = ready()
    core.receive(message, 1.0)
    assert all(isinstance(event, Dropped) for event in core.events())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
KINDS = st.sampled_from(
    ["session.updated", "error", "response.done", "response.output_item.done", "response.created", "session.created"]
)
FIELDS = st.dictionaries(st.sampled_from(["session", "error", "response", "item", "audio"]), JSON, max_size=3)


@given(KINDS, FIELDS)
def test_receive_returns_for_known_events_with_anything_in_them(kind: str, fields: dict[str, Any]) -> None:
    core = dialect()
    core.open(0.0)
    core.connected(0.0)
    tell(core, "session.created")
    tell(core, kind, **fields)
    core.handle_timers(9.0)


# --- turns --------------------------------------------------------------------------------------------------------


def test_the_greeting_is_asked_for_when_the_caller_can_hear() -> None:
    core = ready(greeting=True)
    assert sent(core) == []
    core.send(Started(), 1.0)
    assert sent(core) == [{"type": "response.create"}]
    core = ready(greeting="Good day!")
    core.send(Started(), 1.0)
    assert sent(core)[0]["response"]["instructions"].endswith("Good day!")
    core = ready()
    core.send(Started(), 1.0)
    assert sent(core) == []


def test_the_server_hears_the_caller() -> None:
    core = ready()
    assert tell(core, "input_audio_buffer.speech_started", audio_start_ms=5, item_id="u1") == [CallerSpoke()]
    assert tell(core, "input_audio_buffer.speech_stopped", audio_end_ms=9, item_id="u1") == [CallerStopped()]


def test_barge_in_truncates_to_what_was_sent() -> None:
    core = ready()
    tell(core, "response.created", response={"id": "r1"})
    delta(core, bytes(48 * 1000), content_index=1)
    tell(core, "input_audio_buffer.speech_started")
    core.send(Interrupted("i1", sent_ms=480, queued_ms=520), 2.0)
    # The server has cancelled its response itself (interrupt_response).
    assert sent(core) == [
        {"type": "conversation.item.truncate", "item_id": "i1", "content_index": 1, "audio_end_ms": 480}
    ]


def test_truncation_never_exceeds_the_item() -> None:
    core = ready()
    delta(core, bytes(48 * 100))
    core.send(Interrupted("i1", sent_ms=120, queued_ms=100), 2.0)
    assert sent(core)[0]["audio_end_ms"] == 100


def test_what_was_heard_to_its_end_is_not_truncated() -> None:
    core = ready()
    delta(core, bytes(48 * 100))
    tell(core, "response.output_audio.done", item_id="i1")
    core.send(Interrupted("i1", sent_ms=100, queued_ms=100), 2.0)
    core.send(Interrupted("", sent_ms=0, queued_ms=0), 2.0)
    core.send(Interrupted("never heard of", sent_ms=5, queued_ms=5), 2.0)
    assert sent(core) == []


def test_an_item_is_truncated_once() -> None:
    core = ready()
    delta(core, bytes(48 * 100))
    core.send(Interrupted("i1", sent_ms=40, queued_ms=100), 2.0)
    core.send(Interrupted("i1", sent_ms=40, queued_ms=100), 2.1)
    assert len(sent(core)) == 1


@pytest.mark.parametrize(
    "settings",
    [{"turn_detection": {"type": "server_vad", "interrupt_response": False}}, {"turn_detection": None}],
)
def test_a_response_the_server_does_not_cancel_is_cancelled(settings: dict[str, Any]) -> None:
    core = ready(**settings)
    tell(core, "response.created", response={"id": "r1"})
    tell(core, "input_audio_buffer.speech_started")
    core.send(Interrupted("", 0, 0), 2.0)
    assert sent(core) == [{"type": "response.cancel", "response_id": "r1"}]


def test_our_own_vads_interruption_cancels_too() -> None:
    core = ready()
    tell(core, "response.created", response={"id": "r1"})
    core.send(Interrupted("", 0, 0), 2.0)
    assert sent(core) == [{"type": "response.cancel", "response_id": "r1"}]
    tell(core, "response.done", response={"status": "cancelled"})
    core.send(Interrupted("", 0, 0), 3.0)
    assert sent(core) == []


def test_without_turn_detection_our_vad_ends_the_turn() -> None:
    core = ready(turn_detection=None)
    core.send(CallerSpeech(True), 1.0)
    assert sent(core) == []
    core.send(CallerSpeech(False), 2.0)
    assert [message["type"] for message in sent(core)] == ["input_audio_buffer.commit", "response.create"]
    core = ready()
    core.send(CallerSpeech(False), 2.0)
    assert sent(core) == []


@pytest.mark.parametrize(
    ("digits", "types"),
    [
        ("respond", ["conversation.item.create", "response.create"]),
        ("note", ["conversation.item.create"]),
        ("ignore", []),
    ],
)
def test_a_key_is_told_in_words(digits: str, types: list[str]) -> None:
    core = ready(digits=digits)
    core.send(DigitPressed("5", 100), 1.0)
    messages = sent(core)
    assert [message["type"] for message in messages] == types
    if messages:
        assert "5" in messages[0]["item"]["content"][0]["text"]


def test_a_response_waits_for_the_running_one() -> None:
    core = ready()
    tell(core, "response.created", response={"id": "r1"})
    core.send(Say("One."), 1.0)
    core.send(Say("Two."), 1.1)
    assert sent(core) == []
    tell(core, "response.done", response={"id": "r1", "status": "completed"})
    (asked,) = sent(core)
    assert asked["response"]["instructions"].endswith("Two.")
    tell(core, "response.done", response={"id": "r2", "status": "completed"})
    assert sent(core) == []


def test_a_response_refused_because_one_runs_is_asked_for_again() -> None:
    core = ready()
    core.send(Say("One."), 1.0)
    core.to_send()
    error = {"type": "invalid_request_error", "code": "conversation_already_has_active_response"}
    assert isinstance(tell(core, "error", error=error)[0], Dropped)
    assert sent(core) == []
    tell(core, "response.done", response={"id": "r0", "status": "completed"})
    assert [message["type"] for message in sent(core)] == ["response.create"]


def test_transcripts_go_both_ways() -> None:
    core = ready()
    caller = tell(core, "conversation.item.input_audio_transcription.completed", transcript="Hello?", item_id="u1")
    assert caller == [Transcript("caller", "Hello?", item="u1")]
    for family in ("response.output_audio_transcript", "response.audio_transcript"):
        assert tell(core, f"{family}.done", transcript="Yes.", item_id="i1") == [Transcript("agent", "Yes.", item="i1")]


def test_only_the_last_utterances_are_remembered() -> None:
    core = ready()
    for number in range(ITEMS_KEPT + 1):
        delta(core, bytes(48), item=f"i{number}")
    core.send(Interrupted("i0", 0, 1), 1.0)
    assert sent(core) == []
    core.send(Interrupted("i1", 0, 1), 1.0)
    assert sent(core)[0]["item_id"] == "i1"


# --- tools --------------------------------------------------------------------------------------------------------


def call(core: OpenAIRealtime, name: str, arguments: str, call_id: str = "f1") -> list[BackendEvent]:
    return tell(core, "response.function_call_arguments.done", call_id=call_id, name=name, arguments=arguments)


def test_a_wish_to_hang_up_is_answered_without_another_response() -> None:
    core = ready()
    assert call(core, "hang_up", '{"reason":"done"}') == [HangUpWish("f1", "done")]
    core.send(ToolResult("f1", '{"ok":true}'), 1.0)
    assert sent(core) == [
        {
            "type": "conversation.item.create",
            "item": {"type": "function_call_output", "call_id": "f1", "output": '{"ok":true}'},
        }
    ]


def test_a_wish_to_transfer_is_answered_and_the_model_speaks_on() -> None:
    core = ready()
    tell(core, "response.created", response={"id": "r1"})
    wish = call(core, "transfer_call", '{"target":"sales","summary":"s","reason":"r"}')
    assert wish == [TransferWish("sales", "f1", "s", "r")]
    core.send(ToolResult("f1", '{"error":"not configured"}', failed=True), 1.0)
    assert [message["type"] for message in sent(core)] == ["conversation.item.create"]
    tell(core, "response.done", response={"id": "r1", "status": "completed"})
    assert [message["type"] for message in sent(core)] == ["response.create"]


def test_a_transfer_without_a_target_is_told_to_the_model() -> None:
    core = ready()
    assert call(core, "transfer_call", "not json") == [Dropped("transfer_without_target")]
    assert [message["type"] for message in sent(core)] == ["conversation.item.create", "response.create"]


def test_any_other_tool_goes_to_control() -> None:
    core = ready()
    assert call(core, "look_up", '{"a":1}') == [ToolCall("f1", "look_up", '{"a":1}')]


def test_a_call_named_only_in_its_item_counts_once() -> None:
    core = ready()
    assert tell(core, "response.function_call_arguments.done", call_id="f1", arguments="{}") == []
    item = {"type": "function_call", "call_id": "f1", "name": "hang_up", "arguments": "{}"}
    assert tell(core, "response.output_item.done", item=item) == [HangUpWish("f1", "")]
    assert tell(core, "response.output_item.done", item=item) == []
    assert tell(core, "response.output_item.done", item={"type": "message", "id": "x"}) == []


# --- errors -------------------------------------------------------------------------------------------------------


def test_most_errors_leave_the_session_open() -> None:
    core = ready()
    error = {"type": "invalid_request_error", "code": "response_cancel_not_active", "message": "m", "param": None}
    assert tell(core, "error", error=error) == [
        Dropped("backend_error", "invalid_request_error: response_cancel_not_active: m")
    ]
    core.disconnected(1006, "", 2.0)
    assert isinstance(core.events()[0], Failed)


@pytest.mark.parametrize(("code", "permanent"), [("insufficient_quota", True), ("session_expired", False)])
def test_some_errors_end_it(code: str, permanent: bool) -> None:
    core = ready()
    (failed,) = tell(core, "error", error={"type": "x", "code": code, "message": "m"})
    assert failed == Failed("backend_error", permanent, f"x: {code}: m")
    core.disconnected(1000, "", 2.0)
    assert core.events() == []


def test_a_failed_response_says_why() -> None:
    core = ready()
    details = {"type": "failed", "error": {"type": "server_error", "code": "boom", "message": "m"}}
    assert tell(core, "response.done", response={"status": "failed", "status_details": details}) == [
        Dropped("response_failed", "server_error: boom: m")
    ]
    details = {"error": {"code": "insufficient_quota"}}
    assert tell(core, "response.done", response={"status": "failed", "status_details": details}) == [
        Failed("response_failed", True, "insufficient_quota")
    ]


# --- a session that begins anew in the middle of a call -------------------------------------------------------------


def turns(messages: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Role, kind and text of each item."""
    items = [message["item"] for message in messages if message["type"] == "conversation.item.create"]
    return [(item["role"], item["content"][0]["type"], item["content"][0]["text"]) for item in items]


@pytest.mark.parametrize(("beta", "spoken"), [(False, "output_text"), (True, "text")])
def test_a_new_connection_is_told_what_was_said_on_the_lost_one(beta: bool, spoken: str) -> None:
    core = ready(beta=beta, greeting="Good day!")
    assert sent(core) == [], "there is nothing to tell at the beginning"
    core.send(Started(), 1.0)
    tell(core, "response.output_audio_transcript.done", transcript="Good day!", item_id="i1")
    tell(core, "conversation.item.input_audio_transcription.completed", transcript="Hello?", item_id="u1")
    core.disconnected(1006, "", 2.0)
    core.events()
    set_up(core)
    assert turns(sent(core)) == [("assistant", spoken, "Good day!"), ("user", "input_text", "Hello?")]


def test_a_conversation_that_goes_on_elsewhere_is_told_what_was_said_and_does_not_greet_again() -> None:
    said = (Words("caller", "Where is my boat?"), Words("agent", "At pier four."))
    options = BackendOptions("ai", "openai-realtime", settings={"greeting": True})
    core = OpenAIRealtime(options, CallFacts("c1", resumed=True, said=said))
    set_up(core)
    core.send(Started(), 1.0)
    messages = sent(core)
    assert turns(messages) == [
        ("user", "input_text", "Where is my boat?"),
        ("assistant", "output_text", "At pier four."),
    ]
    assert [message["type"] for message in messages] == ["conversation.item.create"] * 2, "it answers when asked"


def test_no_more_is_told_than_the_last_turns() -> None:
    core = ready()
    for number in range(REMEMBERED + 5):
        tell(core, "response.output_audio_transcript.done", transcript=str(number), item_id="i")
    tell(core, "response.output_audio_transcript.done", transcript="", item_id="i")
    set_up(core)
    assert [text for _, _, text in turns(sent(core))] == [str(number) for number in range(5, REMEMBERED + 5)]
