"""What the test phone says."""

from pathlib import Path

import numpy as np
import pytest

from sipgw.tools.capture.errors import CaptureError
from sipgw.tools.sound import Sound, Sounding, from_capture, from_pcm, from_wav, placed, transcoded
from sipgw.tools.wav import write_wav
from sipgw_codecs.g711 import PCMA, PCMU
from tests.shared import shared

PCAPS = Path(__file__).parents[2] / "pcaps"


def test_samples_are_cut_into_packets_and_the_last_is_filled_up() -> None:
    sound = from_pcm(np.full(400, 1000, np.int16), "PCMA", 20)
    assert [len(packet.payload) for packet in sound.packets] == [160, 160, 160]
    assert [packet.timestamp for packet in sound.packets] == [0, 160, 320]
    assert [packet.delay for packet in sound.packets] == [0.0, 0.02, 0.04]
    assert [packet.marker for packet in sound.packets] == [True, False, False]
    assert sound.packets[2].payload == PCMA.encode(np.full(80, 1000, np.int16)).tobytes() + PCMA.silence(10)
    assert sound.seconds == 0.04
    assert len(sound.pcm()) == 480


def test_silence_is_no_packets() -> None:
    assert Sound().seconds == 0.0
    assert len(Sound().pcm()) == 0


def test_a_wav_of_any_rate_is_taken(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", np.zeros(24_000, np.int16), 24_000)
    assert len(from_wav(tmp_path / "x.wav").packets) == 50


def test_the_caller_of_our_first_call_is_found_with_speech_and_key_on_one_time_line() -> None:
    sound = from_capture(PCAPS / "first-call.pcap")
    speech = [packet for packet in sound.packets if packet.codec == "PCMA"]
    key = [packet for packet in sound.packets if packet.codec == "TELEPHONE-EVENT"]
    assert (len(speech), len(key)) == (236, 10)
    assert [packet.timestamp for packet in speech] == list(range(0, 236 * 240, 240))
    assert speech[0].delay == 0.0
    # The key came under another SSRC and with timestamps of its own; here they go on.
    assert {packet.timestamp for packet in key} == {round(key[0].delay * 8000)}
    assert key[0].payload[0] == 5
    assert 7.4 < sound.seconds < 7.5


def test_the_capture_keeps_its_own_jitter() -> None:
    speech = from_capture(PCAPS / "first-call.pcap").packets[:236]
    gaps = np.diff([packet.delay for packet in speech])
    assert gaps.max() > 0.05
    assert gaps.mean() == pytest.approx(0.03, abs=0.001)


def test_the_lead_is_how_early_the_earliest_packet_was() -> None:
    assert Sound().lead == 0.0
    assert from_pcm(np.zeros(800, np.int16)).lead == 0.0
    packets = (Sounding(0.0, "PCMU", b"", 0), Sounding(0.015, "PCMU", b"", 160), Sounding(0.05, "PCMU", b"", 320))
    assert Sound(packets).lead == pytest.approx(-0.005)


def test_a_capture_without_signalling_is_taken_too() -> None:
    sound = from_capture(shared("pcap/sipp-media/g711a.pcap"))
    assert {packet.codec for packet in sound.packets} == {"PCMA"}
    assert sound.packets[0].timestamp == 0
    assert sound.seconds == pytest.approx(110, abs=2)


def test_a_capture_without_speech_we_know_is_refused() -> None:
    with pytest.raises(CaptureError, match="holds no RTP of a caller in PCMU or PCMA"):
        from_capture(shared("pcap/sipp-media/dtmf_2833_5.pcap"))


def test_a_payload_is_put_into_the_codec_negotiated() -> None:
    pcm = np.arange(-16_000, 16_000, 200, dtype=np.int16)
    a_law = PCMA.encode(pcm).tobytes()
    assert transcoded(a_law, "PCMA", "PCMA") == a_law
    assert transcoded(a_law, "PCMA", "PCMU") == PCMU.encode(PCMA.decode(PCMA.encode(pcm))).tobytes()
    assert transcoded(b"\x05\x0a\x00\xa0", "TELEPHONE-EVENT", "PCMU") == b"\x05\x0a\x00\xa0"


def test_pieces_are_placed_at_their_timestamps_and_gaps_are_silent() -> None:
    loud = PCMU.encode(np.full(4, 8031, np.int16)).tobytes()
    line = placed([(8, "PCMU", loud), (0, "PCMU", loud), (20, "TELEPHONE-EVENT", b"\x05\x0a\x00\xa0")])
    level = int(PCMU.DECODE[loud[0]])
    assert line.tolist() == [level] * 4 + [0] * 4 + [level] * 4
