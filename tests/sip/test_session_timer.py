"""Session timers in both roles, and UPDATE: ladders in simulated time (RFC 4028, RFC 3311)."""

from dataclasses import replace

import pytest

from sipgw.errors import PeerError
from sipgw.options import SipOptions
from sipgw.sip.events import Answered, Lost, Refused, Reinvited
from sipgw.sip.session_timer import SessionExpires
from tests.fakes.sip_phone import FLOW, Heard, Phone, Wire, reply

SDP = b"v=0\r\n"
KNOWS = "Supported: timer\r\nAllow: INVITE, ACK, BYE, UPDATE\r\n"


def served(more: str, options: SipOptions | None = None) -> tuple[Wire, Phone, Heard]:
    """A call of the phone's that was answered: the phone in its dialog, and our 200."""
    wire = Wire(options)
    wire.gets(Phone(more=more).invite())
    leg = wire.events()[-1].leg
    wire.agent.answer(leg, SDP, 0.0)
    ok = wire.take()[-1]
    phone = Phone(more="").within(ok)
    wire.gets(phone.ack())
    wire.events()
    return wire, phone, ok


def called(more: str, options: SipOptions | None = None) -> tuple[Wire, str, Heard]:
    """A call of ours that was answered: its leg and the INVITE."""
    wire = Wire(options)
    leg = wire.agent.invite("sip:human@127.0.0.1:5070", FLOW, SDP, 0.0, from_="<sip:gw@127.0.0.1>")
    (invite,) = wire.take()
    wire.gets(reply(invite, 200, to_tag="human", more=more))
    wire.events()
    return wire, leg, invite


def when(wire: Wire, until: float) -> list[tuple[float, str]]:
    return [(heard.when, heard.brief) for heard in wire.until(until)]


@pytest.mark.parametrize(
    ("text", "read"),
    [("1800", (1800, "")), ("90;refresher=uac", (90, "uac")), (" 120 ; x=y;Refresher=UAS", (120, "uas")),
     ("120;refresher=x", (120, ""))],
)  # fmt: skip
def test_values(text: str, read: tuple[int, str]) -> None:
    assert SessionExpires.parse(text) == SessionExpires(*read)


@pytest.mark.parametrize("text", ["", "x", "-1", "90;;", "99999999999"])
def test_what_is_no_value(text: str) -> None:
    with pytest.raises(PeerError, match="400"):
        SessionExpires.parse(text)


# --- the peer calls ---------------------------------------------------------------------------------------------------


def test_a_peer_that_knows_timers_refreshes_and_is_hung_up_when_it_does_not() -> None:
    wire, _, ok = served(KNOWS + "Session-Expires: 120\r\n")
    assert (ok["Session-Expires"], ok["Require"]) == ("120;refresher=uac", "timer")
    # A third of the interval before its end (section 10).
    assert when(wire, 88.0) == [(88.0, "BYE")]
    (event,) = wire.events()
    assert event == Lost(ok.to_tag, "session_expired")


def test_a_refresh_by_update_starts_the_timer_anew() -> None:
    wire, phone, _ = served(KNOWS + "Session-Expires: 120\r\n")
    wire.until(60.0)
    more = KNOWS + "Session-Expires: 120;refresher=uac\r\n"
    (again,) = wire.gets(replace(phone, more=more, cseq=2, branch="z9hG4bK-u").request("UPDATE"))
    assert (again.brief, again["Session-Expires"], again["Require"]) == ("200", "120;refresher=uac", "timer")
    assert wire.events() == []
    assert when(wire, 147.0) == []
    assert when(wire, 148.0) == [(148.0, "BYE")]


def test_a_refresh_by_reinvite_starts_it_anew_as_well() -> None:
    wire, phone, ok = served(KNOWS + "Session-Expires: 120\r\n")
    wire.until(60.0)
    phone = replace(phone, more=KNOWS + "Session-Expires: 120;refresher=uac\r\n", cseq=2, branch="z9hG4bK-r")
    wire.gets(phone.invite())
    wire.agent.answer(ok.to_tag, SDP, 60.0)
    assert wire.take()[-1]["Session-Expires"] == "120;refresher=uac"
    wire.gets(phone.ack())
    assert when(wire, 147.0) == []


def test_we_refresh_where_the_peer_wants_that() -> None:
    wire, _, ok = served(KNOWS + "Session-Expires: 120;refresher=uas\r\n")
    assert ok["Session-Expires"] == "120;refresher=uas"
    assert "Require" not in ok
    (update,) = wire.until(60.0)
    assert (update.when, update.brief, update["Session-Expires"]) == (60.0, "UPDATE", "120;refresher=uac")
    assert update.body == ""
    wire.gets(reply(update, 200, more="Session-Expires: 120;refresher=uac\r\n"))
    assert when(wire, 119.9) == []
    assert when(wire, 120.0) == [(120.0, "UPDATE")]
    assert wire.events() == []


