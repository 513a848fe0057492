"""Whole captures, made by hand: calls with their delays and ends, and the streams that belong to them."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sipgw.tools.capture.errors import CaptureError
from sipgw.tools.capture.model import CallTrace, Capture
from sipgw.tools.capture.reading import Reader, read
from tests.fakes.capture_file import (
    CALLEE,
    CALLEE_RTP,
    CALLER,
    CALLER_RTP,
    WHEN,
    CaptureFile,
    Dialog,
    rtp,
    sdp,
    sip,
)

PCAPS = Path(__file__).parents[3] / "pcaps"


def seen(file: CaptureFile, tmp_path: Path) -> Capture:
    return read(file.write(tmp_path / "x.pcap"))


def only(file: CaptureFile, tmp_path: Path) -> CallTrace:
    (call,) = seen(file, tmp_path).calls
    return call


def test_an_answered_call_has_its_delays_and_its_end(tmp_path: Path) -> None:
    file = CaptureFile()
    dialog = Dialog(file)
    dialog.answered()
    file.speech(1.0, 6.0, CALLER_RTP, CALLEE_RTP, ssrc=1)
    file.speech(1.0, 6.0, CALLEE_RTP, CALLER_RTP, ssrc=2)
    dialog.ended(6.0, by="callee")
    call = only(file, tmp_path)
    assert (call.caller, call.callee, call.status, call.outcome) == (
        "sip:caller@test",
        "sip:callee@test",
        200,
        "answered",
    )
    assert call.setup_delay == pytest.approx(0.1)
    assert call.ringing_delay == pytest.approx(0.1)
    assert call.answer_delay == pytest.approx(1.0)
    assert call.ended == pytest.approx(WHEN + 6.0)
    assert (call.ended_by, call.retransmissions) == ("callee", 0)
    assert [message.label for message in call.messages][:4] == [
        "INVITE",
        "100 Trying (INVITE)",
        "180 Ringing (INVITE)",
        "200 OK (INVITE)",
    ]
    assert call.messages[0].number == 1
    assert bytes(call.messages[0].message).startswith(b"INVITE ")
    assert [(s.sender, s.codec, s.packets, s.negotiated) for s in call.streams] == [
        ("caller", "PCMU", 250, True),
        ("callee", "PCMU", 250, True),
    ]
    assert not call.problems


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([("486 Busy Here", 1)], ("refused", 486, "callee")),
        ([("401 Unauthorized", 1), ("INVITE", 2), ("603 Decline", 2)], ("refused", 603, "callee")),
        ([("407 Proxy Authentication Required", 1)], ("refused", 407, "callee")),
        ([("180 Ringing", 1), ("CANCEL", 1), ("487 Request Terminated", 1)], ("cancelled", 487, "caller")),
        ([("180 Ringing", 1)], ("unanswered", None, "")),
    ],
)
def test_calls_that_fail_say_how(
    steps: list[tuple[str, int]], expected: tuple[str, int | None, str], tmp_path: Path
) -> None:
    file = CaptureFile()
    dialog = Dialog(file)
    dialog.request(0.0, "INVITE")
    for index, (what, cseq) in enumerate(steps, 1):
        if what[0].isdigit():
            dialog.response(float(index), what, cseq=cseq)
        elif what == "INVITE":
            again = sip("INVITE sip:callee@test SIP/2.0", f"{cseq} INVITE", dialog=False)
            file.udp(float(index), CALLER, CALLEE, again)
        else:
            dialog.request(float(index), what, cseq)
    call = only(file, tmp_path)
    assert (call.outcome, call.status, call.ended_by) == expected


def test_a_call_that_began_before_the_capture_is_unknown(tmp_path: Path) -> None:
    file = CaptureFile()
    Dialog(file).ended(5.0)
    call = only(file, tmp_path)
    assert (call.outcome, call.status, call.setup_delay) == ("unknown", None, None)


def test_forked_responses_and_hops_belong_to_one_call(tmp_path: Path) -> None:
    file = CaptureFile()
    proxy = ("192.0.2.9", 5060)
    first, second = Dialog(file, callee=proxy), Dialog(file, caller=proxy)
    for when, dialog in ((0.0, first), (0.01, second)):
        dialog.request(when, "INVITE")
        dialog.response(1.0 - when, "200 OK")
    call = only(file, tmp_path)
    assert (len(call.messages), call.retransmissions, call.outcome) == (4, 0, "answered")


def test_a_reinvite_moves_the_media_and_changes_the_codec(tmp_path: Path) -> None:
    file = CaptureFile()
    dialog = Dialog(file)
    elsewhere = ("192.0.2.7", 25_000)
    dialog.answered()
    file.speech(1.0, 3.0, CALLEE_RTP, CALLER_RTP, ssrc=1)
    dialog.request(3.0, "INVITE", 2, sdp(elsewhere, "96"))
    dialog.response(3.1, "200 OK", cseq=2, body=sdp(CALLEE_RTP, "96"))
    dialog.request(3.2, "ACK", 2)
    file.speech(3.2, 5.0, CALLEE_RTP, elsewhere, ssrc=1, payload_type=96)
    call = only(file, tmp_path)
    assert [(s.codec, s.sender, s.destination) for s in call.streams] == [
        ("PCMU", "callee", CALLER_RTP),
        ("OPUS", "callee", elsewhere),
    ]
    assert call.answer_delay == pytest.approx(1.0)


def test_a_phone_behind_an_address_translation_is_found_by_the_other_end(tmp_path: Path) -> None:
    file = CaptureFile()
    dialog = Dialog(file)
    public = ("198.51.100.7", 61_000)
    dialog.answered(caller_sdp=sdp(("192.168.1.5", 4000)))
    file.speech(1.0, 5.0, public, CALLEE_RTP, ssrc=1)
    file.speech(1.2, 5.0, CALLEE_RTP, public, ssrc=2)
    dialog.ended(5.0)
    call = only(file, tmp_path)
    assert [(s.sender, s.source) for s in call.streams] == [("caller", public), ("callee", CALLEE_RTP)]
    assert not call.problems


def test_rtp_without_signalling_is_found_by_its_looks_and_noise_is_not(tmp_path: Path) -> None:
    file = CaptureFile()
    file.speech(0.0, 2.0, CALLER_RTP, CALLEE_RTP, ssrc=9)
    for index in range(200):
        file.udp(index * 0.01, ("192.0.2.3", 53), ("192.0.2.4", 3333), rtp(index * 977, index * 31, index % 5, b"dns"))
    capture = seen(file, tmp_path)
    assert [(s.ssrc, s.packets, s.negotiated) for s in capture.streams] == [(9, 100, False)]


def test_ports_used_again_belong_to_the_newer_call(tmp_path: Path) -> None:
    file = CaptureFile()
    for index, began in enumerate((0.0, 10.0)):
        dialog = Dialog(file, f"call-{index}")
        dialog.request(began, "INVITE", body=sdp(CALLER_RTP))
        dialog.response(began + 0.5, "200 OK", body=sdp(CALLEE_RTP))
        file.speech(began + 1, began + 3, CALLEE_RTP, CALLER_RTP, ssrc=index)
        dialog.ended(began + 4)
    assert [[s.ssrc for s in call.streams] for call in seen(file, tmp_path).calls] == [[0], [1]]


def test_keys_by_info_are_read_in_both_forms(tmp_path: Path) -> None:
    file = CaptureFile()
    dialog = Dialog(file)
    dialog.answered()
    dialog.request(2.0, "INFO", 2, b"Signal=5\r\nDuration=160\r\n", kind="application/dtmf-relay")
    dialog.request(3.0, "INFO", 3, b"#", kind="application/dtmf")
    dialog.request(3.0, "INFO", 3, b"#", kind="application/dtmf")
    call = only(file, tmp_path)
    assert [(k.digit, k.duration_ms, k.how) for k in call.keys] == [("5", 160, "info"), ("#", 0, "info")]
    assert call.retransmissions == 1


def test_sip_over_tcp_is_read_whatever_order_its_segments_came_in(tmp_path: Path) -> None:
    file = CaptureFile()
    invite = sip("INVITE sip:callee@test SIP/2.0", "1 INVITE", sdp(CALLER_RTP) * 8, dialog=False)
    file.tcp(0.0, CALLER, CALLEE, 100, b"", 0x02)
    for when, at in ((0.1, 0), (0.3, 1000), (0.2, 500), (0.4, 500)):
        file.tcp(when, CALLER, CALLEE, 101 + at, invite[at : at + (500 if at < 1000 else 9000)])
    file.tcp(0.5, CALLEE, CALLER, 900, sip("SIP/2.0 200 OK", "1 INVITE", dialog=True))
    call = only(file, tmp_path)
    assert [(m.transport, m.label) for m in call.messages] == [("tcp", "INVITE"), ("tcp", "200 OK (INVITE)")]
    assert call.messages[0].when == pytest.approx(WHEN + 0.3)
    assert call.messages[0].number == 4


def test_srtp_is_told_and_its_payload_not_believed(tmp_path: Path) -> None:
    file = CaptureFile()
    dialog = Dialog(file)
    dialog.answered(sdp(CALLER_RTP, protocol="RTP/SAVP"), sdp(CALLEE_RTP, protocol="RTP/SAVP"))
    file.speech(1.0, 3.0, CALLER_RTP, CALLEE_RTP)
    (stream,) = only(file, tmp_path).streams
    assert stream.encrypted
    assert stream.level_dbfs is None


def test_everything_in_the_file_is_counted_also_what_is_no_call(tmp_path: Path) -> None:
    file = CaptureFile()
    file.udp(0.0, CALLER, CALLEE, sip("REGISTER sip:test SIP/2.0", "1 REGISTER", dialog=False))
    file.udp(0.1, CALLEE, CALLER, sip("SIP/2.0 200 OK", "1 REGISTER", dialog=True))
    file.udp(0.2, CALLER, CALLEE, b"OPTIONS sip:test SIP/2.0\r\n\r\n")
    file.tcp(0.3, CALLER, CALLEE, 1, b"\x16\x03\x01\x00\x05hello")
    capture = seen(file, tmp_path)
    assert (capture.requests, capture.responses, capture.calls) == ({"REGISTER": 1, "OPTIONS": 1}, {200: 1}, ())
    assert [problem.name for problem in capture.problems] == ["malformed", "encrypted"]


def test_a_file_that_breaks_off_says_so_and_gives_what_it_has(tmp_path: Path) -> None:
    file = CaptureFile()
    Dialog(file).answered()
    path = file.write(tmp_path / "x.pcap")
    path.write_bytes(path.read_bytes()[:-10])
    capture = read(path)
    assert (
        capture.problems[0].sentence == "The file cannot be read to its end: it is cut off in the middle of a packet."
    )
    assert capture.calls[0].outcome == "answered"


def test_an_empty_capture_is_one_and_a_missing_file_is_not(tmp_path: Path) -> None:
    assert seen(CaptureFile(), tmp_path).packets == 0
    with pytest.raises(CaptureError, match="cannot be read"):
        read(tmp_path / "gone")


def test_streams_beyond_the_bound_are_counted_and_memory_stays_small() -> None:
    reader = Reader()
    file = CaptureFile()
    file.udp(0.0, CALLER_RTP, CALLEE_RTP, rtp(1, 160, 0, b"x" * 160))
    frame = bytearray(file.packets[0][1])
    tracemalloc.start()
    for ssrc in range(15_000):
        frame[36:40] = ssrc.to_bytes(4, "big")
        reader.receive(ssrc, ssrc * 0.001, 101, bytes(frame))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60_000_000
    assert not reader.finish(Path("x")).streams


def test_our_own_first_call_is_told_whole() -> None:
    (call,) = read(PCAPS / "first-call.pcap").calls
    assert (call.outcome, call.ended_by, call.problems) == ("answered", "caller", ())
    assert ["".join(key.digit for key in stream.keys) for stream in call.streams] == ["", "", "5", "5"]


@given(st.lists(st.tuples(st.sampled_from(["udp", "tcp"]), st.binary(max_size=200)), max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_datagram_and_any_segment_whatever_is_survived(pieces: list[tuple[str, bytes]]) -> None:
    file = CaptureFile()
    for index, (transport, data) in enumerate(pieces):
        if transport == "udp":
            file.udp(index * 0.1, CALLER, CALLEE, data)
        else:
            file.tcp(index * 0.1, CALLER, CALLEE, index * 100, data)
    feed(file)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150, deadline=None)
def test_any_damage_to_a_good_call_is_survived(data: st.DataObject) -> None:
    file = CaptureFile()
    dialog = Dialog(file)
    dialog.answered()
    file.speech(1.0, 1.3, CALLER_RTP, CALLEE_RTP)
    dialog.ended(2.0)
    for _ in range(data.draw(st.integers(1, 12))):
        index = data.draw(st.integers(0, len(file.packets) - 1))
        when, packet = file.packets[index]
        damaged = bytearray(packet)
        damaged[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
        file.packets[index] = (when + data.draw(st.sampled_from([0.0, -9.0, 1e9])), bytes(damaged))
    feed(file)


def feed(file: CaptureFile) -> None:
    """Read without a file."""
    reader = Reader()
    for number, (when, packet) in enumerate(file.packets, 1):
        reader.receive(number, when, 101, packet)
    reader.finish(Path("x"))
