"""One call's life, in simulated time: what the caller, the media plane and the backend get to see, and when."""

from collections.abc import Callable

import pytest

from sipgw.ai import events as ai
from sipgw.ai.carried import Carried, UserData
from sipgw.call import effects as do
from sipgw.call.cdr import Attempt
from sipgw.call.commands import HangUpCall
from sipgw.call.deeds import APOLOGY_LIMIT, DEEDS, ENDING_LIMIT
from sipgw.call.states import TABLE, Seen, State
from sipgw.media import plane
from sipgw.options import CallOptions
from sipgw.sip import events as sip
from tests.fakes.control import AI, EPOCH, SPARE, STATS, Control, Fake, commands, only, route, sdp, told


def kinds(effects: list[do.Effect]) -> list[str]:
    """Names of effects, media commands by their own."""
    return [type(effect.command if isinstance(effect, do.Media) else effect).__name__ for effect in effects]


def test_a_call_from_the_invite_to_the_bye() -> None:
    control = Control()
    # The caller rings while the first target gets ready.
    phone = control.invite()
    began = ["StartTimer", "OpenPorts", "CreateSession", "ConnectBackend", "StartTimer", "Ring"]
    assert kinds(control.effects) == began
    connect = only(plane.ConnectBackend, control.commands())
    assert (connect.backend, connect.attempt) == (AI, 1)
    # It is ready: 200, and RTP leaves.
    control.advance(0.2)
    answered = ["CancelTimer", "Answer", "StartSession", "StartTimer", "CancelTimer", "StartTimer", "Log"]
    assert kinds(phone.ready()) == answered
    # The conversation opens with the first packet after the ACK.
    control.advance(0.1)
    assert kinds(phone.ack()) == ["CancelTimer", "StartTimer"]
    control.advance(0.1)
    assert kinds(phone.packet()) == ["CancelTimer", "Tell"]
    assert told(control.effects) == [ai.Open()]
    # The caller hangs up.
    control.advance(10.0)
    assert kinds(phone.bye()) == ["CancelTimer", "Tell", "DestroySession", "StartTimer"]
    assert told(control.effects)[-1] == ai.Close("normal")
    control.advance(0.01)
    assert kinds(phone.session_ended()) == ["ReleasePorts", "CancelTimer", "Record", "Log"]
    control.settled()
    record = control.record
    assert (record.cause, record.status, record.q850, record.hung_up_by) == ("normal", 200, 16, "caller")
    assert (record.started, record.ringing, record.answered) == (EPOCH, EPOCH, EPOCH + 0.2)
    assert record.ended == pytest.approx(EPOCH + 10.4)
    assert (record.node, record.caller, record.caller_name, record.called) == ("n1", "alice", "Ann", "100")
    assert (record.route, record.trunk, record.source) == ("*", "", "192.0.2.7")
    assert record.post_dial_seconds == 0.0
    assert record.seconds == pytest.approx(10.2)
    assert record.stats == STATS
    assert control.drops() == []


def test_what_the_backend_may_know_of_the_call() -> None:
    control = Control()
    control.invite(
        to="sip:%2B4930123@gw.example;user=phone",
        headers=[("X-Account", "7"), ("Subject", "no"), ("User-to-User", "aa;encoding=hex"), ("x-account", "8")],
    )
    assert only(plane.ConnectBackend, control.commands()).facts == ai.CallFacts(
        call="n1-0001",
        caller="alice",
        called="+4930123",
        caller_name="Ann",
        headers={"X-Account": "7", "User-to-User": "aa;encoding=hex", "x-account": "8"},
        sip_call_id="abc@phone",
        codec="PCMU",
        started="2023-11-14T22:13:20.000+00:00",
        carried=Carried(
            from_="sip:alice@phone.example",
            to="sip:%2B4930123@gw.example;user=phone",
            user_to_user=(UserData("aa", "hex", "", ""),),
        ),
    )


