"""SIPp calls, and what carriers do besides a plain call: PRACK, UPDATE, session timers, loss, races, nonsense."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.backend import FakeBackend
from tests.fakes.lossy import lossy
from tests.interop.gateway import Gateway, running
from tests.interop.scenario import HELD, OFFER, Scenario, plays

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """One for all: `echo` answers at once, `slow` rings."""
    async with FakeBackend(mute=True) as silent:
        settings = {
            "backends": {
                "echo": {"dialect": "echo"},
                "tone": {"dialect": "tone"},
                "slow": {"dialect": "sipgw", "url": silent.url},
            },
            "routes": [
                {"number": "echo", "targets": ["echo"], "anyone": True},
                {"number": "slow", "targets": ["slow"], "anyone": True, "target_timeout": 10},
                {"number": "early", "targets": ["tone"], "anyone": True, "early_media": True, "early_seconds": 1},
            ],
        }
        async with running(tmp_path_factory.mktemp("gateway"), settings) as made:
            yield made


def up(caller: Scenario, *headers: str, **matches: str) -> Scenario:
    """A call that is answered."""
    return caller.invite(*headers).may_get(100, 180).gets(200, **matches).ack()


def over(caller: Scenario) -> Scenario:
    """Its end."""
    return caller.within("BYE").gets(200)


async def test_a_reliable_180_and_its_prack_arrive_though_either_is_lost(gateway: Gateway, tmp_path: Path) -> None:
    caller = Scenario("reliable", "slow").invite("Require: 100rel").may_get(100)
    caller.gets(180, Require="100rel", RSeq="[0-9]+").within("PRACK", "RAck: [$rseq] 1 INVITE").gets(200)
    caller.cancel().gets(200).gets(487).ack_refusal()
    async with lossy(("127.0.0.1", gateway.port), "180 INVITE", "PRACK", "200 PRACK") as path:
        await plays(caller, tmp_path, remote=f"127.0.0.1:{path.address[1]}")
    assert path.seen["180 INVITE"] == 2
    assert path.seen["PRACK"] == 3, "one lost, one whose 200 was lost, one more"
    assert (await gateway.ended("reliable"))["cause"] == "cancelled"


async def test_early_media_and_the_answer_that_waits_for_its_prack(gateway: Gateway, tmp_path: Path) -> None:
    caller = Scenario("early", "early").invite("Supported: 100rel").may_get(100)
    caller.gets(183, Require="100rel", RSeq="[0-9]+", body="m=audio [1-9]")
    # Longer than it takes to be ready: no 200 may come before the PRACK (RFC 3262 section 5).
    caller.pause(1500).within("PRACK", "RAck: [$rseq] 1 INVITE").gets(200)
    over(caller.gets(200).ack())
    async with lossy(("127.0.0.1", gateway.port), "183 INVITE", "PRACK") as path:
        await plays(caller, tmp_path, remote=f"127.0.0.1:{path.address[1]}")
    assert (await gateway.ended("early"))["cause"] == "normal"


async def test_an_offer_in_the_prack_and_one_in_an_update_before_the_answer(gateway: Gateway, tmp_path: Path) -> None:
    caller = Scenario("offers", "early").invite("Supported: 100rel").may_get(100)
    caller.gets(183, Require="100rel", RSeq="[0-9]+", body="m=audio [1-9]")
    caller.within("PRACK", "RAck: [$rseq] 1 INVITE", body=HELD).gets(200, body="a=recvonly")
    caller.within("UPDATE", body=OFFER).gets(200, body="a=sendrecv")
    await plays(over(caller.gets(200).ack()), tmp_path, remote=gateway.address)
    assert (await gateway.ended("offers"))["cause"] == "normal"


async def test_a_prack_for_nothing_is_481(gateway: Gateway, tmp_path: Path) -> None:
    caller = up(Scenario("stray-prack"), "Supported: 100rel")
    over(caller.within("PRACK", "RAck: 1 1 INVITE").gets(481))
    await plays(caller, tmp_path, remote=gateway.address)


async def test_everything_is_lost_once(gateway: Gateway, tmp_path: Path) -> None:
    caller = over(up(Scenario("unlucky")).pause(1400))
    loses = ("INVITE", "100 INVITE", "180 INVITE", "200 INVITE", "ACK", "BYE", "200 BYE")
    async with lossy(("127.0.0.1", gateway.port), *loses) as path:
        await plays(caller, tmp_path, remote=f"127.0.0.1:{path.address[1]}")
    assert path.seen["200 INVITE"] == path.seen["ACK"] + 1 == 3
    assert (await gateway.ended("unlucky"))["cause"] == "normal"


async def test_a_cancel_that_crosses_the_200_changes_nothing(gateway: Gateway, tmp_path: Path) -> None:
    caller = Scenario("late").invite().may_get(100, 180).gets(200)
    over(caller.cancel().gets(200).ack().pause(200))
    await plays(caller, tmp_path, remote=gateway.address)
    assert (await gateway.ended("late"))["cause"] == "normal"


async def test_bye_instead_of_cancel(gateway: Gateway, tmp_path: Path) -> None:
    caller = Scenario("early-bye", "slow").invite().may_get(100).gets(180)
    await plays(caller.within("BYE").gets(200).gets(487), tmp_path, remote=gateway.address)
    assert (await gateway.ended("early-bye"))["cause"] == "cancelled"


async def test_hold_by_update_and_resume_by_reinvite(gateway: Gateway, tmp_path: Path) -> None:
    caller = up(Scenario("update"), Allow="UPDATE")
    caller.within("UPDATE", body=HELD).gets(200, body="a=recvonly")
    resumed = OFFER.replace("sipp 53655765 1", "sipp 53655765 3")
    caller.within("INVITE", body=resumed).may_get(100).gets(200, body="a=sendrecv").ack()
    await plays(over(caller), tmp_path, remote=gateway.address)


async def test_session_timers(gateway: Gateway, tmp_path: Path) -> None:
    caller = Scenario("timer").invite("Supported: timer", "Session-Expires: 60")
    caller.may_get(100).gets(422, Min_SE="90").ack_refusal()
    agreed = {"Session_Expires": "90;refresher=uac", "Require": "timer"}
    up(caller, "Supported: timer", "Session-Expires: 90", "Min-SE: 90", **agreed)
    refresh = "Supported: timer", "Session-Expires: 90;refresher=uac"
    caller.within("UPDATE", *refresh).gets(200, **agreed)
    caller.within("INVITE", *refresh, body=OFFER).may_get(100).gets(200, **agreed).ack()
    await plays(over(caller), tmp_path, remote=gateway.address)


async def test_keys_in_info(gateway: Gateway, tmp_path: Path) -> None:
    # With telephone-event agreed only those in RTP would count.
    plain = OFFER.partition("a=rtpmap:101")[0].replace(" 101", "")
    caller = Scenario("keys").invite(body=plain).may_get(100, 180).gets(200).ack()
    caller.within("INFO", "Content-Type: application/dtmf-relay", body="Signal=5\nDuration=160\n").gets(200)
    caller.within("INFO", "Content-Type: application/dtmf", body="#").gets(200)
    caller.within("INFO", "Content-Type: application/x-nothing", body="5").gets(415)
    await plays(over(caller.pause(200)), tmp_path, remote=gateway.address)
    assert (await gateway.ended("keys"))["digits"] == 2


async def test_what_is_required_and_not_known_is_420(gateway: Gateway, tmp_path: Path) -> None:
    caller = Scenario("demanding").invite("Require: teleport, timer").gets(420, Unsupported="teleport").ack_refusal()
    await plays(caller, tmp_path, remote=gateway.address)


async def test_an_invite_of_40_kilobytes_over_tcp(gateway: Gateway, tmp_path: Path) -> None:
    much = [f"X-Much-{number}: {'a' * 1000}" for number in range(40)]
    await plays(over(up(Scenario("large"), *much)), tmp_path, "-t", "t1", remote=gateway.address)
    assert (await gateway.ended("large"))["cause"] == "normal"


@pytest.mark.parametrize(
    ("wrong", "instead", "status"),
    [
        ("Max-Forwards: 70", "Max-Forwards: many", 400),
        ("Content-Length: [len]", "Content-Length: 99999", 400),
        ("Content-Length: [len]", "Content-Length: -1", 400),
        ("SIP/2.0\nVia", "SIP/7.0\nVia", 505),
        ("Content-Type: application/sdp", "Content-Type: text/html", 415),
        ("INVITE sip:echo", "INVITE gopher:echo", 416),
        ("v=0\n", "this is no SDP\n", 400),
    ],
)
async def test_an_invite_that_is_wrong(gateway: Gateway, tmp_path: Path, wrong: str, instead: str, status: int) -> None:
    caller = Scenario("wrong").invite()
    assert wrong in caller.steps[0]
    caller.steps[0] = caller.steps[0].replace(wrong, instead)
    await plays(caller.may_get(100).gets(status), tmp_path, remote=gateway.address)
    await plays(over(up(Scenario("right"))), tmp_path, remote=gateway.address)


async def test_a_call_over_ipv6(tmp_path: Path) -> None:
    settings = {"sip": {"host": "::1"}, "media": {"host": "::1"}}
    caller = up(Scenario("six"), body=r"IN IP6 ::1")
    caller.within("INVITE", body=HELD).may_get(100).gets(200, body="a=recvonly").ack()
    async with running(tmp_path, settings) as gateway:
        remote = f"[::1]:{gateway.port}"
        await plays(over(caller), tmp_path, remote=remote, host="::1")
        await plays(over(up(Scenario("six-tcp"))), tmp_path, "-t", "t1", remote=remote, host="::1")
        assert (await gateway.ended("six"))["source"] == "::1"
        assert (await gateway.ended("six-tcp"))["cause"] == "normal"
