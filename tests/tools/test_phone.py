"""The test phone, in real calls over loopback: to a phone of ours and to SIPp."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sipgw.errors import PeerError, Unavailable
from sipgw.rtp.packet import pack, parse
from sipgw.tools.ladder.draw import draw
from sipgw.tools.phone import Order, call
from sipgw.tools.report import FAR_END, PHONE
from sipgw.tools.sound import from_capture, from_pcm
from tests.fakes.callee import callee
from tests.interop.programs import program
from tests.ports import free_port

PCAPS = Path(__file__).parents[2] / "pcaps"
SPEECH = from_pcm(np.asarray(np.random.default_rng(3).normal(0, 3000, 4000), np.int16))
"""Half a second."""


async def test_a_call_is_answered_spoken_in_heard_and_hung_up() -> None:
    async with callee() as far_end:
        report = await call(Order(far_end.uri, SPEECH, seconds=0.8))
    assert (report.status, report.ending, report.codec) == (200, "the phone hung up", "PCMU")
    assert report.answer_delay is not None
    assert report.answer_delay < 0.2
    assert report.talk == pytest.approx(0.8, abs=0.1)
    assert report.packets_sent == pytest.approx(40, abs=3)
    assert abs(report.packets_received - report.packets_sent) <= 2
    assert report.packets_lost == 0
    assert report.first_audio_delay is not None
    assert report.first_audio_delay < 0.1
    assert report.echo_delay is not None
    assert report.echo_delay < 0.02
    assert np.array_equal(report.heard[:4000], report.said)


async def test_early_media_is_heard_before_the_answer_which_repeats_no_description() -> None:
    async with callee(early=pack(0, True, 7, 160, 5) + bytes([0x10]) * 160) as far_end:
        report = await call(Order(far_end.uri, seconds=0.2))
    assert (report.status, report.ending) == (200, "the phone hung up")
    assert report.first_audio_delay == pytest.approx(-0.2, abs=0.1)
    assert dict(report.facts())["first sound heard"].endswith("before the answer")
    assert report.packets_received > 5


async def test_its_ladder_tells_the_call() -> None:
    async with callee() as far_end:
        report = await call(Order(far_end.uri, SPEECH, seconds=0.1))
    labels = [step.label for step in sorted(report.steps, key=lambda step: step.when) if not step.media]
    assert labels[:2] == ["INVITE", "100 Trying (INVITE)"]
    assert [label for label in labels if "hears" not in label][-5:] == [
        "180 Ringing (INVITE)",
        "200 OK (INVITE)",
        "ACK",
        "BYE",
        "200 OK (BYE)",
    ]
    assert len(draw((PHONE, FAR_END), report.steps)) == len(report.steps) + 1
    assert dict(report.facts())["own words came back"].startswith("after ")


async def test_keys_are_pressed_after_the_sound_and_the_phone_waits_for_them() -> None:
    async with callee() as far_end:
        report = await call(Order(far_end.uri, keys="5"))
    packets = [parse(data) for data in far_end.rtp]
    keys = [packet for packet in packets if packet.payload_type == 101]
    assert {packet.payload[0] for packet in keys} == {5}
    assert len({packet.timestamp for packet in keys}) == 1
    assert keys[-1].payload[1] & 0x80
    assert report.talk == pytest.approx(2.0, abs=0.1)
    # One stream, whatever it carries.
    assert len({packet.ssrc for packet in packets}) == 1
    assert {(b.sequence - a.sequence) % 65_536 for a, b in itertools.pairwise(packets)} == {1}


async def test_a_capture_is_replayed_in_the_codec_that_was_negotiated() -> None:
    capture = from_capture(PCAPS / "first-call.pcap")
    async with callee(codecs=("PCMU",)) as far_end:
        report = await call(Order(far_end.uri, capture, seconds=1.0))
    assert report.codec == "PCMU"
    assert {parse(data).payload_type for data in far_end.rtp} == {0}
    assert {len(parse(data).payload) for data in far_end.rtp} == {240}
    assert np.corrcoef(report.heard[:7000], report.said[:7000])[0, 1] > 0.99


async def test_the_far_ends_bye_ends_the_call() -> None:
    async with callee() as far_end:
        asyncio.get_running_loop().call_later(0.3, far_end.does, lambda now: far_end.agent.hang_up(far_end.leg, now))
        report = await call(Order(far_end.uri, SPEECH, seconds=5))
    assert report.ending == "the far end hung up"
    assert report.talk == pytest.approx(0.3, abs=0.1)


async def test_a_refusal_is_reported_with_its_status() -> None:
    async with callee(status=486) as far_end:
        report = await call(Order(far_end.uri))
    assert (report.status, report.ending, report.answered) == (486, "refused", False)
    assert report.facts() == [("call", f"{far_end.uri}: 486, refused")]


async def test_where_it_is_sent_on_to_is_not_waited_for() -> None:
    async with callee(status=302, headers=(("Contact", "<sip:other@127.0.0.1:9>"),)) as far_end:
        async with asyncio.timeout(3):
            report = await call(Order(far_end.uri))
    assert (report.status, report.ending) == (302, "refused")


async def test_a_far_end_that_sends_nothing_is_told_apart_from_one_that_does() -> None:
    async with callee(back=False) as far_end:
        report = await call(Order(far_end.uri, SPEECH, seconds=0.3))
    assert report.answered
    assert (report.packets_received, report.first_packet_delay, report.echo_delay) == (0, None, None)
    assert dict(report.facts())["first sound heard"] == "never"


async def test_headers_and_the_calling_number_go_with_the_invite() -> None:
    async with callee() as far_end:
        await call(Order(far_end.uri, seconds=0.05, caller="+15550100", headers=(("X-Customer", "4711"),)))
    assert far_end.request is not None
    assert far_end.request.headers.get("X-Customer") == "4711"
    assert far_end.request.from_.uri.user == "+15550100"


async def test_a_call_that_is_given_up_is_hung_up() -> None:
    async with callee() as far_end:
        task = asyncio.create_task(call(Order(far_end.uri, seconds=30)))
        await until(lambda: bool(far_end.rtp))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: "HungUp" in {type(event).__name__ for event in far_end.events})


async def test_what_the_system_refuses_to_send_is_known_at_once() -> None:
    too_long = Order("sip:demo@127.0.0.1:9", headers=(("X-Long", "x" * 70_000),))
    report = await asyncio.wait_for(call(too_long), 2)
    assert (report.status, report.ending) == (503, "nobody answers")


@pytest.mark.parametrize("uri", ["demo", "tel:+15550100", "sip:"])
async def test_what_is_no_sip_uri_is_refused(uri: str) -> None:
    with pytest.raises(PeerError):
        await call(Order(uri))


async def test_a_host_that_does_not_exist_is_named() -> None:
    with pytest.raises(Unavailable, match=r"nowhere\.invalid is not known"):
        await call(Order("sip:demo@nowhere.invalid"))


@pytest.mark.interop
async def test_sipp_is_called_by_a_replay_of_the_first_call() -> None:
    sipp, port, media = program("sipp"), free_port(), free_port()
    process = await asyncio.create_subprocess_exec(
        *(sipp, "-sf", PCAPS / "answerer.xml", "-i", "127.0.0.1", "-p", str(port), "-mi", "127.0.0.1"),
        *("-mp", str(media), "-rtp_echo", "-m", "1", "-nostdin"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        capture = from_capture(PCAPS / "first-call.pcap")
        report = await asyncio.wait_for(call(Order(f"sip:echo@127.0.0.1:{port}", capture, seconds=2.0)), 15)
        assert await asyncio.wait_for(process.wait(), 5) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (report.status, report.codec, report.ending) == (200, "PCMA", "the phone hung up")
    assert report.answer_delay == pytest.approx(1.0, abs=0.3)
    assert report.packets_lost == 0
    assert report.echo_delay is not None
    assert report.echo_delay < 0.05


async def until(true: Callable[[], bool], within: float = 2.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.01)
