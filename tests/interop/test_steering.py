"""Calls steered through the API, as phones of others see it: keys, hold, music, the end."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipgw.tools.phone import Order, call
from sipgw.tools.sound import from_wav
from tests.interop import baresip
from tests.interop import test_pjsua2 as pjsip
from tests.interop import test_sipp as sipp
from tests.interop import test_tshark as tshark
from tests.interop.operator import Operator, operated
from tests.interop.programs import speech_wav

pytestmark = pytest.mark.interop

REMOTE_HOLD, ACTIVE = 3, 1
"""PJSIP's words for a stream (pjsua_call_media_status)."""


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    async with operated(tmp_path) as made:
        yield made


async def test_pjsip_hears_keys_is_put_on_hold_and_hung_up(operator: Operator, tmp_path: Path) -> None:
    calling = asyncio.create_task(pjsip.call(operator.gateway, "tone", tmp_path, 20))
    one = await operator.talking()
    await operator.does(one, "dtmf", digits="159#*D", duration_ms=100, gap_ms=60)
    assert await operator.sees("call.digits_sent") == {"count": 6, "complete": True}
    await operator.does(one, "hold")
    assert await operator.sees("call.held") == {"by": "gateway"}
    await operator.does(one, "resume")
    assert await operator.sees("call.resumed") == {"by": "gateway"}
    await operator.does(one, "hangup")
    told = await calling
    assert "".join(line["digit"] for line in told if line["what"] == "digit") == "159#*D"
    assert [line["status"] for line in told if line["what"] == "media"] == [ACTIVE, REMOTE_HOLD, ACTIVE]
    ended = (await operator.gateway.said("call ended"))[0]
    assert (ended["cause"], ended["hung_up_by"]) == ("normal", "operator")


async def test_baresip_hears_keys_and_music_and_comes_back(operator: Operator, tmp_path: Path) -> None:
    async with baresip.phone(tmp_path, "PCMA/8000/1") as bob:
        await bob.command("dial", f"sip:tone@{operator.gateway.address}")
        await bob.happened("CALL_ESTABLISHED")
        one = await operator.talking()
        await operator.does(one, "dtmf", digits="42")
        await operator.sees("call.digits_sent")
        await operator.does(one, "hold")
        await operator.sees("call.held")
        await operator.does(one, "resume")
        await operator.sees("call.resumed")
        await operator.does(one, "hangup")
        await bob.happened("CALL_CLOSED")
    pressed = [event["param"] for event in bob.events if event["type"] == "CALL_DTMF_START"]
    assert pressed == ["4", "2"]


async def test_a_phone_that_makes_an_offer_of_its_own_is_asked_again(operator: Operator, tmp_path: Path) -> None:
    calling = asyncio.create_task(sipp.sipp(operator.gateway, "held", tmp_path))
    one = await operator.talking()
    await operator.does(one, "hold")
    assert await operator.sees("call.held") == {"by": "gateway"}
    await operator.does(one, "resume")
    await operator.sees("call.resumed")
    await operator.does(one, "hangup")
    await calling


async def test_a_phone_that_refuses_hold_keeps_its_call(operator: Operator, tmp_path: Path) -> None:
    calling = asyncio.create_task(sipp.sipp(operator.gateway, "refuses_hold", tmp_path))
    one = await operator.talking()
    await operator.does(one, "hold")
    failed = await operator.sees("call.hold_failed")
    assert failed == {"wanted": "hold", "status": 488, "reason": "Not Acceptable Here"}
    shown = (await operator.client.get(f"/v1/calls/{one}")).json()
    assert (shown["state"], shown["held_by"], shown["prompt"]) == ("talking", [], "")
    await operator.does(one, "hangup")
    await calling


async def test_an_independent_dissector_reads_our_keys(tmp_path: Path) -> None:
    file = tmp_path / "call.pcapng"
    async with operated(tmp_path, {"media": {"ports": "33000-33099"}}) as operator:
        gateway = operator.gateway
        async with tshark.captured(file, gateway.port):
            sound = from_wav(await speech_wav(tmp_path))
            calling = asyncio.create_task(call(Order(f"sip:echo@{gateway.address}", sound, seconds=4)))
            one = await operator.talking()
            await operator.does(one, "dtmf", digits="7#", duration_ms=200, gap_ms=100)
            await operator.sees("call.digits_sent")
            await calling
        names = ("rtpevent.event_id", "rtpevent.end_of_event", "rtpevent.duration", "rtp.marker", "rtp.timestamp")
        decode = "rtp.p_type == 101 and " + tshark.OURS
        events = await tshark.dissected(file, gateway, decode, *names)
        assert len({packet["rtp.timestamp"] for packet in events}) == 2
        for key, packets in (("7", events[:12]), ("11", events[12:])):
            assert {packet["rtpevent.event_id"] for packet in packets} == {key}
            assert [packet["rtp.marker"] for packet in packets] == ["1", *["0"] * 11]
            assert [packet["rtpevent.end_of_event"] for packet in packets] == [*["0"] * 9, *["1"] * 3]
            assert [int(packet["rtpevent.duration"]) for packet in packets] == [*range(160, 1601, 160), 1600, 1600]
        numbers = ("rtp.seq", "rtp.ssrc")
        packets = await tshark.dissected(file, gateway, f"rtp and {tshark.OURS}", *numbers)
        assert len({packet["rtp.ssrc"] for packet in packets}) == 1
        sequence = [int(packet["rtp.seq"]) for packet in packets]
        assert {(later - earlier) % 65_536 for earlier, later in itertools.pairwise(sequence)} == {1}
