"""Our STUN questions, answered by coturn."""

import asyncio
from pathlib import Path

import pytest

from sipgw.app.stun import mapped_address
from sipgw.errors import Unavailable
from tests.interop.programs import program
from tests.ports import free_port

pytestmark = pytest.mark.interop


async def test_it_says_by_which_address_it_sees_us(tmp_path: Path) -> None:
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        program("turnserver"),
        *("-n", "-L", "127.0.0.1", "-p", str(port), "--stun-only", "--no-tls", "--no-dtls", "--no-cli"),
        *("--fingerprint", "--log-file", "stdout", "--pidfile", str(tmp_path / "pid")),
        cwd=tmp_path,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(10):
            while True:
                try:
                    host, mapped = await mapped_address("127.0.0.1", ("127.0.0.1", port), 0.05)
                    break
                except Unavailable:  # it takes a moment to start
                    await asyncio.sleep(0.1)
    finally:
        server.terminate()
        await server.wait()
    assert host == "127.0.0.1"
    assert mapped != port