def test_the_answer_describes_our_ports() -> None:
    control = Control()
    phone = control.invite(sdp(formats="8 101"))
    stream = only(plane.CreateSession, control.commands()).stream
    assert (stream.codec, stream.remote, stream.send_type) == ("PCMA", ("192.0.2.7", 40_000), 8)
    body = only(do.Answer, phone.ready()).body
    assert b"m=audio 20002 RTP/AVP 8 101\r\n" in body
    assert b"c=IN IP4 127.0.0.1\r\n" in body


def test_one_log_line_at_the_answer_and_one_at_the_end() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.bye()
    phone.session_ended()
    first, last = control.logs
    assert (first.message, first.fields["call"], first.fields["codec"]) == ("call answered", "n1-0001", "PCMU")
    assert first.fields["target"] == "ai"
    assert (last.message, last.fields["call"], last.fields["cause"]) == ("call ended", "n1-0001", "normal")
    assert (last.fields["sent_packets"], last.fields["received_packets"], last.fields["lost_packets"]) == (100, 99, 1)
    assert (last.fields["first_audio_ms"], last.fields["hung_up_by"], last.fields["digits"]) == (240, "caller", 0)


def test_the_record_and_the_last_line_say_why_the_far_end_hung_up() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.bye(headers=[("Reason", 'Q.850;cause=27;text="out of order"')])
    phone.over()
    record = control.record
    assert (record.cause, record.far_status, record.far_q850, record.far_text) == ("normal", None, 27, "out of order")
    fields = control.logs[-1].fields
    assert (fields["far_status"], fields["far_q850"], fields["far_text"]) == (None, 27, "out of order")


def test_the_record_says_that_another_phone_answered() -> None:
    control = Control()
    control.invite().cancel(headers=[("Reason", "SIP;cause=200")])
    control.advance(ENDING_LIMIT)
    assert (control.record.cause, control.record.far_status) == ("cancelled", 200)


def test_what_a_bye_that_crosses_ours_says_is_kept_too() -> None:
    control = Control()
    phone = control.invite().talks()
    control.command(HangUpCall("n1-0001"))
    phone.bye(headers=[("Reason", "Q.850;cause=16")])
    phone.over()
    assert (control.record.hung_up_by, control.record.far_q850) == ("operator", 16)


# --- when the conversation opens ----------------------------------------------------------------------------------


def test_without_a_packet_the_conversation_opens_300_ms_after_the_ack() -> None:
    control = Control()
    phone = control.invite()
    phone.ready()
    control.advance(5.0)
    phone.ack()
    assert told(control.advance(0.29)) == []
    assert told(control.advance(0.02)) == [ai.Open()]
    # A packet that comes later changes nothing.
    assert phone.packet() == []


def updates(control: Control) -> list[plane.Stream]:
    """What the session was told to be, one after the other."""
    return [one.stream for one in control.commands() if isinstance(one, plane.UpdateSession)]


def test_an_invite_alone_gets_four_seconds_of_rtp_and_the_rest_from_the_ack_on() -> None:
    # Its address, and the one in its description, may be those of somebody who never called.
    control = Control()
    phone = control.invite()
    phone.ready()
    stream = only(plane.CreateSession, control.commands()).stream
    control.advance(3.9)
    assert updates(control) == []
    control.advance(0.2)
    assert updates(control) == [stream.hushed()]
    phone.ack()
    assert updates(control) == [stream.hushed(), stream]
    assert control.drops() == ["unconfirmed"]
    phone.packet()
    phone.bye()
    phone.over()


def test_who_sends_before_the_ack_is_sent_to_however_late_that_is() -> None:
    control = Control()
    phone = control.invite()
    phone.ready()
    phone.packet()
    control.advance(20.0)
    assert updates(control) == []


def test_a_packet_after_four_seconds_is_an_answer_too() -> None:
    control = Control()
    phone = control.invite()
    phone.ready()
    control.advance(5.0)
    phone.packet()
    assert [stream.sending for stream in updates(control)] == [False, True]


