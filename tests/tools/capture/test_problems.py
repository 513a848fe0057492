"""Problems and their likely causes, each in a capture that was made to have it."""

from pathlib import Path

import pytest

from sipgw.flow import Endpoint
from sipgw.tools.capture.places import is_private, place
from sipgw.tools.capture.problems import NAMES
from sipgw.tools.capture.reading import Reader
from tests.fakes.capture_file import CALLEE_RTP, CALLER_RTP, SPEECH, CaptureFile, Dialog, rtp, sdp

PUBLIC: Endpoint = ("198.51.100.7", 61_000)
PRIVATE: Endpoint = ("192.168.1.5", 4000)


def problems(file: CaptureFile) -> dict[str, str]:
    """Name and sentence of all problems of the only call."""
    reader = Reader()
    for number, (when, packet) in enumerate(sorted(file.packets), 1):
        reader.receive(number, when, 101, packet)
    (call,) = reader.finish(Path("x")).calls
    assert [p.when for p in call.problems] == sorted(p.when for p in call.problems)
    assert {p.name for p in call.problems} <= NAMES.keys()
    return {p.name: p.sentence for p in call.problems}


def call(caller_sdp: bytes = b"", callee_sdp: bytes = b"", ended: float = 12.0) -> CaptureFile:
    """A call that is answered after 1 second and ended."""
    file = CaptureFile()
    dialog = Dialog(file)
    dialog.answered(caller_sdp, callee_sdp)
    dialog.ended(ended)
    return file


def both_ways(file: CaptureFile, ended: float = 12.0) -> CaptureFile:
    file.speech(1.0, ended, CALLER_RTP, CALLEE_RTP, ssrc=1)
    file.speech(1.0, ended, CALLEE_RTP, CALLER_RTP, ssrc=2)
    return file


def test_a_good_call_has_none() -> None:
    assert problems(both_ways(call())) == {}


def test_a_private_address_in_the_sdp_explains_one_way_audio() -> None:
    file = call(caller_sdp=sdp(PRIVATE))
    file.speech(1.0, 12.0, PUBLIC, CALLEE_RTP)
    (sentence,) = problems(file).values()
    assert sentence == (
        "The caller heard nothing: no packet from the callee in the capture, 550 the other way. The caller's SDP names "
        "the private address 192.168.1.5:4000 though its messages come from 192.0.2.1: who obeys it sends into nowhere."
    )


def test_a_closed_port_explains_one_way_audio() -> None:
    file = call()
    file.speech(1.0, 12.0, CALLER_RTP, CALLEE_RTP)
    file.icmp(1.5, CALLEE_RTP, CALLER_RTP)
    found = problems(file)
    assert (
        "192.0.2.1:20000, where the caller should listen, answered by ICMP: the port is closed"
        in found["one_way_audio"]
    )


def test_no_codec_in_common_explains_one_way_audio() -> None:
    file = call(callee_sdp=sdp(CALLEE_RTP, "9 101"))
    file.speech(1.0, 12.0, CALLER_RTP, CALLEE_RTP)
    assert "no codec in common" in problems(file)["one_way_audio"]


def test_audio_to_another_port_explains_one_way_audio() -> None:
    file = call()
    file.speech(1.0, 12.0, CALLER_RTP, CALLEE_RTP)
    file.speech(1.0, 12.0, ("192.0.2.2", 45_678), ("192.0.2.1", 45_679), ssrc=5)
    sentence = problems(file)["one_way_audio"]
    assert "550 packets went from 192.0.2.2:45678 to 192.0.2.1:45679, which is not the 192.0.2.1:20000" in sentence


def test_an_address_translation_is_named_where_its_side_is_silent() -> None:
    file = call(caller_sdp=sdp(PRIVATE))
    file.speech(1.0, 12.0, CALLEE_RTP, PRIVATE)
    sentence = problems(file)["one_way_audio"]
    assert "The caller sits behind an address translation (its SDP says 192.168.1.5:4000" in sentence


def test_where_nothing_gives_the_cause_away_both_are_named() -> None:
    file = call()
    file.speech(1.0, 12.0, CALLER_RTP, CALLEE_RTP)
    sentence = problems(file)["one_way_audio"]
    assert "The callee sent nothing to 192.0.2.1:20000 as far as this capture sees: a firewall before it" in sentence


