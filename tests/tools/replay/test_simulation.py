"""Whole calls replayed against the real cores in simulated time."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sipgw.options import BackendOptions, CallOptions, MediaOptions, RouteOptions, SipOptions
from sipgw.tools.replay.casting import Datagrams, part_of
from sipgw.tools.replay.outcome import CallOutcome, Outcome
from sipgw.tools.replay.simulation import Gateway, Simulation
from sipgw_codecs.registry import LAWS
from tests.fakes.captured import BEGAN, Capture, call, message, sdp

ECHO = BackendOptions("echo", "echo", barge_in="off", live=True)
DEMO = BackendOptions("demo", "demo")
FAR = BackendOptions("far", "sipgw", "ws://192.0.2.80/")
PROMPTS = {"apology": b"\1\0" * 24_000, "greeting": b"\2\0" * 48_000}


def gateway(*targets: str, **more: object) -> Gateway:
    route = replace(RouteOptions("*", targets or ("echo",), anyone=True), **more)  # type: ignore[arg-type]
    calls = CallOptions(routes=(route,), backends=(ECHO, DEMO, FAR))
    return Gateway(SipOptions(), MediaOptions(), calls, PROMPTS)


def replayed(capture: Capture, against: Gateway | None = None) -> tuple[CallOutcome, Outcome]:
    part = part_of(capture.messages(), Datagrams(capture.datagrams, BEGAN), BEGAN)
    assert part is not None
    outcome = Simulation(against or gateway(), [part], BEGAN).run()
    assert not [note for note in outcome.notes if note.name == "defect"]
    return outcome.calls[0], outcome


def ladder(one: CallOutcome) -> list[str]:
    return [f"{message.when:.2f} {message}" for message in one.messages]


def loud() -> bytes:
    """20 ms of a tone in PCMU."""
    samples = (8000 * np.sin(2 * np.pi * 500 * np.arange(160) / 8000)).astype(np.int16)
    return LAWS["PCMU"].encode(samples).tobytes()


def test_a_call_keeps_its_length_though_we_answer_sooner() -> None:
    one, outcome = replayed(call(ringing=1.0, seconds=2.0, payload=loud()))
    assert ladder(one) == [
        "0.00 caller: INVITE",
        "0.00 gateway: 100 Trying (INVITE)",
        "0.00 gateway: 180 Ringing (INVITE)",
        "0.00 gateway: 200 OK (INVITE)",
        "0.01 caller: ACK",
        "2.00 caller: BYE",
        "2.00 gateway: 200 OK (BYE)",
    ]
    assert one.record is not None
    assert (one.record.cause, one.record.hung_up_by) == ("normal", "caller")
    assert one.record.stats is not None
    assert one.record.stats.received_packets == 98
    assert outcome.drops == {}


def test_what_was_said_is_heard_by_the_ai_and_by_the_caller_again() -> None:
    one, _ = replayed(call(seconds=2.0, payload=loud()))
    assert 1.8 < one.ai_heard.seconds <= 2.0
    assert max(one.ai_heard.levels_dbfs[5:15]) == min(one.ai_heard.levels_dbfs[5:15]) == -15
    assert one.ai_heard.likeness(one.caller_heard) > 0.8


def test_two_runs_are_equal_to_the_last_note_and_sample() -> None:
    (one, first), (two, second) = (replayed(call(payload=loud()), gateway("demo")) for _ in range(2))
    assert first.notes == second.notes
    assert [(m.when, m.data) for m in one.messages] == [(m.when, m.data) for m in two.messages]
    assert (one.events, one.record, one.keys) == (two.events, two.record, two.keys)
    assert np.array_equal(one.caller_pcm, two.caller_pcm)


def test_a_cancel_that_comes_after_our_answer_hangs_up() -> None:
    made = Capture().sent(0.0, message("INVITE sip:echo@192.0.2.9 SIP/2.0", cseq="1 INVITE", body=sdp()))
    made.got(0.1, message("SIP/2.0 180 Ringing", cseq="1 INVITE", tag="b"))
    made.sent(3.0, message("CANCEL sip:echo@192.0.2.9 SIP/2.0", cseq="1 CANCEL"))
    one, _ = replayed(made)
    assert ladder(one)[-2:] == ["3.00 caller: BYE", "3.00 gateway: 200 OK (BYE)"]


def test_a_cancel_in_the_moment_of_our_answer_acknowledges_before_it_hangs_up() -> None:
    made = Capture().sent(0.0, message("INVITE sip:echo@192.0.2.9 SIP/2.0", cseq="1 INVITE", body=sdp()))
    made.sent(0.0, message("CANCEL sip:echo@192.0.2.9 SIP/2.0", cseq="1 CANCEL"))
    one, _ = replayed(made)
    assert ladder(one)[-3:] == ["0.00 caller: ACK", "0.00 caller: BYE", "0.00 gateway: 200 OK (BYE)"]


def test_where_the_far_end_hung_up_the_caller_does_it_in_its_place() -> None:
    made = call(seconds=1.0)
    del made.datagrams[-2:]
    made.got(1.9, message("BYE sip:ann@192.0.2.7 SIP/2.0", cseq="5 BYE", tag="b", swapped=True))
    one, _ = replayed(made)
    assert ladder(one)[-2:] == ["0.90 caller: BYE", "0.90 gateway: 200 OK (BYE)"]


def test_a_phone_that_never_acknowledged_does_not_now() -> None:
    made = Capture().sent(0.0, message("INVITE sip:echo@192.0.2.9 SIP/2.0", cseq="1 INVITE", body=sdp()))
    made.got(0.5, message("SIP/2.0 200 OK", cseq="1 INVITE", tag="b"))
    one, _ = replayed(made, replace(gateway(), media=MediaOptions(first_packet_timeout=60.0)))
    assert one.record is not None
    assert one.record.cause == "no_ack"
    assert ladder(one)[-2:] == ["32.00 gateway: BYE", "32.00 caller: 200 OK (BYE)"]
    assert one.left_out["never_acknowledged"] == 11


def test_a_capture_that_breaks_off_ends_as_media_that_stays_away() -> None:
    made = call(seconds=1.0)
    del made.datagrams[-2:]
    one, outcome = replayed(made)
    assert one.record is not None
    assert (one.record.cause, one.record.hung_up_by) == ("media_timeout", "gateway")
    assert 30 < outcome.seconds < 33


def test_a_call_whose_end_was_not_captured_and_that_would_last_is_hung_up() -> None:
    made = call(seconds=1.0)
    del made.datagrams[-2:]
    made.datagrams = [one._replace(payload=one.payload.replace(b"sendrecv", b"recvonly")) for one in made.datagrams]
    one, outcome = replayed(made)
    assert one.record is not None
    assert one.record.cause == "normal"
    assert one.left_out == {"no_end_captured": 1}
    assert 61 < outcome.seconds < 63


def test_two_calls_under_one_call_id_do_not_mix() -> None:
    made = call(seconds=1.0)
    again = message("INVITE sip:echo@192.0.2.9 SIP/2.0", cseq="2 INVITE", branch="z9hG4bKagain", body=sdp())
    made.datagrams[1:1] = Capture().sent(0.1, again).datagrams
    one, _ = replayed(made)
    assert one.left_out == {"another_invite": 1}
    assert [str(message) for message in one.messages].count("caller: INVITE") == 1


def test_a_refused_call_is_acknowledged_and_what_came_later_is_left_out() -> None:
    one, _ = replayed(call(), replace(gateway(), calls=CallOptions()))
    assert [line.split(": ")[1] for line in ladder(one)][-2:] == ["404 Not Found (INVITE)", "ACK"]
    assert one.record is not None
    assert one.record.cause == "not_found"
    assert one.ai_heard.seconds == 0


def test_a_backend_that_needs_the_network_fails_and_the_caller_hears_so() -> None:
    one, outcome = replayed(call(seconds=3.0), gateway("far"))
    assert one.record is not None
    assert [(each.target, each.failure) for each in one.record.targets] == [("far", "offline")]
    assert any("far needs the network" in warning for warning in outcome.warnings)
    assert one.caller_heard.seconds > 0.9


def test_keys_reach_the_ai_once_each() -> None:
    made = call(seconds=1.0)
    for number, (duration, end) in enumerate([(160, 0), (320, 0), (480, 0x80), (480, 0x80), (480, 0x80)]):
        payload = bytes((5, end | 10)) + duration.to_bytes(2, "big")
        data = b"\x80\x65" + (900 + number).to_bytes(2, "big") + (9000).to_bytes(4, "big") + (7).to_bytes(4, "big")
        made.sent(1.5 + number * 0.02, data + payload, ("192.0.2.7", 40_000))
    one, _ = replayed(made)
    assert one.digits == "5"
    assert [str(event) for event in one.events if event.name == "digit"] == ["to AI: digit 5"]


def test_a_reinvite_and_an_unknown_request_find_our_dialog() -> None:
    made = call(seconds=1.0)
    hold = sdp().replace(b"sendrecv", b"sendonly").replace(b"1 1 IN", b"1 2 IN")
    made.datagrams[-2:-2] = (
        Capture()
        .sent(1.5, message("INVITE sip:192.0.2.9 SIP/2.0", cseq="2 INVITE", tag="b", branch="z9hG4bKr", body=hold))
        .got(1.5, message("SIP/2.0 200 OK", cseq="2 INVITE", tag="b", branch="z9hG4bKr", body=sdp()))
        .sent(1.5, message("ACK sip:192.0.2.9 SIP/2.0", cseq="2 ACK", tag="b", branch="z9hG4bKs"))
        .sent(1.6, message("INFO sip:192.0.2.9 SIP/2.0", cseq="3 INFO", tag="b", branch="z9hG4bKi"))
        .datagrams
    )
    bye = made.datagrams[-2]
    made.datagrams[-2] = bye._replace(payload=bye.payload.replace(b"2 BYE", b"4 BYE"))
    said = [str(message) for message in replayed(made)[0].messages][5:]
    assert said == [
        "caller: INVITE",
        "gateway: 100 Trying (INVITE)",
        "gateway: 200 OK (INVITE)",
        "caller: ACK",
        "caller: INFO",
        "gateway: 200 OK (INFO)",
        "caller: BYE",
        "gateway: 200 OK (BYE)",
    ]


@pytest.mark.parametrize("spoil", [lambda data: data[: len(data) // 2], lambda data: data[::-1], lambda data: b""])
def test_media_of_any_bytes_does_no_harm(spoil: Callable[[bytes], bytes]) -> None:
    made = call(payload=loud())
    made.datagrams = [
        one if b"SIP/2.0" in one.payload else one._replace(payload=spoil(one.payload)) for one in made.datagrams
    ]
    one, _ = replayed(made)
    assert one.record is not None
    assert one.record.cause == "normal"