def test_a_packet_before_the_ack_opens_with_the_ack() -> None:
    control = Control()
    phone = control.invite()
    phone.ready()
    assert told(phone.packet()) == []
    assert told(phone.ack()) == [ai.Open()]


def test_a_route_may_want_no_ringing() -> None:
    control = Control(CallOptions(routes=(route("ai", ring=False),)))
    phone = control.invite()
    assert "Ring" not in kinds(control.effects)
    phone.cancel()
    phone.over()
    assert control.record.ringing is None


# --- offers that cannot be served ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "cause"),
    [
        (b"nonsense", 400, "bad_request"),
        (sdp(formats="18"), 488, "no_common_codec"),
        (sdp().replace(b"RTP/AVP", b"RTP/SAVP"), 488, "no_common_codec"),
        (sdp(port=0), 488, "no_common_codec"),
    ],
)
def test_an_offer_we_cannot_serve_is_refused_before_anything_is_opened(body: bytes, status: int, cause: str) -> None:
    control = Control()
    control.invite(body)
    assert kinds(control.effects) == ["Refuse", "StartTimer", "CancelTimer", "Record", "Log"]
    refusal = only(do.Refuse, control.effects)
    assert refusal.status == status
    assert ("Warning" in dict(refusal.headers)) == (status == 488)
    assert control.record.cause == cause
    control.settled()


def test_a_body_that_is_no_sdp_is_refused_with_what_we_take() -> None:
    control = Control()
    control.invite(b"<xml/>", kind="text/xml")
    refusal = only(do.Refuse, control.effects)
    assert refusal.status == 415
    assert dict(refusal.headers)["Accept"] == "application/sdp"


def test_without_ports_the_caller_is_told_to_try_later() -> None:
    control = Control(ports=0)
    control.invite()
    refusal = only(do.Refuse, control.effects)
    assert refusal.status == 503
    assert dict(refusal.headers)["Retry-After"] == "30"
    assert dict(refusal.headers)["Reason"] == 'Q.850;cause=47;text="no_ports"'
    assert (control.record.cause, control.record.reason) == ("no_ports", "no RTP ports left")
    control.settled()


# --- the offerless INVITE -----------------------------------------------------------------------------------------


def test_without_an_offer_we_offer_and_the_ack_answers() -> None:
    control = Control()
    phone = control.invite(b"")
    nowhere = only(plane.CreateSession, control.commands()).stream
    assert (nowhere.sending, nowhere.receiving) == (False, False)
    effects = phone.ready()
    assert b"m=audio 20002 RTP/AVP 111 9 0 8 101 102\r\n" in only(do.Answer, effects).body
    # Nobody knows yet where RTP goes.
    assert "StartSession" not in kinds(effects)
    effects = phone.ack(sdp(formats="8 101"))
    assert kinds(effects)[:2] == ["UpdateSession", "StartSession"]
    assert only(plane.UpdateSession, commands(effects)).stream.codec == "PCMA"
    assert told(phone.packet()) == [ai.Open()]
    phone.bye()
    phone.over()
    assert control.record.codec == "PCMA"


@pytest.mark.parametrize(("body", "cause"), [(b"", "bad_request"), (sdp(formats="18"), "no_common_codec")])
def test_an_ack_without_a_usable_answer_ends_the_call(body: bytes, cause: str) -> None:
    control = Control()
    phone = control.invite(b"")
    phone.ready()
    assert kinds(phone.ack(body))[:1] == ["HangUp"]
    phone.over()
    assert (control.record.cause, control.record.status) == (cause, 200)


# --- targets ------------------------------------------------------------------------------------------------------


