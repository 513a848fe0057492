"""sippy, a B2BUA of others, between a caller and the gateway: to the gateway it is the caller."""

from pathlib import Path

import pytest

from tests.interop import peers
from tests.interop.gateway import running
from tests.interop.programs import Words, background
from tests.interop.scenario import HELD, Scenario, plays
from tests.ports import free_port

pytestmark = pytest.mark.interop


async def test_a_call_through_a_b2bua(tmp_path: Path) -> None:
    python, port = peers.python("sippy"), free_port()
    # sippy puts a name before its Contact, which SIPp would take into the Request-URI.
    caller = Scenario("behind", target="sip:[remote_ip]:[remote_port]").invite().may_get(100, 180).gets(200).ack()
    caller.within("INVITE", body=HELD).may_get(100).gets(200, body="a=recvonly").ack()
    caller.within("BYE").gets(200)
    async with running(tmp_path) as gateway:
        own: Words = ["-l", "127.0.0.1", "-p", port, "-n", gateway.address]
        words: Words = [python, "-m", "sippy.b2bua_simple", "-f", *own]
        async with background(words, port, cwd=tmp_path):
            await plays(caller, tmp_path, remote=f"127.0.0.1:{port}")
            # Only then has it passed the BYE on.
            ended = await gateway.ended("behind")
    assert (ended["cause"], ended["hung_up_by"]) == ("normal", "caller")
