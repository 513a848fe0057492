"""SIPp as our registrars: one that asks for much and then fails, and the one that is next."""

import asyncio
import socket
from pathlib import Path

import pytest

from tests.interop.gateway import LIMIT, running
from tests.interop.programs import finish, program
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


async def listened_to(port: int) -> None:
    """Wait until somebody has the UDP port."""
    async with asyncio.timeout(LIMIT):
        while True:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                try:
                    one.bind(("127.0.0.1", port))
                except OSError:
                    return
            await asyncio.sleep(0.05)


async def test_registered_after_401_and_423_then_with_the_next_registrar_and_left_at_the_end(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    trunk = {
        "credentials": [{"username": "me", "password": "secret"}],
        "register": {
            "registrars": [f"sip:127.0.0.1:{first}", f"sip:127.0.0.1:{second}"],
            "user": "15551234",
            "domain": "carrier.example",
            "expires": 60,
        },
    }
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(registrar("registrar", first, tmp_path))
        tasks.create_task(registrar("second_registrar", second, tmp_path))
        await listened_to(first)
        await listened_to(second)
        async with running(tmp_path, {"trunks": {"carrier": trunk}}) as gateway:
            came, again = await gateway.said("registered", 2)
            assert (came["registrar"], came["expires"]) == (f"udp:127.0.0.1:{first}", 2)
            assert (again["registrar"], again["expires"]) == (f"udp:127.0.0.1:{second}", 90)
            (lost,) = await gateway.said("not registered")
            assert (lost["status"], lost["retry_in"]) == (503, 0.0)
        assert (await gateway.said("registration left"))[0]["status"] == 200
