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


@pytest.mark.parametrize(
    ("codec", "module", "good"),
    [
        ("PCMU/8000/1", "g711", 3.8),
        ("opus/48000/2", "opus", 2.9),  # Opus alone gives this voice 3.16 at 32 kbit/s,
        ("G722/16000/1", "g722", 3.4),
    ],
)
async def test_baresip_hears_its_own_speech_back(
    gateway: Gateway, tmp_path: Path, codec: str, module: str, good: float
) -> None:
    async with phone(tmp_path, codec, settings=f"module {module}.so\n") as bob:

        async def echoed() -> tuple[Path, Path]:
            bob.events.clear()
            await bob.command("dial", f"sip:echo@{gateway.address}")
            await bob.happened("CALL_ESTABLISHED")
            # Its WAV ends after some twelve seconds; baresip then hangs up by itself.
            await bob.happened("CALL_CLOSED", within=30)
            heard = max(tmp_path.glob("dump-*-dec.wav"), key=lambda file: file.stat().st_mtime)
            return tmp_path / "speech.wav", heard

        judged = await best_pesq(echoed, good)
    assert judged["pesq"] >= good, judged
    ended = (await gateway.said("call ended"))[0]
    assert (ended["cause"], ended["codec"], ended["drops"]) == ("normal", codec.partition("/")[0].upper(), "")


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
