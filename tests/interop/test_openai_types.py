"""Every client event our `openai-realtime` dialect can send, judged by the openai package's own types."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest

from sipgw.ai.events import (
    CallerSpeech,
    CallFacts,
    DigitPressed,
    Interrupted,
    Say,
    Started,
    ToolResult,
    Words,
)
from sipgw.ai.openai_realtime import OpenAIRealtime
from sipgw.ai.openai_wire import event
from sipgw.options import BackendOptions
from tests.interop import peers

pytestmark = pytest.mark.interop

FULL = {
    "model": "gpt-realtime",
    "voice": "marin",
    "instructions": "Be brief.",
    "transcription": "gpt-4o-mini-transcribe",
    "noise_reduction": "near_field",
    "speed": 1.1,
    "greeting": "Good day!",
    "tools": [{"type": "function", "name": "look_up", "description": "d", "parameters": {"type": "object"}}],
    "turn_detection": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "create_response": True,
        "interrupt_response": False,
        "idle_timeout_ms": 8000,
    },
}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("pcm16/24000", FULL),
    ("pcm16/24000", {}),
    ("pcmu/8000", {"turn_detection": "semantic_vad", "greeting": True}),
    ("pcma/8000", {"turn_detection": None, "hang_up": False, "transfer": False}),
    ("pcm16/24000", {"transcription": {"model": "whisper-1", "language": "en"}, "noise_reduction": "far_field"}),
    ("pcm16/24000", {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}),
]


async def judge(messages: Iterable[str]) -> list[str]:
    """The validator's word on each message."""
    process = await asyncio.create_subprocess_exec(
        *(str(peers.python("openai")), str(peers.SCRIPTS / "validate_openai.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await asyncio.wait_for(process.communicate("\n".join(messages).encode()), 60)
    assert process.returncode == 0
    return printed.decode().splitlines()


def everything(audio: str, settings: dict[str, Any]) -> list[str]:
    """All that one conversation with these settings can say."""
    options = BackendOptions("ai", "openai-realtime", audio=audio, barge_in="both", settings=settings)
    before = (Words("caller", "Hello?"), Words("agent", "Good day."))
    core = OpenAIRealtime(options, CallFacts("c1", said=before))

    def receive(kind: str, **fields: object) -> None:
        core.receive(json.dumps({"type": kind, **fields}), 1.0)

    said: list[str | bytes] = []
    core.open(0.0)
    core.connected(0.0)
    receive("session.created")
    receive("session.updated", session={})
    said += [core.audio(bytes(960), 1.0) or ""]
    for told in (Started(), Say('Say "this".'), DigitPressed("#", 90), CallerSpeech(speaking=False)):
        core.send(told, 1.0)
    receive("response.created", response={"id": "r1"})
    receive("response.output_audio.delta", item_id="i1", delta="AAAA" * 480)
    core.send(Interrupted("i1", 10, 30), 1.0)
    receive("response.done", response={"id": "r1", "status": "completed"})
    receive("response.created", response={})
    core.send(Interrupted("i2", 10, 30), 1.0)
    receive("response.function_call_arguments.done", call_id="f1", name="hang_up", arguments="{}")
    receive("response.function_call_arguments.done", call_id="f2", name="transfer_call", arguments="{}")
    core.send(ToolResult("f1", "{}"), 1.0)
    receive("response.done", response={})
    return [message for message in (*said, *core.to_send()) if isinstance(message, str)]


async def test_every_event_we_send_is_one_the_interface_declares() -> None:
    messages = [message for audio, settings in VARIANTS for message in everything(audio, settings)]
    kinds = {json.loads(message)["type"] for message in messages}
    assert kinds == {
        "session.update",
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "conversation.item.create",
        "conversation.item.truncate",
        "response.create",
        "response.cancel",
    }
    verdicts = await judge(messages)
    assert len(verdicts) == len(messages)
    faults = [(message, verdict) for message, verdict in zip(messages, verdicts, strict=True) if verdict != "ok"]
    assert faults == []


async def test_the_validator_is_strict() -> None:
    wrong = [
        event("session.update", session={"modalities": ["audio"], "input_audio_format": "pcm16"}),
        event("session.update", session={"type": "realtime", "temperature": 0.8}),
        event(
            "session.update",
            session={"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcmu", "rate": 8000}}}},
        ),
        event("conversation.item.truncate", item_id="i1", audio_end_ms=5),
        event("response.creat"),
    ]
    assert "ok" not in await judge(wrong)
