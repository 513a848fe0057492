"""PJSIP, through pjsua2, as the caller: a complete phone of independent make."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop import peers
from tests.interop.gateway import Gateway, running
from tests.interop.programs import finish, speech_wav
from tests.interop.quality import best_pesq, loudest_hz

pytestmark = pytest.mark.interop


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(tmp_path) as made:
        yield made


async def call(
    gateway: Gateway, called: str, folder: Path, seconds: float, script: str = "pjsua2_phone", **plan: Any
) -> list[dict[str, Any]]:
    """One call by PJSIP; what it told, line by line. Its recording is `heard.wav` in `folder`."""
    full = {
        "uri": f"sip:{called}@{gateway.address}",
        "play": str(await speech_wav(folder)),
        "record": str(folder / "heard.wav"),
        "seconds": seconds,
        **plan,
    }
    path = Path(__file__).parent / "peers" / f"{script}.py"
    code, printed = await finish([peers.python("pjsua2"), path, json.dumps(full)], seconds + 25)
    assert code == 0, printed
    told: list[dict[str, Any]] = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert told[-1] == {"at": told[-1]["at"], "what": "end", "over": True}, printed
    return told


def statuses(told: list[dict[str, Any]], method: str) -> list[int]:
    """Those of the responses to requests of a method, in order."""
    return [line["status"] for line in told if line["what"] == "response" and line["method"] == method]


def the(told: list[dict[str, Any]], what: str) -> dict[str, Any]:
    """The last line of that kind."""
    return [line for line in told if line["what"] == what][-1]


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
async def test_speech_echoed_through_the_gateway_is_still_good(gateway: Gateway, tmp_path: Path, codec: str) -> None:
    async def echoed() -> tuple[Path, Path]:
        told = await call(gateway, "echo", tmp_path, 13, codec=codec)
        assert the(told, "stream")["codec"] == codec
        assert the(told, "rtp")["lost"] == 0
        return tmp_path / "speech.wav", tmp_path / "heard.wav"

    judged = await best_pesq(echoed, 3.8)
    assert judged["seconds"] > 0.95 * judged["of_seconds"], judged
    assert judged["pesq"] >= 3.8, judged


async def test_the_phone_hears_the_tone_of_the_tone_backend(gateway: Gateway, tmp_path: Path) -> None:
    await call(gateway, "tone", tmp_path, 3)
    assert abs(loudest_hz(tmp_path / "heard.wav") - 440) < 5


async def test_keys_arrive_once_each(gateway: Gateway, tmp_path: Path) -> None:
    await call(gateway, "demo", tmp_path, 4, dtmf=[["1", 1.0], ["9", 1.8], ["#", 2.6]])
    ended = (await gateway.said("call ended"))[0]
    assert ended["digits"] == 3


async def test_hold_and_resume(gateway: Gateway, tmp_path: Path) -> None:
    told = await call(gateway, "echo", tmp_path, 5, hold_at=1.5, unhold_at=3)
    ended = (await gateway.said("call ended"))[0]
    assert ended["cause"] == "normal"
    assert [line["status"] for line in told if line["what"] == "media"][-1] == 1, "active again"


async def test_an_attended_transfer_takes_the_callers_place(gateway: Gateway, tmp_path: Path) -> None:
    told = await call(gateway, "tone", tmp_path, 2, script="pjsua2_transfer")
    assert "Replaces=" in the(told, "transferred")["to"]
    # One call from first to last, whose sound Bob heard.
    (ended,) = await gateway.said("call ended")
    assert (ended["cause"], ended["hung_up_by"], ended["caller"]) == ("normal", "caller", "ann")
    assert len([line for line in gateway.lines if line["event"] == "call answered"]) == 1
    assert abs(loudest_hz(tmp_path / "heard.wav") - 440) < 5


# What it insists on.


async def test_reliable_provisional_responses(gateway: Gateway, tmp_path: Path) -> None:
    told = await call(gateway, "echo", tmp_path, 1, prack=1)
    ringing = next(line for line in told if line["what"] == "response" and line["status"] == 180)
    assert ringing["headers"]["require"] == "100rel"
    assert statuses(told, "PRACK") == [200]
    assert (await gateway.said("call ended"))[0]["cause"] == "normal"


async def test_a_session_timer(gateway: Gateway, tmp_path: Path) -> None:
    told = await call(gateway, "echo", tmp_path, 1, timer=2, expires=90)
    answer = next(line for line in told if line["what"] == "response" and line["status"] == 200)
    assert answer["headers"]["session-expires"] == "90;refresher=uac"
    assert answer["headers"]["require"] == "timer"
