"""baresip as the caller: another independent phone, driven through its control port."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.interop.baresip import phone
from tests.interop.gateway import Gateway, running
from tests.interop.quality import best_pesq

pytestmark = pytest.mark.interop


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(tmp_path) as made:
        yield made


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
async def test_baresip_hears_its_own_speech_back(gateway: Gateway, tmp_path: Path, codec: str) -> None:
    async with phone(tmp_path, f"{codec}/8000/1") as bob:

        async def echoed() -> tuple[Path, Path]:
            bob.events.clear()
            await bob.command("dial", f"sip:echo@{gateway.address}")
            await bob.happened("CALL_ESTABLISHED")
            # Its WAV ends after some twelve seconds; baresip then hangs up by itself.
            await bob.happened("CALL_CLOSED", within=30)
            heard = max(tmp_path.glob("dump-*-dec.wav"), key=lambda file: file.stat().st_mtime)
            return tmp_path / "speech.wav", heard

        judged = await best_pesq(echoed, 3.8)
    assert judged["pesq"] >= 3.8, judged
    ended = (await gateway.said("call ended"))[0]
    assert (ended["cause"], ended["codec"]) == ("normal", codec)


async def test_baresip_gives_up_and_calls_again(gateway: Gateway, tmp_path: Path) -> None:
    async with phone(tmp_path, "PCMU/8000/1") as bob:
        for _ in range(2):
            bob.events.clear()
            await bob.command("dial", f"sip:demo@{gateway.address}")
            await bob.happened("CALL_ESTABLISHED")
            await bob.command("hangup")
            await bob.happened("CALL_CLOSED")
    ended = await gateway.said("call ended", 2)
    assert [line["hung_up_by"] for line in ended] == ["caller", "caller"]
