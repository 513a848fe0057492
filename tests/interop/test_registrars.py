"""Our registrars: SIPp, as one that asks for much and then fails and as the next one, and Kamailio."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.interop.gateway import running
from tests.interop.programs import Words, background, finish, program, served
from tests.ports import free_port

pytestmark = pytest.mark.interop

SCENARIOS = Path(__file__).parent / "sipp"


async def registrar(scenario: str, port: int, folder: Path) -> None:
    """Run one of our scenarios once; the registration must go as it says."""
    errors = folder / f"{scenario}-errors.log"
    arguments = [
        *(program("sipp"), "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1", "-p", str(port), "-m", "1"),
        *("-timeout", "25s", "-timeout_error", "-nostdin", "-trace_err", "-error_file", str(errors)),
    ]
    code, printed = await finish(arguments, 30, cwd=folder)
    assert code == 0, printed[-2000:] + (errors.read_text()[-3000:] if errors.exists() else "")


def trunk(*ports: int) -> dict[str, Any]:
    """One that registers with the first of these that takes it."""
    return {
        "credentials": [{"username": "me", "password": "secret"}],
        "register": {
            "registrars": [f"sip:127.0.0.1:{port}" for port in ports],
            "user": "15551234",
            "domain": "carrier.example",
            "expires": 60,
        },
    }


async def test_registered_after_401_and_423_then_with_the_next_registrar_and_left_at_the_end(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(registrar("registrar", first, tmp_path))
        tasks.create_task(registrar("second_registrar", second, tmp_path))
        for port in (first, second):
            await served(port)
        async with running(tmp_path, {"trunks": {"carrier": trunk(first, second)}}) as gateway:
            came, again = await gateway.said("registered", 2)
            assert (came["registrar"], came["expires"]) == (f"udp:127.0.0.1:{first}", 2)
            assert (again["registrar"], again["expires"]) == (f"udp:127.0.0.1:{second}", 90)
            (lost,) = await gateway.said("not registered")
            assert (lost["status"], lost["retry_in"]) == (503, 0.0)
        assert (await gateway.said("registration left"))[0]["status"] == 200


async def test_registered_with_kamailio_and_left_at_the_end(tmp_path: Path) -> None:
    port = free_port()
    text = (Path(__file__).parent / "kamailio" / "registrar.cfg").read_text()
    (tmp_path / "registrar.cfg").write_text(text.replace("PORT", str(port)))
    words: Words = [program("kamailio"), "-f", tmp_path / "registrar.cfg", "-Y", tmp_path, "-DD", "-E"]
    async with background([*words, "-P", tmp_path / "kamailio.pid"], port, cwd=tmp_path):
        async with running(tmp_path, {"trunks": {"carrier": trunk(port)}}) as gateway:
            (came,) = await gateway.said("registered")
            assert came["expires"] == 60
        assert (await gateway.said("registration left"))[0]["status"] == 200
