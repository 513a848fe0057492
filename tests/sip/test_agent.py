"""The agent as the one who is called: ladders in simulated time."""

from dataclasses import replace

import pytest

from sipgw.errors import PeerError, UsageError
from sipgw.flow import Flow
from sipgw.options import ListenerOptions, SipOptions
from sipgw.sip.agent import Agent
from sipgw.sip.events import Cancelled, Confirmed, HungUp, Invited, Lost, Reinvited, Released
from sipgw.sip.inspection import ALLOW
from sipgw.trace import Mark
from tests.fakes.sip_phone import FLOW, OFFER, OURS, PHONE, Phone, Wire, answered, reply, tokens

SDP = b"v=0\r\n"


@pytest.fixture
def wire() -> Wire:
    return Wire()


def invited(wire: Wire, phone: Phone) -> str:
    """The leg of a call that just came in."""
    wire.gets(phone.invite())
    (event,) = wire.events()
    assert isinstance(event, Invited)
    return event.leg


def empty(wire: Wire) -> bool:
    """Whether nothing is left of any call."""
    core = wire.agent._core
    books = (core.legs, core.exchange._transactions, core.exchange._by_flow, core.exchange._merged)
    return not any(books) and wire.agent.next_timer() is None


# A call


def test_an_invite_is_told_and_100_is_on_its_way(wire: Wire) -> None:
    (trying,) = wire.gets(Phone().invite())
    assert trying.brief == "100"
    assert trying.flow == FLOW
    assert not trying.to_tag
    (event,) = wire.events()
    assert isinstance(event, Invited)
    assert event.flow == FLOW
    assert event.request.body == OFFER.encode()


def test_a_call_from_invite_to_bye(wire: Wire) -> None:
    phone = Phone()
    leg = invited(wire, phone)
    wire.agent.ring(leg, 0.1)
    (ringing,) = wire.take()
    assert ringing.brief == "180"
    assert ringing.to_tag == leg
    wire.agent.answer(leg, SDP, 1.0, headers=(("X-Call", "7"),))
    (ok,) = wire.take()
    assert (ok.brief, ok.to_tag, ok["Contact"], ok["Content-Type"]) == (
        "200",
        leg,
        "<sip:127.0.0.1:5060>",
        "application/sdp",
    )
    assert (ok["X-Call"], ok["Allow"], ok.body) == ("7", ALLOW, "v=0\r\n")
    phone = phone.within(ok)
    assert wire.gets(phone.ack("v=1\r\n")) == []
    (event,) = wire.events()
    assert isinstance(event, Confirmed)
    assert event.ack.body == b"v=1\r\n"
    (bye_ok,) = wire.gets(phone.bye())
    assert bye_ok.brief == "200"
    assert [type(event) for event in wire.events()] == [HungUp]
    wire.until(64.1)
    assert empty(wire)


def test_names_name_the_node() -> None:
    wire = Wire(SipOptions(node="east"))
    assert invited(wire, Phone()).startswith("east-")
    wire.agent.invite("sip:a@127.0.0.1", FLOW, SDP, 0.0, from_="<sip:b@127.0.0.1>")
    invite = wire.take()[-1]
    assert invite["Call-ID"].endswith("@east")


def test_the_advertised_host_is_in_contact_and_via() -> None:
    wire = Wire(SipOptions((ListenerOptions(advertised="198.51.100.7"),)))
    _, phone = answered(wire)
    wire.agent.hang_up(phone.to_tag, 0.0)
    (bye,) = wire.take()
    assert bye["Via"].startswith("SIP/2.0/UDP 198.51.100.7:5060;")
    assert wire.agent.dialog(phone.to_tag) is not None


def test_early_media_has_a_body(wire: Wire) -> None:
    leg = invited(wire, Phone())
    wire.agent.ring(leg, 0.0, 183, SDP)
    (progress,) = wire.take()
    assert (progress.brief, progress.body) == ("183", "v=0\r\n")


def test_a_repeated_invite_gets_the_last_response_again(wire: Wire) -> None:
    leg = invited(wire, Phone())
    assert [heard.brief for heard in wire.gets(Phone().invite())] == ["100"]
    wire.agent.ring(leg, 0.0)
    wire.take()
    assert [heard.brief for heard in wire.gets(Phone().invite())] == ["180"]
    wire.agent.answer(leg, SDP, 0.0)
    wire.take()
    assert wire.gets(Phone().invite()) == []
    assert wire.events() == []


