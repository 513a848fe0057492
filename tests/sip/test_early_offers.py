"""Offers of a caller before our answer, in UPDATE and PRACK: ladders in simulated time (RFC 3311, 3262, 6337)."""

from dataclasses import replace

import pytest

from sipgw.sip.events import Acknowledged, Cancelled, HungUp, Reinvited
from tests.fakes.sip_phone import OFFER, Heard, Phone, Wire

SDP = b"v=0\r\n"
NEW = "v=1\r\n"
SUPPORTS = "Supported: 100rel\r\n"


class Early:
    """A caller that hears early media of ours."""

    def __init__(self, more: str = SUPPORTS, *, offer: str = OFFER, pracked: bool = True) -> None:
        self.wire = Wire()
        self.wire.gets(Phone(more=more).invite(offer))
        self.leg = self.wire.events()[0].leg
        self.wire.agent.ring(self.leg, 0.0, 183, SDP)
        (self.progress,) = self.wire.take()
        self.phone = Phone().within(self.progress)
        if pracked:
            (ok,) = self.prack("" if offer else "v=0\r\n")
            assert ok.brief == "200"
            self.wire.events()

    def says(self, method: str, body: str = "", more: str = "") -> list[Heard]:
        self.phone = self.phone.next(f"z9hG4bK-{self.phone.cseq + 1}")
        return self.wire.gets(self.phone.request(method, body, more=more))

    def prack(self, body: str = "") -> list[Heard]:
        return self.says("PRACK", body, f"RAck: {self.progress['RSeq']} 1 INVITE\r\n")

    def answers(self, body: bytes = b"v=2\r\n") -> list[Heard]:
        self.wire.agent.answer(self.leg, body, self.wire.now)
        return self.wire.take()


def test_an_update_is_answered_and_then_the_invite() -> None:
    early = Early()
    assert early.says("UPDATE", NEW) == []
    (event,) = early.wire.events()
    assert isinstance(event, Reinvited)
    assert event.request.body == NEW.encode()
    (ok,) = early.answers()
    assert (ok["CSeq"], ok.body) == ("3 UPDATE", "v=2\r\n")
    # The 200 repeats no description: that of the 183 is not in force any more.
    (ok,) = early.answers()
    assert (ok["CSeq"], ok.body) == ("1 INVITE", "")


def test_an_update_can_be_refused_and_the_call_still_rings() -> None:
    early = Early()
    early.says("UPDATE", NEW)
    early.wire.agent.refuse(early.leg, 488, 0.0)
    (no,) = early.wire.take()
    assert (no.brief, no["CSeq"]) == ("488", "3 UPDATE")
    assert early.answers()[0]["CSeq"] == "1 INVITE"


@pytest.mark.parametrize("more", [SUPPORTS, ""])
def test_before_the_answer_to_the_first_offer_is_certain_another_is_put_off(more: str) -> None:
    """Not acknowledged yet, or sent in a way that promises nothing."""
    early = Early(more, pracked=False)
    (later,) = early.says("UPDATE", NEW)
    assert later.brief == "500"
    assert 0 <= int(later["Retry-After"]) <= 10
    assert early.wire.events() == []


def test_an_update_that_meets_our_offer_is_glare() -> None:
    early = Early(offer="", pracked=False)
    assert early.says("UPDATE", NEW)[0].brief == "491"


def test_one_at_a_time() -> None:
    early = Early()
    early.says("UPDATE", NEW)
    assert early.says("UPDATE", NEW)[0].brief == "500"


def test_an_update_without_an_offer_tells_where_the_caller_is_now() -> None:
    early = Early()
    early.phone = replace(early.phone, contact="<sip:phone@127.0.0.1:5099>")
    (ok,) = early.says("UPDATE")
    assert ok.brief == "200"
    dialog = early.wire.agent.dialog(early.leg)
    assert dialog is not None
    assert dialog.target == "sip:phone@127.0.0.1:5099"


def test_an_update_does_not_change_what_the_invite_asked_of_the_session_timer() -> None:
    early = Early("Supported: 100rel, timer\r\nSession-Expires: 300;refresher=uac\r\n")
    early.says("UPDATE")
    (ok,) = early.answers()
    assert ok["Session-Expires"] == "300;refresher=uac"


def test_another_offer_in_the_prack_is_answered_in_its_200() -> None:
    early = Early(pracked=False)
    assert early.prack(NEW) == []
    (event,) = early.wire.events()
    assert isinstance(event, Reinvited)
    (ok,) = early.answers()
    assert (ok["CSeq"], ok.body) == ("2 PRACK", "v=2\r\n")


def test_an_answer_that_waits_for_the_prack_waits_for_the_offer_in_it_too() -> None:
    early = Early(pracked=False)
    assert early.answers(SDP) == []
    assert early.prack(NEW) == []
    prack, invite = early.answers()
    assert (prack["CSeq"], prack.body) == ("2 PRACK", "v=2\r\n")
    assert (invite["CSeq"], invite.body) == ("1 INVITE", "")


def test_our_offer_is_answered_in_the_prack_and_an_update_may_follow() -> None:
    early = Early(offer="", pracked=False)
    early.prack(NEW)
    assert [type(event) for event in early.wire.events()] == [Acknowledged]
    assert early.says("UPDATE", NEW) == []
    assert [type(event) for event in early.wire.events()] == [Reinvited]


def test_a_cancel_ends_what_waits() -> None:
    early = Early()
    early.says("UPDATE", NEW)
    heard = early.wire.gets(Phone().cancel())
    assert [(one.brief, one["CSeq"]) for one in heard] == [
        ("200", "1 CANCEL"), ("487", "3 UPDATE"), ("487", "1 INVITE"),
    ]  # fmt: skip
    assert [type(event) for event in early.wire.events()] == [Reinvited, Cancelled]


def test_so_does_a_bye() -> None:
    early = Early()
    early.says("UPDATE", NEW)
    heard = early.says("BYE")
    assert [(one.brief, one["CSeq"]) for one in heard] == [("200", "4 BYE"), ("487", "3 UPDATE"), ("487", "1 INVITE")]
    assert [type(event) for event in early.wire.events()] == [Reinvited, HungUp]
