"""Ladders of captured calls."""

from pathlib import Path

from sipgw.tools.capture.model import CallTrace, Problem
from sipgw.tools.capture.reading import read
from sipgw.tools.ladder.of_capture import ladder_of
from tests.fakes.captured import Capture, call, message, sdp

FIRST_CALL = Path(__file__).parents[3] / "pcaps" / "first-call.pcap"


def traced(capture: Capture, folder: Path) -> CallTrace:
    return read(capture.write(folder / "x.pcap")).calls[0]


def test_the_first_call_has_messages_speech_and_keys_both_ways_in_two_columns() -> None:
    ladder = ladder_of(read(FIRST_CALL).calls[0])
    assert ladder.parties == ("127.0.0.1:5571", "127.0.0.1:5570")
    said = [step.label for step in sorted(ladder.steps, key=lambda step: step.when) if step.source == ladder.parties[0]]
    assert said == ["INVITE", "ACK", "236 packets PCMA", "key 5, 280 ms", "10 packets TELEPHONE-EVENT", "BYE"]
    [speech] = [step for step in ladder.steps if step.label == "236 packets PCMA" and step.source == ladder.parties[0]]
    assert speech.until is not None
    assert round(speech.until - speech.when, 2) == 7.05
    assert "SSRC" in speech.detail
    assert ("keys", "5") in ladder.facts


def test_parties_of_different_hosts_are_named_by_host_and_own_their_media(tmp_path: Path) -> None:
    ladder = ladder_of(traced(call(), tmp_path))
    assert ladder.parties == ("192.0.2.7", "192.0.2.9")
    assert {step.source for step in ladder.steps if step.media} == {"192.0.2.7"}


def test_a_message_comes_whole_and_a_repeated_one_is_marked(tmp_path: Path) -> None:
    invite = message("INVITE sip:echo@192.0.2.9 SIP/2.0", cseq="1 INVITE", body=sdp())
    steps = ladder_of(traced(Capture().sent(0.0, invite).sent(0.5, invite), tmp_path)).steps
    assert [step.label for step in steps if not step.problem] == ["INVITE", "INVITE, again"]
    assert steps[0].detail == invite.decode().replace("\r\n", "\n")


def test_problems_stand_where_they_happened(tmp_path: Path) -> None:
    trace = traced(call(), tmp_path)
    noted = CallTrace(
        trace.call_id, trace.messages, problems=(Problem("loss", trace.first + 1.5, "Packets were lost."),)
    )
    [step] = [step for step in ladder_of(noted).steps if step.problem]
    assert (round(step.when, 3), step.label) == (1.5, "▲ loss: Packets were lost.")