def test_200_is_repeated_until_the_ack(wire: Wire) -> None:
    leg = invited(wire, Phone())
    wire.agent.answer(leg, SDP, 0.0)
    (ok,) = wire.take()
    assert wire.ladder(12.0) == [(0.5, "200"), (1.5, "200"), (3.5, "200"), (7.5, "200"), (11.5, "200")]
    wire.gets(Phone().within(ok).ack())
    assert wire.ladder(100.0) == []
    assert [type(event) for event in wire.events()] == [Confirmed]


def test_200_is_repeated_on_tcp_too(wire: Wire) -> None:
    flow = Flow("tcp", OURS, PHONE)
    wire.gets(Phone().invite(), flow)
    wire.agent.answer(wire.events()[0].leg, SDP, 0.0)
    wire.take()
    assert wire.ladder(2.0) == [(0.5, "200"), (1.5, "200")]


def test_without_an_ack_the_call_is_lost_and_a_bye_is_sent(wire: Wire) -> None:
    leg = invited(wire, Phone())
    wire.agent.answer(leg, SDP, 0.0)
    wire.take()
    assert {name for _, name in wire.ladder(31.9)} == {"200"}
    (bye,) = wire.until(32.0)
    assert (bye.brief, bye.when) == ("BYE", 32.0)
    assert wire.events() == [Lost(leg, "no_ack")]
    wire.gets(reply(bye, 200))
    wire.until(200.0)
    assert wire.events() == []
    assert empty(wire)


def test_a_repeated_ack_is_dropped(wire: Wire) -> None:
    _, phone = answered(wire)
    wire.gets(phone.ack())
    assert wire.events() == []
    assert wire.drops() == ["repeated_ack"]


def test_an_ack_with_the_branch_of_its_invite_counts(wire: Wire) -> None:
    leg = invited(wire, Phone())
    wire.agent.answer(leg, SDP, 0.0)
    wire.gets(Phone().within(wire.take()[0]).ack(branch=Phone().branch))
    assert [type(event) for event in wire.events()] == [Confirmed]


def test_an_ack_of_another_cseq_does_not_count(wire: Wire) -> None:
    leg = invited(wire, Phone())
    wire.agent.answer(leg, SDP, 0.0)
    wire.gets(replace(Phone(to_tag=leg), cseq=2).ack())
    assert wire.events() == []


def test_an_ack_nobody_waits_for_is_never_answered(wire: Wire) -> None:
    assert wire.gets(Phone(to_tag="nobody").ack()) == []
    assert wire.drops() == ["stray_ack"]


# Refusing and cancelling


def test_a_refusal_is_repeated_until_its_ack(wire: Wire) -> None:
    phone = Phone()
    leg = invited(wire, phone)
    wire.agent.refuse(leg, 486, 0.0, "Not Now", headers=(("Retry-After", "5"),))
    (busy,) = wire.take()
    assert busy.first == "SIP/2.0 486 Not Now"
    assert (busy["Retry-After"], busy.to_tag) == ("5", leg)
    assert wire.ladder(2.0) == [(0.5, "486"), (1.5, "486")]
    wire.gets(phone.within(busy).ack(branch=phone.branch))
    assert wire.ladder(100.0) == []
    assert wire.events() == []
    assert empty(wire)


def test_cancel_gets_200_and_the_invite_487(wire: Wire) -> None:
    phone = Phone()
    leg = invited(wire, phone)
    wire.agent.ring(leg, 0.0)
    wire.take()
    ok, terminated = wire.gets(phone.cancel())
    assert (ok.brief, ok["CSeq"], ok.to_tag) == ("200", "1 CANCEL", leg)
    assert (terminated.brief, terminated["CSeq"], terminated.to_tag) == ("487", "1 INVITE", leg)
    assert [type(event) for event in wire.events()] == [Cancelled]
    wire.gets(phone.within(terminated).ack(branch=phone.branch))
    wire.agent.answer(leg, SDP, 0.0)
    assert wire.take() == []
    assert wire.drops() == ["late_command"]
    wire.until(100.0)
    assert empty(wire)


