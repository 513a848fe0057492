"""Our SIP agent calls SIPp, which forks, challenges, is late, and loses messages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipgw.sip.digest import Credentials
from sipgw.sip.events import Answered, HungUp, Progressed, Redirected, Refused, Released
from tests.fakes.lossy import lossy
from tests.interop.caller import Caller, caller
from tests.interop.scenario import OFFER, Scenario, plays
from tests.ports import free_port

pytestmark = pytest.mark.interop

FIRST, SECOND = "[pid]A[call_number]", "[pid]B[call_number]"


@contextlib.asynccontextmanager
async def called(callee: Scenario, folder: Path, port: int = 0) -> AsyncIterator[Caller]:
    """SIPp waits for our call, and in the end must have had all that its scenario says."""
    port = port or free_port()
    playing = asyncio.create_task(plays(callee, folder, port=port))
    try:
        async with caller(("127.0.0.1", port)) as ours:
            yield ours
            await playing
    finally:
        playing.cancel()


async def test_it_answers_a_challenge_in_the_call_and_within(tmp_path: Path) -> None:
    asks = 'Proxy-Authenticate: Digest realm="sipp", nonce="47364c23432d2e131a5fb210812c", qop="auth", algorithm=MD5'
    callee = Scenario().takes("INVITE").says(407, asks).takes("ACK")
    callee.takes("INVITE", Proxy_Authorization="username=.alice.").says(200, body=OFFER).takes("ACK")
    callee.takes("BYE", Proxy_Authorization="nc=0000000[2-9]").answers(200)
    async with called(callee, tmp_path) as ours:
        leg = ours.calls(ours.far, credentials=(Credentials("alice", "secret"),))
        await ours.hears(Answered)
        ours.hangs_up(leg)
        await ours.hears(Released)


async def test_a_reliable_183_and_its_prack_arrive_though_either_is_lost(tmp_path: Path) -> None:
    port = free_port()
    async with lossy(("127.0.0.1", port), "INVITE", "183 INVITE", "PRACK", "200 PRACK", "200 INVITE") as path:
        callee = Scenario(place=f"127.0.0.1:{path.address[1]}").takes("INVITE", Supported="100rel")
        callee.says(183, "Require: 100rel", "RSeq: 7", body=OFFER, repeats=True)
        callee.takes("PRACK", RAck="7 1 INVITE").answers(200)
        callee.says(200, body=OFFER, repeats=True).takes("ACK")
        async with called(callee, tmp_path, port) as ours:
            ours.calls(path.address)
            assert (await ours.hears(Progressed)).response.status == 183
            await ours.hears(Answered)
        assert sum(isinstance(event, Progressed) for event in ours.told) == 1
    assert path.seen["PRACK"] >= 2


async def test_a_200_and_its_ack_arrive_though_either_is_lost(tmp_path: Path) -> None:
    port = free_port()
    async with lossy(("127.0.0.1", port), "200 INVITE", "ACK", "BYE") as path:
        callee = Scenario(place=f"127.0.0.1:{path.address[1]}").takes("INVITE")
        callee.says(200, body=OFFER, repeats=True).takes("ACK").asks("BYE", 1).gets(200)
        async with called(callee, tmp_path, port) as ours:
            ours.calls(path.address)
            await ours.hears(Answered)
            await ours.hears(HungUp)
    assert path.seen["ACK"] == 2


async def test_one_of_two_phones_answers_and_the_other_is_too_late(tmp_path: Path) -> None:
    callee = Scenario().takes("INVITE").says(180, tag=FIRST)
    callee.says(183, "Require: 100rel", "RSeq: 31", tag=SECOND, body=OFFER)
    callee.takes("PRACK", RAck="31 1 INVITE", To="B1").answers(200)
    callee.says(200, tag=SECOND, body=OFFER).takes("ACK", To="B1")
    # The first one picks up in the same moment: its call is ended, the other goes on.
    callee.says(200, tag=FIRST, body=OFFER)
    callee.takes("ACK", To="A1").takes("BYE", To="A1").answers(200)
    async with called(callee, tmp_path) as ours:
        leg = ours.calls(ours.far)
        await ours.hears(Progressed, 2)
        await ours.hears(Answered)
    assert len(ours.told) == 3
    dialog = ours.agent.dialog(leg)
    assert dialog is not None
    assert dialog.remote_tag.endswith("B1")


async def test_a_200_that_crosses_our_cancel_is_acknowledged_and_ended(tmp_path: Path) -> None:
    callee = Scenario().takes("INVITE").says(180).takes("CANCEL")
    callee.says(200, body=OFFER).takes("ACK").takes("BYE").answers(200)
    async with called(callee, tmp_path) as ours:
        leg = ours.calls(ours.far)
        await ours.hears(Progressed)
        ours.hangs_up(leg)
        await ours.hears(Released)


async def test_a_cancelled_call(tmp_path: Path) -> None:
    callee = Scenario().takes("INVITE").says(180).takes("CANCEL").answers(200)
    callee.says(487, repeats=True).takes("ACK")
    async with called(callee, tmp_path) as ours:
        leg = ours.calls(ours.far)
        await ours.hears(Progressed)
        ours.hangs_up(leg)
        await ours.hears(Released)


async def test_it_asks_again_with_the_session_interval_that_is_wanted(tmp_path: Path) -> None:
    callee = Scenario().takes("INVITE", Session_Expires="1800").says(422, "Min-SE: 3600").takes("ACK")
    callee.takes("INVITE", Session_Expires="3600", Min_SE="3600")
    callee.says(200, "Require: timer", "Session-Expires: 3600;refresher=uac", body=OFFER).takes("ACK")
    callee.takes("BYE").answers(200)
    async with called(callee, tmp_path) as ours:
        leg = ours.calls(ours.far)
        await ours.hears(Answered)
        ours.hangs_up(leg)
        await ours.hears(Released)


async def test_it_goes_where_it_is_sent_on_to(tmp_path: Path) -> None:
    callee = Scenario().takes("INVITE").says(302, repeats=True).takes("ACK")
    callee.takes("INVITE").says(200, body=OFFER).takes("ACK").takes("BYE").answers(200)
    async with called(callee, tmp_path) as ours:
        leg = ours.calls(ours.far)
        there = await ours.hears(Redirected)
        assert there.uri.startswith(f"sip:sipp@127.0.0.1:{ours.far[1]}")
        ours.follows(leg, ours.far)
        await ours.hears(Answered)
        ours.hangs_up(leg)
        await ours.hears(Released)


async def test_busy(tmp_path: Path) -> None:
    callee = Scenario().takes("INVITE").says(486, repeats=True).takes("ACK")
    async with called(callee, tmp_path) as ours:
        ours.calls(ours.far)
        assert (await ours.hears(Refused)).status == 486