def test_a_peer_that_does_not_take_update_is_refreshed_by_a_reinvite_with_the_same_description() -> None:
    wire, _, _ = served("Supported: timer\r\nSession-Expires: 120;refresher=uas\r\n")
    (reinvite,) = wire.until(60.0)
    assert (reinvite.brief, reinvite.body) == ("INVITE", SDP.decode())
    (ack,) = wire.gets(reply(reinvite, 200, more="Session-Expires: 120;refresher=uac\r\n"))
    assert ack.brief == "ACK"
    assert wire.events() == []
    assert when(wire, 120.0) == [(120.0, "INVITE")]


def test_a_peer_that_says_it_takes_update_and_does_not_gets_a_reinvite() -> None:
    wire, _, _ = served(KNOWS + "Session-Expires: 120;refresher=uas\r\n")
    (update,) = wire.until(60.0)
    wire.gets(reply(update, 405))
    assert [heard.brief for heard in wire.until(60.1)] == ["INVITE"]


def test_a_refresh_that_is_refused_is_tried_again() -> None:
    wire, _, _ = served(KNOWS + "Session-Expires: 120;refresher=uas\r\n")
    (update,) = wire.until(60.0)
    wire.gets(reply(update, 500))
    assert when(wire, 64.0) == [(64.0, "UPDATE")]
    assert wire.events() == []


@pytest.mark.parametrize("status", [481, 408])
def test_a_refresh_of_what_the_peer_does_not_know_any_more_ends_the_call(status: int) -> None:
    wire, _, ok = served(KNOWS + "Session-Expires: 120;refresher=uas\r\n")
    (update,) = wire.until(60.0)
    (bye,) = wire.gets(reply(update, status))
    assert bye.brief == "BYE"
    assert wire.events() == [Lost(ok.to_tag, "gone")]


def test_too_short_an_interval_is_refused_with_the_least_we_take() -> None:
    wire = Wire(replace(SipOptions(), min_session_expires=300))
    refused = wire.gets(Phone(more=KNOWS + "Session-Expires: 120\r\n").invite())[-1]
    assert (refused.brief, refused["Min-SE"]) == ("422", "300")
    assert wire.events() == []


def test_a_proxy_s_short_interval_is_taken_where_the_peer_could_not_answer_422() -> None:
    # The peer does not know of timers, so it was a proxy that asked; we refresh (table 2).
    _, _, ok = served("Session-Expires: 60\r\n")
    assert ok["Session-Expires"] == "60;refresher=uas"


def test_a_peer_that_knows_timers_and_asks_for_nothing_gets_ours() -> None:
    _, _, ok = served(KNOWS)
    assert ok["Session-Expires"] == "1800;refresher=uac"


@pytest.mark.parametrize("more", ["", "Supported: 100rel\r\n"])
def test_a_peer_that_does_not_know_them_is_left_alone(more: str) -> None:
    wire, _, ok = served(more)
    assert "Session-Expires" not in ok
    assert when(wire, 4000.0) == []


def test_without_a_timer_of_ours_none_is_begun() -> None:
    _, _, ok = served(KNOWS, replace(SipOptions(), session_expires=0))
    assert "Session-Expires" not in ok


# --- we call ----------------------------------------------------------------------------------------------------------


def test_our_invite_asks_and_we_refresh() -> None:
    wire, _, invite = called(KNOWS + "Session-Expires: 1800;refresher=uac\r\n")
    assert (invite["Session-Expires"], "timer" in invite["Supported"]) == ("1800", True)
    assert when(wire, 900.0) == [(900.0, "UPDATE")]


def test_the_callee_may_refresh_and_is_hung_up_when_it_does_not() -> None:
    wire, leg, _ = called("Session-Expires: 200;refresher=uas\r\n")
    assert when(wire, 167.9) == []
    assert when(wire, 168.0) == [(168.0, "BYE")]
    assert wire.events() == [Lost(leg, "session_expired")]


def test_a_callee_that_says_nothing_has_no_timer() -> None:
    wire, _, _ = called("")
    assert when(wire, 4000.0) == []


def test_422_is_answered_with_a_longer_interval() -> None:
    wire = Wire(replace(SipOptions(), session_expires=120))
    wire.agent.invite("sip:human@127.0.0.1:5070", FLOW, SDP, 0.0, from_="<sip:gw@127.0.0.1>")
    (first,) = wire.take()
    _, second = wire.gets(reply(first, 422, to_tag="a", more="Min-SE: 600\r\n"))
    assert (second["Session-Expires"], second["Min-SE"], second["CSeq"]) == ("600", "600", "2 INVITE")
    # A 422 that asks for no more than that is a refusal.
    wire.gets(reply(second, 422, to_tag="b", more="Min-SE: 600\r\n"))
    assert isinstance(wire.events()[-1], Refused)