@pytest.mark.parametrize(
    ("caller_way", "callee_way"), [("recvonly", "sendonly"), ("sendonly", "recvonly"), ("inactive", "inactive")]
)
def test_hold_is_no_problem(caller_way: str, callee_way: str) -> None:
    file = call(sdp(CALLER_RTP, way=caller_way), sdp(CALLEE_RTP, way=callee_way))
    if callee_way == "sendonly":
        file.speech(1.0, 12.0, CALLEE_RTP, CALLER_RTP)
    elif caller_way == "sendonly":
        file.speech(1.0, 12.0, CALLER_RTP, CALLEE_RTP)
    else:
        file.speech(0.0, 0.5, CALLER_RTP, CALLEE_RTP)
    assert problems(file) == {}


def test_no_audio_at_all_is_told_where_the_capture_sees_any_rtp() -> None:
    file = call()
    assert problems(file) == {}
    file.speech(1.0, 12.0, ("192.0.2.50", 1000), ("192.0.2.51", 1000))
    assert set(problems(file)) == {"no_media"}


@pytest.mark.parametrize(
    ("stopped", "cause"), [(31.0, "likely a firewall or NAT whose time-out is 30 s"), (20.0, "closed the way")]
)
def test_audio_that_stops_one_way_may_be_a_firewall_s_time_out(stopped: float, cause: str) -> None:
    file = call(ended=60.0)
    file.speech(1.0, stopped, CALLEE_RTP, CALLER_RTP, ssrc=2)
    file.speech(1.0, 60.0, CALLER_RTP, CALLEE_RTP, ssrc=1)
    sentence = problems(file)["media_stopped"]
    assert sentence.startswith(f"Audio from the callee stopped {stopped - 1:.0f} s into the call, ")
    assert cause in sentence


def test_audio_that_stops_for_a_hold_is_no_problem() -> None:
    file = call(ended=40.0)
    dialog = Dialog(file)
    file.speech(1.0, 20.0, CALLEE_RTP, CALLER_RTP, ssrc=2)
    file.speech(1.0, 40.0, CALLER_RTP, CALLEE_RTP, ssrc=1)
    dialog.request(19.9, "INVITE", 3, sdp(CALLER_RTP, way="sendonly"))
    dialog.response(19.95, "200 OK", cseq=3, body=sdp(CALLEE_RTP, way="recvonly"))
    dialog.request(19.96, "ACK", 3)
    assert problems(file) == {}


def test_audio_that_goes_to_a_stranger_is_told() -> None:
    file = both_ways(call(), 3.0)
    file.speech(3.0, 12.0, CALLEE_RTP, ("203.0.113.66", 6666), ssrc=2, first=100)
    file.speech(3.0, 12.0, CALLER_RTP, CALLEE_RTP, ssrc=1, first=100)
    sentence = problems(file)["latched_elsewhere"]
    assert "Audio for the caller goes to 203.0.113.66:6666, but the caller sends from 192.0.2.1:20000" in sentence


def test_two_sources_for_one_receiver_are_told() -> None:
    file = both_ways(call())
    file.speech(2.0, 12.0, ("203.0.113.66", 6666), CALLEE_RTP, ssrc=9)
    assert "192.0.2.1:20000 and 203.0.113.66:6666 at once" in problems(file)["two_sources"]


def test_a_payload_type_that_nobody_asked_for_is_told() -> None:
    file = both_ways(call(sdp(CALLER_RTP, "0"), sdp(CALLEE_RTP, "0")), 3.0)
    file.speech(3.0, 12.0, CALLEE_RTP, CALLER_RTP, ssrc=2, payload_type=8, first=100)
    file.speech(3.0, 12.0, CALLER_RTP, CALLEE_RTP, ssrc=1, first=100)
    sentence = problems(file)["payload_type"]
    assert "450 packets of payload type 8 (PCMA), but its receiver asked for 0" in sentence


def test_loss_and_its_sound_are_told() -> None:
    file = both_ways(call())
    sent = [pair for pair in file.packets if pair[1][20:22] == CALLER_RTP[1].to_bytes(2, "big")]
    for pair in sent[4::5]:
        file.packets.remove(pair)
    found = problems(file)
    assert found["loss"] == "Audio of the caller to 192.0.2.2:30000 lost 109 packets, 19.9%."
    assert found["low_quality"].endswith("has an estimated MOS of 2.6.")


