"""Early media as a phone of independent make hears it: before the answer, and without any."""

from pathlib import Path

import pytest

from tests.interop.gateway import running
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


async def test_pjsip_hears_the_ai_before_the_answer_and_a_prompt_that_the_answer_follows(tmp_path: Path) -> None:
    async with running(tmp_path, ROUTES) as gateway:
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