def test_a_call_that_ended_has_no_timer() -> None:
    wire, leg, _ = called(KNOWS + "Session-Expires: 120;refresher=uac\r\n")
    wire.agent.hang_up(leg, 1.0)
    (bye,) = wire.take()
    wire.gets(reply(bye, 200))
    assert when(wire, 500.0) == []
    assert wire.agent.next_timer() is None


def test_a_leg_that_was_written_down_goes_on_refreshing() -> None:
    wire, phone, ok = served(KNOWS + "Session-Expires: 120;refresher=uas\r\n")
    other = Wire()
    plain = wire.agent.snapshot(ok.to_tag)
    assert plain is not None
    other.agent.restore(ok.to_tag, plain, 0.0)
    assert when(other, 60.0) == [(60.0, "UPDATE")]
    assert phone.to_tag == ok.to_tag


# --- UPDATE -----------------------------------------------------------------------------------------------------------


def test_an_update_with_an_offer_is_answered_like_a_reinvite() -> None:
    wire, phone, ok = served(KNOWS)
    wire.gets(replace(phone, cseq=2, branch="z9hG4bK-u").request("UPDATE", "v=0\r\n"))
    (event,) = wire.events()
    assert isinstance(event, Reinvited)
    wire.agent.answer(ok.to_tag, b"v=1\r\n", 1.0)
    (answer,) = wire.take()
    assert (answer.brief, answer.body, answer["CSeq"]) == ("200", "v=1\r\n", "2 UPDATE")
    # Nobody acknowledges it, and it is not repeated.
    assert when(wire, 60.0) == []


def test_an_update_can_be_refused_and_the_call_goes_on() -> None:
    wire, phone, ok = served(KNOWS)
    wire.gets(replace(phone, cseq=2, branch="z9hG4bK-u").request("UPDATE", "v=0\r\n"))
    wire.events()
    wire.agent.refuse(ok.to_tag, 488, 1.0)
    assert wire.take()[-1].brief == "488"
    wire.gets(replace(phone, cseq=3, branch="z9hG4bK-v").request("UPDATE", "v=0\r\n"))
    assert isinstance(wire.events()[-1], Reinvited)


def test_an_update_that_crosses_a_reinvite_of_ours_is_glare() -> None:
    wire, phone, ok = served(KNOWS)
    wire.agent.reinvite(ok.to_tag, SDP, 1.0)
    wire.take()
    (glare,) = wire.gets(replace(phone, cseq=2, branch="z9hG4bK-u").request("UPDATE", "v=0\r\n"))
    assert glare.brief == "491"


def test_a_reinvite_during_an_update_waits() -> None:
    wire, phone, _ = served(KNOWS)
    wire.gets(replace(phone, cseq=2, branch="z9hG4bK-u").request("UPDATE", "v=0\r\n"))
    refused = wire.gets(replace(phone, cseq=3, branch="z9hG4bK-r").invite())[-1]
    assert refused.brief == "500"
    assert "Retry-After" in refused


def test_an_update_before_the_answer_is_put_off_but_for_a_refresh() -> None:
    wire = Wire()
    ringing = wire.gets(Phone().invite())[-1]
    leg = wire.events()[0].leg
    wire.agent.ring(leg, 0.0)
    ringing = wire.take()[-1]
    early = replace(Phone().within(ringing), cseq=2)
    (later,) = wire.gets(replace(early, branch="z9hG4bK-u").request("UPDATE", "v=0\r\n"))
    assert (later.brief, "Retry-After" in later) == ("500", True)
    (ok,) = wire.gets(replace(early, cseq=3, branch="z9hG4bK-v").request("UPDATE"))
    assert ok.brief == "200"


def test_a_bye_during_an_update_ends_it() -> None:
    wire, phone, _ = served(KNOWS)
    wire.gets(replace(phone, cseq=2, branch="z9hG4bK-u").request("UPDATE", "v=0\r\n"))
    assert [heard.brief for heard in wire.gets(replace(phone, cseq=3, branch="z9hG4bK-b").request("BYE"))] == [
        "200",
        "487",
    ]


def test_our_reinvite_is_answered_for_the_layer_above_and_a_refresh_is_not() -> None:
    wire, leg, _ = called(KNOWS + "Session-Expires: 120;refresher=uac\r\n")
    wire.agent.reinvite(leg, SDP, 1.0)
    (reinvite,) = wire.take()
    assert reinvite["Session-Expires"] == "120;refresher=uac"
    wire.gets(reply(reinvite, 200, more="Session-Expires: 120;refresher=uac\r\n"))
    assert [type(event) for event in wire.events()] == [Answered]