def test_a_target_that_fails_before_the_answer_is_followed_by_the_next() -> None:
    control = Control()
    phone = control.invite()
    control.advance(0.1)
    effects = phone.fails("connect_refused")
    connect = only(plane.ConnectBackend, commands(effects))
    assert (connect.backend, connect.attempt) == (SPARE, 2)
    only(do.Answer, phone.ready(2))
    phone.bye()
    phone.over()
    start = EPOCH + 0.1
    assert control.record.targets == (
        Attempt("ai", EPOCH, "sipgw", ended=start, failure="connect_refused", number=1),
        Attempt("spare", start, "sipgw", ready=start, ended=start, number=2),
    )
    assert control.record.target == "spare"


def test_a_backend_is_connected_with_the_time_its_last_words_may_take() -> None:
    control = Control(CallOptions(routes=(route("ai"),), backends=(AI,), farewell_limit=3.5))
    control.invite()
    assert only(plane.ConnectBackend, control.commands()).farewell_limit == 3.5


def test_a_target_that_takes_too_long_is_followed_by_the_next() -> None:
    control = Control(CallOptions(routes=(route("ai", "spare", target_timeout=2.0),)))
    phone = control.invite()
    assert commands(control.advance(1.9)) == []
    assert only(plane.ConnectBackend, commands(control.advance(0.2))).attempt == 2
    phone.ready(2)
    phone.bye()
    phone.over()
    assert [one.failure for one in control.record.targets] == ["timeout", ""]


def test_reports_of_an_earlier_attempt_are_ignored_and_traced() -> None:
    control = Control()
    phone = control.invite()
    phone.fails()
    assert phone.ready(1) == []
    assert phone.fails(attempt=1) == []
    assert control.drops() == ["target_failed", "stale_report", "stale_report"]


def test_a_target_nobody_configured_is_passed_over() -> None:
    control = Control(CallOptions(routes=(route("nobody", "ai"),)))
    phone = control.invite()
    assert only(plane.ConnectBackend, control.commands()).backend == AI
    phone.cancel()
    phone.over()
    assert [one.failure for one in control.record.targets] == ["not_configured", ""]


def test_the_last_resort_is_an_apology_that_the_caller_hears() -> None:
    control = Control()
    phone = control.invite()
    phone.fails()
    answered = ["CancelTimer", "Answer", "StartSession", "StartTimer", "CancelTimer", "StartTimer", "Log"]
    assert kinds(phone.fails(attempt=2)) == answered
    phone.ack()
    assert only(plane.Play, commands(phone.packet())).prompt == "apology"
    assert told(control.effects) == []
    bye = only(do.HangUp, phone.played())
    assert dict(bye.headers[:1]) == {"Reason": 'Q.850;cause=38;text="backend_failed"'}
    assert bye.headers[1] == ("Reason", 'SIP;cause=503;text="backend_failed"')
    phone.over()
    assert (control.record.cause, control.record.hung_up_by) == ("backend_failed", "gateway")


def test_the_last_resort_may_be_a_sip_code() -> None:
    control = Control(CallOptions(routes=(route("ai", last_resort="480"),)))
    phone = control.invite()
    refusal = only(do.Refuse, phone.fails())
    assert refusal.status == 480
    phone.over()
    assert (control.record.cause, control.record.status) == ("backend_failed", 480)


def test_an_apology_whose_end_nobody_tells_is_over_in_time() -> None:
    control = Control(CallOptions(routes=(route("ai"),)))
    phone = control.invite()
    phone.fails()
    phone.ack()
    phone.packet()
    assert "HangUp" not in kinds(control.advance(APOLOGY_LIMIT - 0.1))
    assert "HangUp" in kinds(control.advance(0.2))