def test_a_cancel_after_the_answer_changes_nothing(wire: Wire) -> None:
    phone = Phone()
    leg = invited(wire, phone)
    wire.agent.answer(leg, SDP, 0.0)
    wire.take()
    (ok,) = wire.gets(phone.cancel())
    assert (ok.brief, ok["CSeq"]) == ("200", "1 CANCEL")
    assert wire.events() == []
    assert wire.agent.dialog(leg) is not None


def test_a_cancel_of_nothing_gets_481(wire: Wire) -> None:
    assert [heard.brief for heard in wire.gets(Phone().cancel())] == ["481"]


# Hanging up


def test_our_bye_goes_to_the_contact_and_releases_the_leg(wire: Wire) -> None:
    leg, _ = answered(wire, Phone(contact="<sip:phone@127.0.0.1:5099;x=y>"))
    wire.agent.hang_up(leg, 1.0, headers=(("Reason", "Q.850;cause=16"),))
    (bye,) = wire.take()
    assert bye.first == "BYE sip:phone@127.0.0.1:5099;x=y SIP/2.0"
    assert bye.flow.remote == ("127.0.0.1", 5099)
    assert (bye["CSeq"], bye["Reason"]) == ("1 BYE", "Q.850;cause=16")
    assert (bye["From"], bye["To"]) == (f"<sip:echo@127.0.0.1>;tag={leg}", "<sip:phone@127.0.0.1>;tag=phone")
    wire.gets(reply(bye, 200))
    assert wire.events() == [Released(leg)]
    wire.until(100.0)
    assert empty(wire)


@pytest.mark.parametrize("status", [401, 481, 500])
def test_a_refused_bye_releases_the_leg_as_well(wire: Wire, status: int) -> None:
    leg, _ = answered(wire)
    wire.agent.hang_up(leg, 0.0)
    wire.gets(reply(wire.take()[0], status))
    assert wire.events() == [Released(leg)]


def test_a_bye_nobody_answers_ends_in_lost(wire: Wire) -> None:
    leg, _ = answered(wire)
    wire.agent.hang_up(leg, 0.0)
    assert [heard.brief for heard in wire.until(31.9)] == ["BYE"] * 11
    wire.until(33.0)
    assert wire.events() == [Lost(leg, "no_answer_to_bye")]
    assert empty(wire)


def test_a_bye_waits_for_the_ack(wire: Wire) -> None:
    leg = invited(wire, Phone())
    wire.agent.answer(leg, SDP, 0.0)
    phone = Phone().within(wire.take()[0])
    wire.agent.hang_up(leg, 0.1)
    assert wire.take() == []
    assert [heard.brief for heard in wire.gets(phone.ack())] == ["BYE"]
    assert wire.events() == []


def test_a_bye_that_waits_for_the_ack_is_sent_when_none_comes(wire: Wire) -> None:
    leg = invited(wire, Phone())
    wire.agent.answer(leg, SDP, 0.0)
    wire.agent.hang_up(leg, 0.1)
    wire.take()
    bye = wire.until(32.0)[-1]
    assert bye.brief == "BYE"
    wire.gets(reply(bye, 200))
    assert wire.events() == [Released(leg)]


def test_byes_that_cross_are_both_answered(wire: Wire) -> None:
    leg, phone = answered(wire)
    wire.agent.hang_up(leg, 0.0)
    (ours,) = wire.take()
    assert [heard.brief for heard in wire.gets(phone.bye())] == ["200"]
    assert wire.events() == []
    wire.gets(reply(ours, 481))
    assert wire.events() == [Released(leg)]


def test_a_bye_before_the_answer_ends_the_call_with_487(wire: Wire) -> None:
    leg = invited(wire, Phone())
    wire.agent.ring(leg, 0.0)
    phone = Phone().within(wire.take()[0])
    assert [heard.brief for heard in wire.gets(phone.bye())] == ["200", "487"]
    assert [type(event) for event in wire.events()] == [HungUp]


