"""SIPp as the caller: its own user agent, its own G.711 capture."""

import csv
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.backend import FakeBackend
from tests.interop.gateway import Gateway, running
from tests.interop.programs import finish, program
from tests.ports import free_port

pytestmark = pytest.mark.interop

SCENARIOS = Path(__file__).parent / "sipp"


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(tmp_path) as made:
        yield made


async def sipp(
    gateway: Gateway, scenario: str, folder: Path, *more: str, called: str = "echo", within: float = 40
) -> None:
    """Run one of our scenarios against the gateway; every call of it must end as the scenario says."""
    if os.geteuid() != 0:
        pytest.skip("SIPp plays captures through raw sockets: needs root")
    ports = {"-p": free_port(), "-mp": media_port()}
    settings = {
        "-sf": SCENARIOS / f"{scenario}.xml",
        "-s": called,
        "-i": "127.0.0.1",
        "-mi": "127.0.0.1",
        "-m": 1,
        "-d": 3000,
        "-timeout": f"{within - 5}s",
        "-error_file": folder / "sipp-errors.log",
        **ports,
    }
    words = [str(word) for pair in settings.items() for word in pair]
    arguments = [program("sipp"), gateway.address, *words, "-nostdin", "-timeout_error", "-trace_err", *more]
    code, printed = await finish(arguments, within, cwd=folder)
    errors = folder / "sipp-errors.log"
    assert code == 0, printed[-3000:] + (errors.read_text()[-3000:] if errors.exists() else "")


def media_port() -> int:
    """An even port outside the gateway's range."""
    return free_port() // 2 * 2


async def test_a_call_with_speech_and_a_key(gateway: Gateway, tmp_path: Path) -> None:
    await sipp(gateway, "call", tmp_path)
    answered = (await gateway.said("call answered"))[0]
    assert answered["codec"] == "PCMA"
    ended = (await gateway.said("call ended"))[0]
    assert ended["cause"] == "normal"
    assert ended["hung_up_by"] == "caller"
    assert ended["digits"] == 1
    assert ended["received_packets"] > 90, "three seconds in packets of 30 ms"
    assert ended["lost_packets"] == 0
    assert ended["sent_packets"] > 160, "three and a half seconds in packets of 20 ms"


async def test_hold_and_resume_at_another_port(gateway: Gateway, tmp_path: Path) -> None:
    await sipp(gateway, "hold", tmp_path)
    assert (await gateway.said("call ended"))[0]["cause"] == "normal"


async def test_an_offerless_invite(gateway: Gateway, tmp_path: Path) -> None:
    await sipp(gateway, "offerless", tmp_path)
    ended = (await gateway.said("call ended"))[0]
    assert ended["cause"] == "normal"
    assert ended["received_packets"] > 90


async def test_options_are_answered(gateway: Gateway, tmp_path: Path) -> None:
    await sipp(gateway, "options", tmp_path)


async def test_g729_alone_is_refused(gateway: Gateway, tmp_path: Path) -> None:
    await sipp(gateway, "no_codec", tmp_path)


async def test_a_cancelled_call(tmp_path: Path) -> None:
    async with FakeBackend(mute=True) as silent:
        settings = {
            "backends": {"slow": {"dialect": "sipgw", "url": silent.url}},
            "routes": [{"number": "*", "targets": ["slow"], "anyone": True}],
        }
        async with running(tmp_path, settings) as gateway:
            await sipp(gateway, "cancel", tmp_path)
            assert (await gateway.said("call ended"))[0]["cause"] == "cancelled"


async def test_fifty_calls_at_once(gateway: Gateway, tmp_path: Path) -> None:
    await sipp(
        *(gateway, "call", tmp_path, "-m", "50", "-r", "10", "-l", "50", "-d", "8000"),
        *("-trace_stat", "-stf", str(tmp_path / "stat.csv"), "-fd", "1"),
        within=60,
    )
    with (tmp_path / "stat.csv").open() as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    assert last["SuccessfulCall(C)"] == "50"
    assert last["FailedCall(C)"] == "0"
    ended = await gateway.said("call ended", 50)
    assert {line["cause"] for line in ended} == {"normal"}
    assert sum(line["lost_packets"] for line in ended) == 0
