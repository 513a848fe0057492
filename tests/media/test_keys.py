"""Keys towards the far end: packets of the one stream there is, in its numbers, at its pace (RFC 4733)."""

import pytest

from sipgw.media import plane
from sipgw.rtp.dtmf import Digit, DtmfReceiver
from sipgw.rtp.packet import Packet
from tests.fakes.engine import KEYS_TYPE, Rig, stream

KEYS = stream(dtmf_send_type=KEYS_TYPE)
LOUD = b"\x00\x40" * 480


def pressed(digits: str, duration_ms: int = 160, gap_ms: int = 80, *, rig: Rig | None = None) -> tuple[Rig, int]:
    """A session that has begun to send keys."""
    rig = rig or Rig()
    slot = rig.session(agreed=KEYS)
    rig.run(0.1)
    rig.engine.press(plane.SendDigits("s", digits, duration_ms, gap_ms))
    return rig, slot


def keys(packets: list[Packet]) -> list[Packet]:
    """Those that are keys."""
    return [packet for packet in packets if packet.payload_type == KEYS_TYPE]


def told(rig: Rig) -> list[plane.DigitsSent]:
    """What was said of their end."""
    return [event for event in rig.events if isinstance(event, plane.DigitsSent)]


def test_one_key_packet_by_packet() -> None:
    rig, slot = pressed("5")
    rig.run(1.0)
    sent = rig.sent[slot]
    packets = keys(sent)
    # Begun with the marker, all with the timestamp of the beginning, the end three times.
    assert [packet.marker for packet in packets] == [True, *[False] * 9]
    assert len({packet.timestamp for packet in packets}) == 1
    assert [int.from_bytes(packet.payload[2:], "big") for packet in packets] == [*range(160, 1281, 160), 1280, 1280]
    assert [packet.payload[1] >> 7 for packet in packets] == [0] * 7 + [1] * 3
    assert {packet.payload[0] for packet in packets} == {5}
    # They take the place of the sound of their time, in one unbroken stream.
    first = sent.index(packets[0])
    assert packets[0].timestamp == sent[first - 1].timestamp + 160
    assert [packet.sequence for packet in sent] == [*range(sent[0].sequence, sent[0].sequence + len(sent))]
    assert len({packet.ssrc for packet in sent}) == 1
    after = sent[first + len(packets)]
    assert after.timestamp == packets[0].timestamp + 160 * len(packets)
    assert told(rig) == [plane.DigitsSent("s", 1, True)]


@pytest.mark.parametrize("duration_ms", [100, 250, 2000])
def test_a_receiver_hears_what_was_pressed(duration_ms: int) -> None:
    rig, slot = pressed("0159*#AD", duration_ms)
    rig.run(8 * (duration_ms + 200) / 1000)
    receiver, now, heard = DtmfReceiver(), 0.0, []
    for packet in rig.sent[slot]:
        now += 0.02
        if packet.payload_type == KEYS_TYPE:
            heard.append(receiver.receive(packet.timestamp, packet.payload, now))
    assert [digit for digit in heard if digit] == [Digit(key, duration_ms) for key in "0159*#AD"]


def test_between_two_keys_there_is_silence() -> None:
    rig, slot = pressed("11", 100, 100)
    rig.run(1.0)
    kinds = "".join("k" if packet.payload_type == KEYS_TYPE else "." for packet in rig.sent[slot]).strip(".")
    assert kinds == "kkkkkkk.....kkkkkkk"


def test_the_ais_words_wait_for_the_keys() -> None:
    rig, slot = pressed("1")
    rig.engine.playout("s").add(LOUD * 10)
    rig.run(1.0)
    spoken = [packet for packet in rig.sent[slot] if packet.payload_type == 0 and set(packet.payload) != {0xFF}]
    assert len(spoken) in (10, 11)
    assert spoken[0].sequence > keys(rig.sent[slot])[-1].sequence


def test_a_second_order_waits_for_the_first() -> None:
    rig, slot = pressed("1")
    rig.engine.press(plane.SendDigits("s", "23", 100, 40))
    rig.run(2.0)
    order = [packet.payload[0] for packet in keys(rig.sent[slot]) if packet.marker]
    assert order == [1, 2, 3]
    assert told(rig) == [plane.DigitsSent("s", 1, True), plane.DigitsSent("s", 2, True)]


def test_a_far_end_that_takes_no_keys_gets_none() -> None:
    rig = Rig()
    slot = rig.session()
    rig.engine.press(plane.SendDigits("s", "1"))
    rig.run(0.5)
    assert told(rig) == [plane.DigitsSent("s", 1, False)]
    assert not keys(rig.sent[slot])


def test_a_far_end_that_holds_gets_no_more_keys() -> None:
    rig, slot = pressed("123", 200)
    rig.run(0.1)
    rig.engine.update(plane.UpdateSession("s", stream(dtmf_send_type=KEYS_TYPE, sending=False)), rig.now)
    rig.run(0.5)
    assert told(rig) == [plane.DigitsSent("s", 3, False)]
    rig.engine.update(plane.UpdateSession("s", KEYS), rig.now)
    before = len(rig.sent[slot])
    rig.run(0.2)
    assert not keys(rig.sent[slot][before:])


def test_octets_count_what_was_sent() -> None:
    rig, slot = pressed("5")
    rig.run(20.0)
    report = rig.rtcp[-1][1]
    packets, octets = (int.from_bytes(report[at : at + 4], "big") for at in (20, 24))
    assert octets == sum(len(packet.payload) for packet in rig.sent[slot][:packets])