def test_a_bye_before_the_ack_ends_the_repeats(wire: Wire) -> None:
    leg = invited(wire, Phone())
    wire.agent.answer(leg, SDP, 0.0)
    phone = Phone().within(wire.take()[0])
    wire.gets(phone.bye())
    assert wire.ladder(100.0) == []
    assert [type(event) for event in wire.events()] == [HungUp]
    assert empty(wire)


def test_a_repeated_bye_is_answered_again_but_told_once(wire: Wire) -> None:
    _, phone = answered(wire)
    wire.gets(phone.bye())
    assert [heard.brief for heard in wire.gets(phone.bye())] == ["200"]
    assert len(wire.events()) == 1


@pytest.mark.parametrize("method", ["BYE", "INVITE", "OPTIONS", "INFO"])
def test_a_request_for_an_unknown_dialog_gets_481(wire: Wire, method: str) -> None:
    assert [heard.brief for heard in wire.gets(Phone(to_tag="gone").request(method))] == ["481"]


def test_a_bye_without_a_tag_gets_481(wire: Wire) -> None:
    assert [heard.brief for heard in wire.gets(Phone().bye())] == ["481"]


def test_a_dialog_is_found_by_call_id_and_both_tags(wire: Wire) -> None:
    _, phone = answered(wire)
    for stranger in (replace(phone, call_id="other"), replace(phone, tag="other")):
        assert [heard.brief for heard in wire.gets(stranger.bye())] == ["481"]
    assert wire.events() == []


# Re-INVITE


def test_a_reinvite_is_told_and_its_answer_repeated_until_the_ack(wire: Wire) -> None:
    leg, phone = answered(wire)
    phone = phone.next("z9hG4bK-2", contact="<sip:phone@127.0.0.1:5080>")
    assert [heard.brief for heard in wire.gets(phone.invite())] == ["100"]
    (event,) = wire.events()
    assert isinstance(event, Reinvited)
    wire.agent.answer(leg, SDP, 0.0)
    (ok,) = wire.take()
    assert (ok.brief, ok["CSeq"]) == ("200", "2 INVITE")
    assert wire.ladder(1.0) == [(0.5, "200")]
    wire.gets(phone.ack(branch="z9hG4bK-3"))
    assert wire.ladder(3.0) == []
    assert [type(event) for event in wire.events()] == [Confirmed]
    wire.agent.hang_up(leg, 3.0)
    assert wire.take()[0].flow.remote == ("127.0.0.1", 5080)


def test_a_refused_reinvite_leaves_the_call_up(wire: Wire) -> None:
    leg, phone = answered(wire)
    phone = phone.next("z9hG4bK-2", contact="<sip:phone@127.0.0.1:5080>")
    wire.gets(phone.invite())
    wire.agent.refuse(leg, 488, 0.0)
    assert [heard.brief for heard in wire.take()] == ["488"]
    dialog = wire.agent.dialog(leg)
    assert dialog is not None
    assert dialog.target == "sip:phone@127.0.0.1:5070"


def test_a_cancelled_reinvite_leaves_the_call_up(wire: Wire) -> None:
    leg, phone = answered(wire)
    phone = phone.next("z9hG4bK-2")
    wire.gets(phone.invite())
    wire.events()
    assert [heard.brief for heard in wire.gets(phone.cancel())] == ["200", "487"]
    assert wire.events() == []
    assert wire.agent.dialog(leg) is not None


def test_a_second_reinvite_while_the_first_waits_gets_500_with_retry_after(wire: Wire) -> None:
    _, phone = answered(wire)
    wire.gets(phone.next("z9hG4bK-2").invite())
    (error,) = wire.gets(phone.next("z9hG4bK-2").next("z9hG4bK-3").invite())
    assert error.brief == "500"
    assert 0 <= int(error["Retry-After"]) <= 10


def test_a_reinvite_that_crosses_ours_gets_491(wire: Wire) -> None:
    leg, phone = answered(wire)
    wire.agent.reinvite(leg, SDP, 0.0)
    wire.take()
    assert [heard.brief for heard in wire.gets(phone.next("z9hG4bK-2").invite())] == ["491"]


def test_a_reinvite_before_the_ack_gets_491(wire: Wire) -> None:
    leg = invited(wire, Phone())
    wire.agent.answer(leg, SDP, 0.0)
    phone = Phone().within(wire.take()[0])
    assert [heard.brief for heard in wire.gets(phone.next("z9hG4bK-2").invite())] == ["491"]


