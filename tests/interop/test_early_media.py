"""Early media as phones of independent make hear it: before the answer, and without any."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.interop.baresip import phone
from tests.interop.gateway import Gateway, running
from tests.interop.quality import loudest_hz
from tests.interop.test_pjsua2 import call

pytestmark = pytest.mark.interop

EARLY = {"targets": ["tone"], "anyone": True, "early_media": True}
ROUTES = {
    "routes": [
        {"number": "announcement", "early_seconds": 30.0, **EARLY},
        {"number": "prompt", "early_prompt": "key-1", **EARLY},
    ]
}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(tmp_path, ROUTES) as made:
        yield made


async def test_pjsip_hears_the_ai_before_the_answer_and_a_prompt_that_the_answer_follows(
    gateway: Gateway, tmp_path: Path
) -> None:
    """It takes part in PRACK: the 200 has no description."""
    # The AI speaks for longer than the caller listens: nothing is answered.
    told = await call(gateway, "announcement", tmp_path, 1.6)
    states = [line["state"] for line in told if line["what"] == "state"]
    assert "EARLY" in states
    assert "CONFIRMED" not in states
    assert abs(loudest_hz(tmp_path / "heard.wav") - 440) < 5
    ended = (await gateway.said("call ended"))[0]
    assert (ended["cause"], ended["status"]) == ("cancelled", 487)
    assert ended["sent_packets"] > 60

    told = await call(gateway, "prompt", tmp_path, 2)
    states = [line["state"] for line in told if line["what"] == "state"]
    assert states[-3:] == ["CONNECTING", "CONFIRMED", "DISCONNECTED"]
    assert (await gateway.said("call ended", 2))[1]["cause"] == "normal"


async def test_baresip_hears_the_ai_before_the_answer(gateway: Gateway, tmp_path: Path) -> None:
    """It takes no part in PRACK."""
    async with phone(tmp_path, "PCMU/8000/1") as bob:
        await bob.command("dial", f"sip:announcement@{gateway.address}")
        await bob.happened("CALL_PROGRESS")
        await asyncio.sleep(1.8)  # it listens
        await bob.command("hangup")
        await bob.happened("CALL_CLOSED")
    (heard,) = tmp_path.glob("dump-*-dec.wav")
    assert abs(loudest_hz(heard) - 440) < 5
    ended = (await gateway.said("call ended"))[0]
    assert (ended["cause"], ended["status"]) == ("cancelled", 487)
    assert ended["received_packets"] > 25
