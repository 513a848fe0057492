"""Phones of others prove by digest who they are, and what is not proven goes no further."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.interop import baresip
from tests.interop import test_pjsua2 as pjsip
from tests.interop.gateway import Gateway, running
from tests.interop.scenario import OFFER, Scenario, plays

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

ALICE = "[authentication username=alice password=secret]"


@contextlib.asynccontextmanager
async def guarded(folder: Path, *algorithms: str) -> AsyncIterator[Gateway]:
    """A gateway that nobody may call who is not alice."""
    settings = {
        "sip": {"algorithms": list(algorithms)},
        "trunks": {"phones": {"users": [{"username": "alice", "password": "secret"}]}},
        "routes": [{"number": "*", "targets": ["echo"], "trunks": ["phones"]}],
    }
    async with running(folder, settings) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """It asks for MD5: neither SIPp nor baresip knows more, and both give up where anything else is offered."""
    async with guarded(tmp_path_factory.mktemp("gateway"), "MD5") as made:
        yield made


async def test_sipp_proves_it_once_for_the_call(gateway: Gateway, tmp_path: Path) -> None:
    caller = Scenario("proven").invite().gets(401).ack_refusal().invite(ALICE).may_get(100, 180).gets(200).ack()
    caller.within("INVITE", body=OFFER).may_get(100).gets(200).ack()
    await plays(caller.within("BYE").gets(200), tmp_path, remote=gateway.address)
    assert (await gateway.ended("proven"))["trunk"] == "phones"


async def test_a_wrong_password_is_asked_again(gateway: Gateway, tmp_path: Path) -> None:
    wrong = "[authentication username=alice password=guessed]"
    caller = Scenario("wrong").invite().gets(401).ack_refusal().invite(wrong).gets(401).ack_refusal()
    await plays(caller, tmp_path, remote=gateway.address)


async def test_pjsip_proves_it_by_sha_256(tmp_path: Path) -> None:
    async with guarded(tmp_path, "SHA-256", "MD5") as gateway:
        told = await pjsip.call(gateway, "echo", tmp_path, 1, auth=["alice", "secret"])
        assert 200 in pjsip.statuses(told, "INVITE")
        assert (await gateway.ended("pjsip"))["trunk"] == "phones"


async def test_baresip_proves_it(gateway: Gateway, tmp_path: Path) -> None:
    async with baresip.phone(tmp_path, "PCMU/8000/1", "auth_user=alice;auth_pass=secret") as bob:
        await bob.command("dial", f"sip:echo@{gateway.address}")
        await bob.happened("CALL_ESTABLISHED")
        await bob.command("hangup")
        await bob.happened("CALL_CLOSED")
    assert (await gateway.ended("bob"))["trunk"] == "phones"