def test_a_bye_ends_a_waiting_reinvite_with_487(wire: Wire) -> None:
    leg, phone = answered(wire)
    phone = phone.next("z9hG4bK-2")
    wire.gets(phone.invite())
    wire.agent.hang_up(leg, 0.0)
    assert [heard.brief for heard in wire.take()] == ["487", "BYE"]


def test_a_request_older_than_the_last_gets_500(wire: Wire) -> None:
    _, phone = answered(wire, Phone(cseq=10))
    assert [heard.brief for heard in wire.gets(replace(phone, cseq=5).bye())] == ["500"]
    assert wire.events() == []


# What cannot be served


@pytest.mark.parametrize(
    ("text", "status", "header", "value"),
    [
        (Phone().request("REGISTER"), "405", "Allow", ALLOW),
        (Phone().request("MESSAGE"), "405", "Allow", ALLOW),
        (Phone().request("REFER"), "405", "Allow", ALLOW),
        (Phone().request("NEWTHING"), "501", "Allow", ALLOW),
        (Phone(uri="mailto:a@b").invite(), "416", "To", ""),
        (Phone(more="Require: 100rel, nothing\r\n").invite(), "420", "Unsupported", "nothing"),
        (Phone(more="Content-Type: text/plain\r\n").invite(), "415", "Accept", "application/sdp"),
        (Phone(more="Content-Encoding: gzip\r\n").invite(), "415", "Accept-Encoding", "identity"),
        (Phone(more="Accept: text/html\r\n").invite(), "406", "Accept", "application/sdp"),
        (Phone(more="CSeq: 9 INVITE\r\n").invite(), "400", "To", ""),
        (Phone().invite().replace("SIP/2.0\r\n", "SIP/3.0\r\n", 1), "505", "To", ""),
    ],
)
def test_what_cannot_be_served_gets_its_status(wire: Wire, text: str, status: str, header: str, value: str) -> None:
    (heard,) = wire.gets(text)
    assert heard.brief == status
    assert heard.to_tag.startswith("n1-")
    assert heard[header].startswith(value)
    assert wire.events() == []


@pytest.mark.parametrize(
    "more",
    [
        "Proxy-Require: foo\r\n",
        "Accept: application/*;q=0.5, text/html\r\n",
        "Max-Forwards: 0\r\n",
        "Content-Type: text/plain\r\nContent-Disposition: session; handling=optional\r\n",
    ],
)
def test_what_does_not_concern_us_is_no_fault(wire: Wire, more: str) -> None:
    text = Phone(more=more).invite()
    if "Max-Forwards: 0" in more:
        text = text.replace("Max-Forwards: 70\r\n", "", 1)
    assert [heard.brief for heard in wire.gets(text)] == ["100"]


def test_sdp_among_other_parts_is_taken(wire: Wire) -> None:
    parts = ("Content-Type: text/plain\r\n\r\nhello", f"Content-Type: application/sdp\r\n\r\n{OFFER}")
    body = "".join(f"--xx\r\n{part}\r\n" for part in parts) + "--xx--\r\n"
    phone = Phone(more='Content-Type: multipart/mixed;boundary="xx"\r\n')
    assert [heard.brief for heard in wire.gets(phone.invite(body))] == ["100"]


def test_a_call_refused_at_the_door_leaves_nothing_and_its_repeats_get_the_same(wire: Wire) -> None:
    asked: list[Flow] = []

    def door(source: Flow, now: float) -> PeerError:
        asked.append(source)
        return PeerError(503, "", (("Retry-After", "9"),))

    wire.agent.door = door
    phone = Phone()
    (first,) = wire.gets(phone.invite())
    wire.now = 0.5
    (again,) = wire.gets(phone.invite())
    assert first.brief == again.brief == "503"
    assert first.to_tag == again.to_tag != ""
    assert first["Retry-After"] == "9"
    assert first.flow == FLOW
    assert asked == [FLOW, FLOW]
    # It was final: the ACK ends it, and is no news.
    assert wire.gets(phone.within(first).ack(branch=phone.branch)) == []
    assert wire.events() == []
    assert empty(wire)


