"""What comes out: tables, JSON by its schema, and sound with its gaps."""

import io
import json
import wave
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from sipgw.tools.capture.document import document
from sipgw.tools.capture.reading import read
from sipgw.tools.capture.show import show
from sipgw.tools.capture.sound_out import write_wavs
from sipgw.tools.inspect import Question, inspect
from sipgw.tools.wav import WavError
from sipgw_codecs.registry import LAWS
from tests.fakes.capture_file import CALLEE_RTP, CALLER_RTP, CaptureFile, Dialog, rtp, sdp

PCAPS = Path(__file__).parents[3] / "pcaps"
FIRST_CALL = PCAPS / "first-call.pcap"

TIME, COUNT, TEXT = {"type": "number"}, {"type": "integer"}, {"type": "string"}
MAYBE_TIME, MAYBE_TEXT = {"type": ["number", "null"]}, {"type": ["string", "null"]}


def exactly(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def many(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


COUNTS = {"type": "object", "additionalProperties": COUNT}
KEY = exactly(when=TIME, digit=TEXT, duration_ms=COUNT, how={"enum": ["rfc4733", "info"]})
PROBLEM = exactly(name=TEXT, when=TIME, sentence=TEXT)
MESSAGE = exactly(
    when=TIME, number=COUNT, transport=TEXT, source=TEXT, destination=TEXT, label=TEXT, repeated={"type": "boolean"}
)
STREAM = exactly(
    source=TEXT, destination=TEXT, ssrc=COUNT, sender=MAYBE_TEXT, codec=TEXT, clock_hz=COUNT, payload_types=COUNTS,
    first=TIME, last=TIME, packets=COUNT, lost=COUNT, missing=COUNT, duplicates=COUNT, reordered=COUNT, jitter_ms=TIME,
    max_jitter_ms=TIME, ptime_ms=MAYBE_TIME, skew_ppm=MAYBE_TIME, level_dbfs=MAYBE_TIME, silent_share=MAYBE_TIME,
    mos=MAYBE_TIME, negotiated={"type": "boolean"}, encrypted={"type": "boolean"},
    spans=many(exactly(first=TIME, last=TIME, packets=COUNT)), keys=many(KEY),
)  # fmt: skip
CALL = exactly(
    call_id=TEXT, caller=TEXT, callee=TEXT, status={"type": ["integer", "null"]},
    outcome={"enum": ["answered", "refused", "cancelled", "unanswered", "unknown"]}, first=TIME, last=TIME,
    answered=MAYBE_TIME, ended=MAYBE_TIME, ended_by={"enum": ["caller", "callee", None]}, setup_delay=MAYBE_TIME,
    ringing_delay=MAYBE_TIME, answer_delay=MAYBE_TIME, retransmissions=COUNT, messages=many(MESSAGE),
    streams=many(STREAM), keys=many(KEY), problems=many(PROBLEM),
)  # fmt: skip
SCHEMA = exactly(
    version={"const": 1}, file=TEXT, packets=COUNT, first=TIME, last=TIME, requests=COUNTS, responses=COUNTS,
    calls=many(CALL), streams=many(STREAM), problems=many(PROBLEM),
)  # fmt: skip


def bad_call(tmp_path: Path) -> Path:
    """One-way audio, keys both ways, and a stream of no call."""
    file = CaptureFile()
    dialog = Dialog(file)
    dialog.answered()
    file.speech(1.0, 6.0, CALLER_RTP, CALLEE_RTP)
    dialog.request(2.0, "INFO", 2, b"Signal=5\r\nDuration=160\r\n", kind="application/dtmf-relay")
    file.speech(1.0, 2.0, ("192.0.2.50", 1000), ("192.0.2.51", 1000), payload_type=18, payload=bytes(20))
    dialog.ended(6.0)
    return file.write(tmp_path / "bad.pcap")


def test_the_document_keeps_its_keys(tmp_path: Path) -> None:
    for path in (FIRST_CALL, bad_call(tmp_path), CaptureFile().write(tmp_path / "empty.pcap")):
        jsonschema.validate(json.loads(json.dumps(document(read(path)))), SCHEMA)


def printed(path: Path, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    show(read(path), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_call_is_told_in_a_few_lines() -> None:
    lines = printed(FIRST_CALL).splitlines()
    assert lines[0].startswith("first-call.pcap  498 packets, 9.3 s from ")
    assert lines[0].endswith("SIP: 1 INVITE, 1 ACK, 1 BYE, 1 180, 2 200")
    assert lines[2:7] == [
        "call 1  +15550100@127.0.0.1:5571 → echo@127.0.0.1:5570  answered, 200",
        "  6 messages, ringing after 0 ms, answered after 1.0 s, ended by the caller 8.3 s later",
        "  Call-ID first-call-1@127.0.0.1",
        "  caller  127.0.0.1:17010 → 127.0.0.1:17000  PCMA 30 ms",
        "          236 packets, none lost, jitter 0.8 ms (max 7.3), MOS 4.4, -22 dBFS",
    ]


def test_problems_are_marked_with_their_time(tmp_path: Path) -> None:
    text = printed(bad_call(tmp_path))
    assert "  !    1.000 one_way_audio  The caller heard nothing" in text
    assert "  keys by INFO: 5" in text
    assert "RTP of no call in the capture" in text


def test_markup_in_a_capture_is_only_text(tmp_path: Path) -> None:
    file = CaptureFile()
    Dialog(file, "[red]id[/red][/oops]").answered()
    assert "Call-ID [red]id[/red][/oops]" in printed(file.write(tmp_path / "x.pcap"))


def heard(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def test_sound_keeps_its_place_in_time_and_both_parties_play_in_step(tmp_path: Path) -> None:
    file = CaptureFile()
    dialog = Dialog(file)
    dialog.answered()
    loud = LAWS["PCMU"].DECODE[0x10]
    file.speech(1.0, 2.0, CALLER_RTP, CALLEE_RTP, ssrc=1, payload=b"\x10" * 160)
    file.speech(2.5, 3.5, CALLER_RTP, CALLEE_RTP, ssrc=1, payload=b"\x10" * 160, first=75)  # packets were lost
    file.speech(5.0, 6.0, CALLER_RTP, CALLEE_RTP, ssrc=1, payload=b"\x10" * 160, first=125)  # timestamps stood still
    file.speech(3.0, 4.0, CALLEE_RTP, CALLER_RTP, ssrc=2, payload=b"\x10" * 160)
    dialog.ended(6.0)
    written = write_wavs(read(file.write(tmp_path / "x.pcap")), tmp_path / "out")
    assert [path.name for path in written.files] == ["call-1-caller.wav", "call-1-callee.wav"]
    caller, callee = map(heard, written.files)
    expected = np.zeros(40_000, np.int16)
    for start, end in ((0, 8000), (12_000, 20_000), (32_000, 40_000)):
        expected[start:end] = loud
    assert np.array_equal(caller, expected)
    assert np.array_equal(callee, np.concatenate([np.zeros(16_000, np.int16), np.full(8000, loud)]))


def test_packets_out_of_order_and_in_both_laws_are_put_in_place(tmp_path: Path) -> None:
    file = CaptureFile()
    for when, sequence, payload_type in (
        (0.0, 0, 0),
        (0.02, 2, 0),
        (0.03, 1, 8),
        (0.06, 3, 0),
        (0.08, 4, 0),
        (0.1, 5, 0),
    ):
        payload = bytes([sequence * 10 + 5]) * 160
        file.udp(when, CALLER_RTP, CALLEE_RTP, rtp(sequence, sequence * 160, 1, payload, payload_type))
    written = write_wavs(read(file.write(tmp_path / "x.pcap")), tmp_path)
    pcmu, pcma = LAWS["PCMU"].DECODE, LAWS["PCMA"].DECODE
    values = [pcmu[5], pcma[15], pcmu[25], pcmu[35], pcmu[45], pcmu[55]]
    assert np.array_equal(heard(written.files[0]), np.repeat(np.array(values), 160))
    assert written.files[0].name == "rtp-1.wav"


def test_codecs_that_we_cannot_decode_are_named(tmp_path: Path) -> None:
    file = CaptureFile()
    dialog = Dialog(file)
    dialog.answered(sdp(CALLER_RTP, protocol="RTP/SAVP"), sdp(CALLEE_RTP, protocol="RTP/SAVP"))
    file.speech(1.0, 2.0, CALLER_RTP, CALLEE_RTP)
    file.speech(1.0, 2.0, ("192.0.2.50", 1000), ("192.0.2.51", 1000), payload_type=18, payload=bytes(20))
    written = write_wavs(read(file.write(tmp_path / "x.pcap")), tmp_path)
    assert written.files == ()
    assert written.not_decodable == ("G729", "SRTP")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WavError, match="file"):
        write_wavs(read(FIRST_CALL), tmp_path / "file")


def test_the_command_prints_and_its_exit_code_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inspect(Question(FIRST_CALL)) == 0
    assert "answered, 200" in capsys.readouterr().out
    assert inspect(Question(bad_call(tmp_path))) == 1
    assert "one_way_audio" in capsys.readouterr().out
    assert inspect(Question(tmp_path / "gone")) == 2
    assert "cannot be read: No such file" in capsys.readouterr().err


def test_the_command_prints_json_alone_and_writes_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inspect(Question(FIRST_CALL, json=True, wav=tmp_path)) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["calls"][0]["call_id"] == "first-call-1@127.0.0.1"
    assert "call-1-caller.wav" in output.err
    assert len(heard(tmp_path / "call-1-caller.wav")) == pytest.approx(7.08 * 8000, abs=200)


def test_one_call_is_chosen_by_its_number_or_its_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = CaptureFile()
    for index in (1, 2):
        Dialog(file, f"id-{index}").answered()
    path = file.write(tmp_path / "x.pcap")
    for wanted in ("2", "d-2"):
        inspect(Question(path, json=True, call=wanted))
        assert [call["call_id"] for call in json.loads(capsys.readouterr().out)["calls"]] == ["id-2"]
    assert inspect(Question(path, call="nothing")) == 2
    assert "holds no call 'nothing'; it holds 2" in capsys.readouterr().err
