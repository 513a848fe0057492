"""Keys in: each once, whatever gets lost. Keys out: what RFC 4733 wants."""

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.errors import UsageError
from sipgw.rtp.dtmf import KEYS, Digit, DtmfReceiver, press
from sipgw.rtp.packet import parse
from tests.shared import shared


def heard(receiver: DtmfReceiver, digit: str, at: int, now: float = 0.0, lost: str = "", ms: int = 160) -> list[Digit]:
    """What a receiver makes of one press; `lost` says `1` for each packet that is lost."""
    digits = []
    for i, packet in enumerate(press(digit, ms)):
        now += 0.02
        if lost[i : i + 1] != "1":
            digits.append(receiver.receive((at + packet.timestamp) & 0xFFFFFFFF, packet.payload, now))
    return [digit for digit in digits if digit]


def test_every_key_is_heard_once_with_its_length() -> None:
    receiver = DtmfReceiver()
    for i, key in enumerate(KEYS):
        assert heard(receiver, key, i * 8000, i * 1.0) == [Digit(key, 160)]


def test_the_same_key_twice_is_two_digits() -> None:
    receiver = DtmfReceiver()
    assert heard(receiver, "5", 0) + heard(receiver, "5", 1600) == [Digit("5", 160)] * 2


def test_one_end_packet_of_three_is_enough() -> None:
    assert heard(DtmfReceiver(), "1", 0, lost="0000000110") == [Digit("1", 160)]
    assert heard(DtmfReceiver(), "1", 0, lost="1111111110") == [Digit("1", 160)]


def test_without_an_end_packet_the_key_ends_in_silence() -> None:
    receiver = DtmfReceiver()
    assert heard(receiver, "1", 0, lost="0000000111") == []
    due = receiver.next_timer()
    assert due is not None
    assert due == pytest.approx(0.14 + 0.2)
    assert receiver.handle_timers(due - 0.01) is None
    assert receiver.handle_timers(due) == Digit("1", 140)
    assert receiver.next_timer() is None
    assert receiver.handle_timers(due + 1) is None


def test_an_end_packet_after_the_timeout_is_no_second_digit() -> None:
    receiver = DtmfReceiver()
    heard(receiver, "1", 0, lost="0000000111")
    assert receiver.handle_timers(1.0) == Digit("1", 140)
    assert receiver.receive(0, list(press("1"))[-1].payload, 1.1) is None


def test_without_an_end_packet_the_next_key_ends_the_one_before() -> None:
    receiver = DtmfReceiver()
    heard(receiver, "1", 0, lost="0000000111")
    assert heard(receiver, "2", 1600) == [Digit("1", 140), Digit("2", 160)]


def test_a_key_known_by_its_end_alone_does_not_hide_the_lost_one_before() -> None:
    receiver = DtmfReceiver()
    heard(receiver, "1", 0, lost="0000000111")
    assert heard(receiver, "2", 1600, lost="1111111011") == [Digit("1", 140)]
    assert receiver.handle_timers(9.0) == Digit("2", 160)


def test_a_long_press_of_several_segments_is_one_digit() -> None:
    assert heard(DtmfReceiver(), "9", 0xFFFFFF00, ms=20_000) == [Digit("9", 20_000)]


def test_a_long_press_is_one_digit_where_a_segments_last_packets_get_lost() -> None:
    receiver = DtmfReceiver()
    packets = list(press("9", 10_000))
    kept = [p for p in packets if not 8.1 < int.from_bytes(p.payload[2:], "big") / 8000 < 8.3]
    assert len(kept) < len(packets)
    digits = [receiver.receive(p.timestamp, p.payload, i * 0.02) for i, p in enumerate(kept)]
    assert [d for d in digits if d] == [Digit("9", 10_000)]


def test_packets_overtaken_by_the_next_key_are_no_digits() -> None:
    receiver = DtmfReceiver()
    old = list(press("1"))[-1].payload
    assert heard(receiver, "1", 0) == [Digit("1", 160)]
    assert heard(receiver, "2", 1600) == [Digit("2", 160)]
    assert receiver.receive(0, old, 1.0) is None


def test_a_sender_that_began_anew_is_heard() -> None:
    receiver = DtmfReceiver()
    heard(receiver, "1", 1_000_000)
    assert heard(receiver, "1", 5) == [Digit("1", 160)]


def test_flash_tones_and_stumps_are_no_keys() -> None:
    receiver = DtmfReceiver()
    assert receiver.receive(0, bytes([16, 0x8A, 0, 160]), 0.0) is None
    assert receiver.receive(0, b"\x01\x8a\x00", 0.0) is None
    assert receiver.next_timer() is None


@given(st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.binary(max_size=6)), max_size=30))
def test_any_packets_are_survived(packets: list[tuple[int, bytes]]) -> None:
    receiver = DtmfReceiver()
    for i, (timestamp, payload) in enumerate(packets):
        receiver.receive(timestamp, payload, i * 0.02)
        receiver.handle_timers(i * 0.02 + 0.01)
    assert receiver.next_timer() is None or receiver.handle_timers(1e9)


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, (1 << 10) - 2)), max_size=8), st.integers(0, 1 << 32))
def test_no_pattern_of_loss_doubles_or_swaps_a_key(presses: list[tuple[str, int]], start: int) -> None:
    """Any packets but one of each press may be lost."""
    receiver = DtmfReceiver()
    digits = ""
    for i, (key, lost) in enumerate(presses):
        got = heard(receiver, key, start + i * 3200, i * 0.4, lost=f"{lost:010b}")
        digits += "".join(d.digit for d in got)
        pending = receiver.handle_timers(i * 0.4 + 0.4)
        digits += pending.digit if pending else ""
    assert digits == "".join(key for key, _ in presses)


@pytest.mark.parametrize("name", [*"0123456789", "star", "pound"])
def test_keys_recorded_by_others_are_heard_once(name: str) -> None:
    receiver = DtmfReceiver()
    digits = []
    with shared(f"pcap/sipp-media/dtmf_2833_{name}.pcap").open("rb") as file:
        for now, frame in dpkt.pcap.Reader(file):
            packet = parse(bytes(dpkt.ethernet.Ethernet(frame).data.data.data))
            digits.append(receiver.receive(packet.timestamp, packet.payload, now))
    assert [d.digit for d in digits if d] == [{"star": "*", "pound": "#"}.get(name, name)]


def test_a_press_is_sent_as_the_rfc_wants_it() -> None:
    packets = list(press("#", duration_ms=60, volume=10))
    assert [p.payload.hex() for p in packets] == ["0b0a00a0", "0b0a0140", "0b8a01e0", "0b8a01e0", "0b8a01e0"]
    assert [p.marker for p in packets] == [True, False, False, False, False]
    assert {p.timestamp for p in packets} == {0}


def test_a_very_short_press_still_has_marker_and_end() -> None:
    packets = list(press("1", duration_ms=20))
    assert [p.marker for p in packets] == [True, False, False]


def test_there_is_no_such_key() -> None:
    for wrong in ("", "12", "x"):
        with pytest.raises(UsageError):
            list(press(wrong))