def test_the_door_is_for_new_calls_only(wire: Wire) -> None:
    _, phone = answered(wire)
    wire.agent.door = lambda source, now: PeerError(503)
    assert [heard.brief for heard in wire.gets(phone.next("z9hG4bK-2").invite())] == ["100"]
    assert [type(event) for event in wire.events()] == [Reinvited]
    assert [heard.brief for heard in wire.gets(Phone(call_id="2", branch="z9hG4bK-3").request("OPTIONS"))] == ["200"]


def test_a_malformed_request_gets_the_same_tag_each_time_and_leaves_nothing(wire: Wire) -> None:
    text = Phone(more="CSeq: 9 INVITE\r\n").invite()
    first, second = wire.gets(text)[0], wire.gets(text)[0]
    assert first.text == second.text
    assert wire.drops() == ["bad_message", "bad_message"]
    assert empty(wire)


def test_a_merged_request_gets_482(wire: Wire) -> None:
    wire.gets(Phone().invite())
    assert [heard.brief for heard in wire.gets(Phone(branch="z9hG4bK-other").invite())] == ["482"]
    assert len(wire.events()) == 1


def test_two_cancels_on_different_paths_are_not_one_merged_request(wire: Wire) -> None:
    invited(wire, Phone())
    for branch in ("z9hG4bK-other", "z9hG4bK-third"):
        assert [heard.brief for heard in wire.gets(Phone(branch=branch).cancel())] == ["481"]


def test_our_own_invite_that_comes_back_gets_482(wire: Wire) -> None:
    wire.agent.invite("sip:a@127.0.0.1", FLOW, SDP, 0.0, from_="<sip:b@127.0.0.1>")
    (invite,) = wire.take()
    back = invite.text.replace("Via:", "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-proxy\r\nVia:", 1)
    assert [heard.brief for heard in wire.gets(back)] == ["482"]


def test_options_says_what_we_can_do(wire: Wire) -> None:
    (ok,) = wire.gets(Phone().request("OPTIONS"))
    assert (ok.brief, ok["Allow"], ok["Accept"]) == ("200", ALLOW, "application/sdp")
    assert ok["Supported"] == "timer, 100rel, 199, replaces"


def test_options_within_a_call_is_answered(wire: Wire) -> None:
    _, phone = answered(wire)
    assert [heard.brief for heard in wire.gets(phone.next("z9hG4bK-2").request("OPTIONS"))] == ["200"]


def test_options_gets_503_while_draining_but_calls_go_on(wire: Wire) -> None:
    _, phone = answered(wire)
    wire.agent.draining = True
    assert wire.agent.draining
    assert [heard.brief for heard in wire.gets(Phone(call_id="ping").request("OPTIONS"))] == ["503"]
    assert [heard.brief for heard in wire.gets(phone.next("z9hG4bK-2").request("OPTIONS"))] == ["200"]


# Peers by RFC 2543, and where responses go


def old(text: str) -> str:
    """The message as a phone of 1999 would have written it."""
    return text.replace(";branch=z9hG4bK-1", "").replace(";tag=phone", "").replace("Max-Forwards: 70\r\n", "")


def test_a_call_by_rfc_2543(wire: Wire) -> None:
    assert [heard.brief for heard in wire.gets(old(Phone().invite()))] == ["100"]
    assert [heard.brief for heard in wire.gets(old(Phone().invite()))] == ["100"]
    (event,) = wire.events()
    wire.agent.answer(event.leg, SDP, 0.0)
    phone = Phone().within(wire.take()[0])
    wire.gets(old(phone.ack(branch="z9hG4bK-1")))
    assert [type(event) for event in wire.events()] == [Confirmed]
    assert [heard.brief for heard in wire.gets(old(phone.bye().replace("z9hG4bK-bye", "z9hG4bK-1")))] == ["200"]
    assert [type(event) for event in wire.events()] == [HungUp]