def test_a_backend_that_fails_in_the_call_is_followed_by_the_next() -> None:
    control = Control()
    phone = control.invite().talks()
    effects = phone.fails("lost")
    assert only(plane.ConnectBackend, commands(effects)).backend == SPARE
    # The caller hears already: the next conversation opens as soon as it is ready.
    assert told(phone.ready(2)) == [ai.Open()]
    phone.bye()
    phone.over()
    assert control.record.targets == (
        Attempt("ai", EPOCH, "sipgw", ready=EPOCH, ended=EPOCH, failure="lost", number=1),
        Attempt("spare", EPOCH, "sipgw", ready=EPOCH, ended=EPOCH, number=2),
    )
    assert control.drops() == ["target_failed"]


def test_a_backend_that_fails_between_answer_and_ack_is_replaced_before_the_caller_notices() -> None:
    control = Control()
    phone = control.invite()
    phone.ready()
    phone.fails()
    # The ACK comes while the next gets ready, and so does the first packet.
    phone.ack()
    phone.packet()
    assert told(control.effects) == []
    assert told(phone.ready(2)) == [ai.Open()]
    assert control.states()[-4:] == ["switching", "answered", "confirmed", "talking"]


def test_the_wait_for_the_first_packet_goes_on_while_a_backend_is_replaced() -> None:
    control = Control()
    phone = control.invite()
    phone.ready()
    phone.ack()
    phone.fails()
    control.advance(0.2)
    phone.ready(2)
    assert told(control.advance(0.09)) == []
    assert told(control.advance(0.02)) == [ai.Open()]


def test_a_backend_that_replaces_another_does_not_wait_for_packets_that_never_came() -> None:
    control = Control()
    phone = control.invite()
    phone.ready()
    phone.ack()
    control.advance(0.4)
    phone.fails()
    assert told(phone.ready(2)) == [ai.Open()]


def test_the_wait_for_the_first_packet_may_end_while_a_backend_is_replaced() -> None:
    control = Control()
    phone = control.invite()
    phone.ready()
    phone.fails()
    phone.ack()
    control.advance(0.4)
    assert told(phone.ready(2)) == [ai.Open()]


def test_a_packet_before_the_answer_counts() -> None:
    control = Control()
    phone = control.invite()
    phone.packet()
    phone.ready()
    assert told(phone.ack()) == [ai.Open()]


def test_when_every_backend_has_failed_in_the_call_the_caller_hears_an_apology() -> None:
    control = Control(CallOptions(routes=(route("ai", "spare", last_resort="503"),)))
    phone = control.invite().talks()
    phone.fails()
    # The second one never gets ready.
    effects = control.advance(5.1)
    assert kinds(effects) == ["Tell", "Play", "StartTimer"]
    assert told(effects) == [ai.Close("backend_failed")]
    assert "HangUp" in kinds(phone.played(complete=False))
    phone.over()
    assert control.record.cause == "backend_failed"


# --- what backends want -------------------------------------------------------------------------------------------


def test_a_backend_that_wants_to_hang_up_gets_its_bye() -> None:
    control = Control()
    phone = control.invite().talks()
    bye = only(do.HangUp, phone.report(ai.WantsHangUp("", "all said")))
    assert bye.headers == (("Reason", 'Q.850;cause=16;text="normal"'),)
    phone.over()
    record = control.record
    assert (record.cause, record.hung_up_by, record.reason) == ("normal", "backend", "all said")


def test_a_backend_that_wants_to_hang_up_before_the_answer_declines_the_call() -> None:
    control = Control()
    phone = control.invite()
    assert only(do.Refuse, phone.report(ai.WantsHangUp("", "closed today"))).status == 603
    phone.over()
    assert (control.record.cause, control.record.hung_up_by) == ("rejected", "backend")


def test_a_transfer_is_answered_not_configured() -> None:
    control = Control()
    phone = control.invite().talks()
    assert told(phone.report(ai.TransferWish("sip:desk@pbx", id="c1"))) == [
        ai.ToolResult("c1", '{"error": "transfer is not configured"}', failed=True)
    ]
    assert phone.report(ai.TransferWish("sip:desk@pbx")) == []
    assert control.drops() == ["transfer_is_not_configured"] * 2