def test_jitter_gaps_clocks_silence_and_changes_of_ssrc_are_told() -> None:
    file = call(ended=60.0)
    file.speech(1.0, 30.0, CALLER_RTP, CALLEE_RTP, ssrc=1, drift=0.0005)
    file.speech(34.0, 60.0, CALLER_RTP, CALLEE_RTP, ssrc=7)
    for index in range(59 * 50):
        late = 0.09 if index % 3 else 0.0
        file.udp(1 + index * 0.02 + late, CALLEE_RTP, CALLER_RTP, rtp(index, index * 160, 2, b"\xff" * 160))
    found = problems(file)
    assert found["clock_skew"].endswith("comes from a clock that runs 500 ppm too fast: buffers run over or dry.")
    assert found["ssrc_change"].endswith("changes its SSRC from 0x00000001 to 0x00000007.")
    assert "nothing but silence" in found["silence"]
    assert "a jitter of" in found["jitter"]


def test_a_pause_of_the_sender_is_told() -> None:
    file = call(ended=20.0)
    file.speech(1.0, 20.0, CALLER_RTP, CALLEE_RTP, ssrc=1)
    file.speech(1.0, 8.0, CALLEE_RTP, CALLER_RTP, ssrc=2)
    file.speech(11.0, 20.0, CALLEE_RTP, CALLER_RTP, ssrc=2, first=350)
    assert problems(file) == {"gap": "Audio of the callee to 192.0.2.1:20000 pauses for 3.0 s."}


def test_a_200_without_ack_is_timer_trouble() -> None:
    file = CaptureFile()
    dialog = Dialog(file)
    dialog.request(0.0, "INVITE", body=sdp(CALLER_RTP))
    for when in (1.0, 1.5, 2.5, 4.5, 8.5):
        dialog.response(when, "200 OK", body=sdp(CALLEE_RTP))
    found = problems(file)
    assert found["no_ack"].startswith("The 200 to INVITE 1 was sent 5 times over 7.5 s and no ACK came")
    assert found["retransmissions"].startswith("200 OK (INVITE) was repeated 4 times")


def test_an_invite_and_a_bye_without_answer_are_timer_trouble() -> None:
    file = CaptureFile()
    dialog = Dialog(file)
    for when in (0.0, 0.5, 1.5, 3.5):
        dialog.request(when, "INVITE")
    file.icmp(0.1, dialog.caller, dialog.callee)
    assert problems(file)["no_response"] == (
        "INVITE was sent 4 times to 192.0.2.2:5060 and nobody answered. It came back by ICMP: nothing listens there."
    )
    file = CaptureFile()
    dialog = Dialog(file)
    dialog.answered()
    for when in (5.0, 5.5, 6.5, 8.5):
        dialog.request(when, "BYE", 2)
    assert "BYE was sent 4 times" in problems(file)["bye_unanswered"]


def test_refusals_slow_starts_and_endless_ringing_are_told() -> None:
    file = CaptureFile()
    dialog = Dialog(file)
    dialog.request(0.0, "INVITE")
    dialog.response(6.0, "503 Service Unavailable")
    found = problems(file)
    assert found["refused"] == "The call was refused with 503 Service Unavailable."
    assert found["slow_setup"] == "It took 6.0 s from the INVITE to the first sign of life."
    file = CaptureFile()
    dialog = Dialog(file)
    dialog.request(0.0, "INVITE")
    dialog.response(0.2, "180 Ringing")
    file.speech(200.0, 201.0, CALLER_RTP, CALLEE_RTP)
    assert "no final answer when the capture ends" in problems(file)["unanswered"]


def test_addresses_are_told_apart() -> None:
    assert all(map(is_private, ("10.1.2.3", "192.168.0.1", "172.16.0.1", "100.64.3.4", "fd00::1", "127.0.0.1")))
    assert not any(map(is_private, ("8.8.8.8", "192.0.2.1", "2001:db8::1", "2a00::1", "nonsense")))
    assert place(("2001:db8::1", 5060)) == "[2001:db8::1]:5060"
    assert len(SPEECH) == 160