def test_the_ack_of_a_refusal_by_rfc_2543_is_known_by_its_tag(wire: Wire) -> None:
    wire.gets(old(Phone().invite()))
    wire.agent.refuse(wire.events()[0].leg, 486, 0.0)
    phone = Phone().within(wire.take()[0])
    wire.gets(old(replace(phone, to_tag="other").ack(branch="z9hG4bK-1")))
    assert wire.drops() == ["stray_ack"]
    wire.gets(old(phone.ack(branch="z9hG4bK-1")))
    assert wire.ladder(30.0) == []


def test_a_cancel_by_rfc_2543(wire: Wire) -> None:
    wire.gets(old(Phone().invite()))
    assert [heard.brief for heard in wire.gets(old(Phone().cancel()))] == ["200", "487"]


@pytest.mark.parametrize(("rport", "port"), [("", 5070), (";rport", 6000)])
def test_a_response_goes_to_the_port_in_via_unless_rport_asks_for_the_source(wire: Wire, rport: str, port: int) -> None:
    source = Flow("udp", OURS, ("127.0.0.2", 6000))
    (trying,) = wire.gets(Phone(branch=f"z9hG4bK-1{rport}").invite(), source)
    assert trying.flow == Flow("udp", OURS, ("127.0.0.2", port))
    assert "received=127.0.0.2" in trying["Via"]
    assert ("rport=6000" in trying["Via"]) == bool(rport)


# The rest


def test_commands_for_a_leg_that_is_gone_are_dropped(wire: Wire) -> None:
    agent = wire.agent
    agent.ring("gone", 0.0)
    agent.answer("gone", SDP, 0.0)
    agent.refuse("gone", 486, 0.0)
    agent.hang_up("gone", 0.0)
    agent.reinvite("gone", SDP, 0.0)
    assert wire.drops() == ["late_command"] * 5
    assert agent.dialog("gone") is None
    assert wire.take() == []


def test_commands_that_come_too_late_for_a_leg_are_dropped(wire: Wire) -> None:
    leg, _ = answered(wire)
    wire.agent.ring(leg, 0.0)
    wire.agent.answer(leg, SDP, 0.0)
    wire.agent.refuse(leg, 486, 0.0)
    assert wire.take() == []
    wire.agent.hang_up(leg, 0.0)
    wire.agent.hang_up(leg, 0.0)
    wire.agent.reinvite(leg, SDP, 0.0)
    assert [heard.brief for heard in wire.take()] == ["BYE"]
    assert wire.drops() == ["late_command"] * 5


def test_commands_that_make_no_sense_are_errors(wire: Wire) -> None:
    leg = invited(wire, Phone())
    with pytest.raises(UsageError):
        wire.agent.ring(leg, 0.0, 200)
    with pytest.raises(UsageError):
        wire.agent.refuse(leg, 200, 0.0)
    with pytest.raises(UsageError):
        wire.agent.hang_up(leg, 0.0)


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0"])
def test_keep_alives_are_no_messages(wire: Wire, data: bytes) -> None:
    wire.agent.receive(data, FLOW, 0.0)
    assert wire.take() == []
    assert wire.drops() == ["keep_alive"]


def test_a_message_beyond_the_limit_is_dropped() -> None:
    wire = Wire(SipOptions(max_message_bytes=100))
    assert wire.gets(Phone().invite()) == []
    assert wire.drops() == ["too_long"]


def test_what_comes_and_goes_is_traced_without_secrets(wire: Wire) -> None:
    wire.gets(Phone(more='Authorization: Digest username="u", response="SECRET"\r\n').invite())
    assert [(note.mark, note.name) for note in wire.notes] == [(Mark.IN, "invite"), (Mark.OUT, "response")]
    assert "SECRET" not in str(wire.notes)


def test_without_a_trace_a_call_is_served_as_well() -> None:
    agent = Agent(SipOptions(), token=tokens())
    agent.receive(Phone().invite().encode(), FLOW, 0.0)
    assert len(agent.to_send()) == len(agent.events()) == 1


def test_a_hundred_calls_leave_nothing_behind(wire: Wire) -> None:
    for number in range(100):
        leg, _ = answered(wire, Phone(call_id=f"c{number}", branch=f"z9hG4bK-c{number}"))
        wire.agent.hang_up(leg, wire.now)
        wire.gets(reply(wire.take()[0], 200))
        wire.until(wire.now + 0.25)
    wire.until(wire.now + 33.0)
    assert empty(wire)