def test_a_tool_nobody_has_is_answered() -> None:
    control = Control()
    phone = control.invite().talks()
    assert told(phone.report(ai.ToolCall("c2", "weather"))) == [
        ai.ToolResult("c2", '{"error": "unknown tool"}', failed=True)
    ]


def test_turns_and_keys_are_in_the_record() -> None:
    control = Control()
    phone = control.invite().talks()
    for latency_ms in (700, 900):
        assert phone.report(ai.Turn(latency_ms)) == []
    assert phone.report(ai.Transcript("caller", "hello")) == []
    for digit in "42":
        assert phone.media(plane.Digit(phone.session, digit, 80)) == []
    phone.bye()
    phone.over()
    assert control.record.turns_ms == (700, 900)
    assert control.record.digits == 2
    assert control.drops() == []


def test_a_key_in_signalling_counts_where_none_can_come_in_rtp() -> None:
    control = Control()
    phone = control.invite(sdp(formats="0")).talks()
    effects = control.carry(control.calls.on_sip(sip.KeyPressed(phone.leg, "5", 160), control.now))
    assert commands(effects) == [plane.NoteDigit(phone.session, "5", 160)]
    # The media plane tells of it as of any other, and so it is counted once.
    phone.media(plane.Digit(phone.session, "5", 160))
    phone.bye()
    phone.over()
    assert control.record.digits == 1


def test_a_key_in_signalling_does_not_count_where_it_comes_in_rtp_as_well() -> None:
    control = Control()
    phone = control.invite(sdp(formats="0 101")).talks()
    assert control.carry(control.calls.on_sip(sip.KeyPressed(phone.leg, "5", 160), control.now)) == []
    assert control.drops() == ["key_in_signalling"]


# --- re-INVITE ----------------------------------------------------------------------------------------------------


def version(body: bytes) -> bytes:
    """The version in an SDP's o= line."""
    return body.split(b"\r\n")[1].split()[2]


def test_a_reinvite_to_another_port_moves_the_stream() -> None:
    control = Control()
    phone = control.invite().talks()
    effects = phone.reinvite(sdp(port=41_000, version=2))
    assert kinds(effects) == ["Answer", "UpdateSession"]
    assert only(plane.UpdateSession, commands(effects)).stream.remote == ("192.0.2.7", 41_000)
    assert phone.ack() == []
    phone.bye()
    phone.over()


@pytest.mark.parametrize(
    ("offer", "answered", "sending"),
    [
        (sdp(way="sendonly"), b"a=recvonly", False),
        (sdp(way="inactive"), b"a=inactive", False),
        (sdp(address="0.0.0.0"), b"a=inactive", False),
    ],
)
def test_hold_and_resume_raise_our_version_each_time(offer: bytes, answered: bytes, sending: bool) -> None:
    control = Control()
    phone = control.invite()
    before = only(do.Answer, phone.ready()).body
    phone.ack()
    held = phone.reinvite(offer)
    assert answered in only(do.Answer, held).body
    assert only(plane.UpdateSession, commands(held)).stream.sending is sending
    phone.ack()
    resumed = phone.reinvite(sdp(version=3))
    assert only(plane.UpdateSession, commands(resumed)).stream.sending
    versions = [version(body) for body in (before, only(do.Answer, held).body, only(do.Answer, resumed).body)]
    assert versions == [b"1", b"2", b"3"]


def test_a_reinvite_that_changes_nothing_leaves_the_stream_alone() -> None:
    control = Control()
    phone = control.invite().talks()
    assert kinds(phone.reinvite(sdp())) == ["Answer"]


@pytest.mark.parametrize(("body", "status"), [(sdp(formats="18"), 488), (b"nonsense", 400)])
def test_a_reinvite_we_cannot_serve_leaves_the_call_as_it_was(body: bytes, status: int) -> None:
    control = Control()
    phone = control.invite().talks()
    effects = phone.reinvite(body)
    assert kinds(effects) == ["Refuse"]
    assert only(do.Refuse, effects).status == status
    assert control.states()[-1] == "talking"
    phone.bye()
    phone.over()


def test_a_reinvite_without_an_offer_is_offered_what_was_agreed() -> None:
    control = Control()
    phone = control.invite().talks()
    effects = phone.reinvite(b"")
    assert kinds(effects) == ["Answer"]
    assert version(only(do.Answer, effects).body) == b"2"
    assert only(plane.UpdateSession, commands(phone.ack(sdp(port=42_000)))).stream.remote[1] == 42_000


def test_an_unusable_answer_to_such_an_offer_leaves_the_call_as_it_was_but_its_version_is_used_up() -> None:
    control = Control()
    phone = control.invite().talks()
    offered = only(do.Answer, phone.reinvite(b"")).body
    assert phone.ack(b"") == []
    assert control.drops() == ["unusable_answer"]
    later = only(do.Answer, phone.reinvite(sdp(way="sendonly"))).body
    assert int(version(later)) > int(version(offered))


def test_a_reinvite_that_crosses_our_bye_gets_481() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.inactive()
    assert phone.reinvite(sdp(port=41_000)) == [do.Refuse("leg1", 481)]


# --- the end ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", range(4))
def test_a_caller_who_gives_up_leaves_nothing_behind(steps: int) -> None:
    control = Control()
    phone = control.invite()
    for step in (phone.ready, phone.ack, phone.packet)[:steps]:
        step()
    if steps:
        phone.bye()
    else:
        phone.cancel()
    assert [type(intent).__name__ for intent in told(control.effects)][-1] == "Close"
    assert control.destroyed[phone.session] == 1
    phone.over()
    assert not control.byes
    assert control.record.status == (200 if steps else 487)
    assert control.record.cause == ("normal" if steps else "cancelled")


def test_a_bye_before_the_answer_is_a_cancelled_call() -> None:
    control = Control()
    phone = control.invite()
    phone.bye()
    phone.over()
    assert (control.record.cause, control.record.status) == ("cancelled", 487)


def test_a_caller_who_gives_up_while_ports_are_opened_leaves_none_open() -> None:
    control = Control(ports=None)
    phone = control.invite()
    phone.cancel()
    assert control.records == []
    assert kinds(control.ports_opened(phone.session)) == ["ReleasePorts", "CancelTimer", "Record", "Log"]
    control.settled()


def test_ports_that_come_after_the_record_are_released_too() -> None:
    control = Control(ports=None)
    phone = control.invite()
    phone.cancel()
    control.advance(ENDING_LIMIT)
    assert control.record.cause == "cancelled"
    assert kinds(control.ports_opened(phone.session)) == ["ReleasePorts"]
    control.settled()


@pytest.mark.parametrize(("never", "reason"), [(True, "no_packet_ever"), (False, "no_more_packets")])
def test_silence_on_the_line_ends_the_call(never: bool, reason: str) -> None:
    control = Control()
    phone = control.invite().talks()
    bye = only(do.HangUp, phone.inactive(never=never))
    assert bye.headers[0] == ("Reason", 'Q.850;cause=102;text="media_timeout"')
    phone.over()
    assert (control.record.cause, control.record.reason) == ("media_timeout", reason)


def test_without_an_ack_the_call_ends() -> None:
    control = Control()
    phone = control.invite()
    phone.ready()
    control.advance(32.0)
    phone.lost("no_ack")
    phone.over()
    assert not control.byes
    assert (control.record.cause, control.record.hung_up_by) == ("no_ack", "gateway")


def test_a_leg_that_is_gone_ends_the_call() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.lost("gone")
    phone.over()
    assert (control.record.cause, control.record.reason) == ("signalling_lost", "gone")


def test_a_call_lasts_as_long_as_its_route_allows() -> None:
    control = Control(CallOptions(routes=(route("ai", max_duration=600.0),)))
    phone = control.invite().talks()
    assert control.advance(599.0) == []
    bye = only(do.HangUp, control.advance(1.1))
    assert bye.headers[0] == ("Reason", 'Q.850;cause=31;text="time_limit"')
    phone.over()


def test_a_session_that_cannot_be_made_refuses_the_call() -> None:
    control = Control()
    phone = control.invite()
    effects = phone.session_failed()
    assert only(do.Refuse, effects).status == 500
    assert "DestroySession" not in kinds(effects)
    control.settled()
    assert (control.record.cause, control.record.reason) == ("media_failed", "no_codec")


def test_a_session_that_breaks_ends_the_call() -> None:
    control = Control()
    phone = control.invite().talks()
    assert "HangUp" in kinds(phone.session_failed())
    assert control.released[phone.session] == 1
    phone.released()
    control.settled()


def test_the_record_does_not_wait_for_ever_for_the_last_counters() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.bye()
    assert control.advance(ENDING_LIMIT - 0.1) == []
    assert kinds(control.advance(0.2)) == ["ReleasePorts", "Record", "Log"]
    assert control.record.stats is None
    control.settled()


def test_byes_that_cross_end_the_call_once() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.inactive()
    phone.bye()
    phone.session_ended()
    control.settled()
    assert control.record.cause == "media_timeout"


STAGES: dict[str, list[Callable[[Fake], object]]] = {
    "answered": [Fake.ready],
    "confirmed": [Fake.ready, Fake.ack],
    "talking": [Fake.talks],
    "switching": [Fake.talks, Fake.fails],
    "apologising": [Fake.talks, Fake.fails, lambda phone: phone.fails(attempt=2)],
}
ENDS: dict[str, tuple[Callable[[Fake], object], str, str]] = {
    "bye": (Fake.bye, "normal", "caller"),
    "no ack": (Fake.lost, "no_ack", "gateway"),
    "leg lost": (lambda phone: phone.lost("gone"), "signalling_lost", "gateway"),
    "silence": (Fake.inactive, "media_timeout", "gateway"),
    "session failed": (Fake.session_failed, "media_failed", "gateway"),
    "session ended": (Fake.session_ended, "media_failed", "gateway"),
    "too long": (lambda phone: phone.control.advance(0.1), "time_limit", "gateway"),
    "shut down": (lambda phone: (phone.control.drain(), phone.control.advance(0.01)), "shutdown", "gateway"),
}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("stage", STAGES)
def test_whatever_ends_a_call_ends_it_at_any_stage(stage: str, how: str) -> None:
    control = Control(CallOptions(routes=(route("ai", "spare", max_duration=0.1),), drain_limit=0.01))
    phone = control.invite()
    for step in STAGES[stage]:
        step(phone)
    assert control.states()[-1] == stage
    end, cause, who = ENDS[how]
    end(phone)
    assert control.states()[-1] == "ending" or control.records
    phone.over()
    assert (control.record.cause, control.record.hung_up_by, control.record.status) == (cause, who, 200)
    assert bool(control.record.stats) == (how != "session failed")


@pytest.mark.parametrize("stage", STAGES)
def test_a_reinvite_is_answered_at_any_stage(stage: str) -> None:
    control = Control()
    phone = control.invite()
    for step in STAGES[stage]:
        step(phone)
    assert kinds(phone.reinvite(sdp(port=41_000))) == ["Answer", "UpdateSession"]
    phone.ack()
    phone.bye()
    phone.over()


# --- the table ----------------------------------------------------------------------------------------------------


def test_every_action_is_used_and_every_state_can_be_left() -> None:
    assert {name for _, names in TABLE.values() for name in names} == set(DEEDS)
    assert {state for state, _ in TABLE} == set(State) - {State.ENDED}
    assert {state for state, _ in TABLE.values()} == set(State) - {State.NEW}
    assert {seen for _, seen in TABLE} == set(Seen)
