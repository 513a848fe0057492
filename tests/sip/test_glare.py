"""Offers that meet: re-INVITE and UPDATE of both sides, in simulated time (RFC 3261 14.1 and 14.2, RFC 3311 5.2)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from sipgw.sip.events import Answered, Confirmed, Lost, Refused, Reinvited
from tests.fakes.sip_phone import Heard, Wire, answered, reply

SDP = b"v=0\r\n"
METHODS = ("INVITE", "UPDATE")


class Call:
    """One that was answered."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.leg, self.phone = answered(self.wire)

    def we_offer(self, method: str) -> list[Heard]:
        act: Callable[..., None] = self.wire.agent.reinvite if method == "INVITE" else self.wire.agent.update
        act(self.leg, SDP, self.wire.now)
        return self.wire.take()

    def they_offer(self, method: str) -> list[Heard]:
        self.phone = self.phone.next(f"z9hG4bK-{self.phone.cseq + 1}")
        return self.wire.gets(self.phone.request(method, "v=1\r\n"))

    def refused(self) -> int:
        (event,) = self.wire.events()
        assert isinstance(event, Refused)
        assert not event.initial
        return event.status


@pytest.mark.parametrize("theirs", METHODS)
@pytest.mark.parametrize("ours", METHODS)
def test_theirs_that_crosses_ours_is_refused_and_ours_goes_on(ours: str, theirs: str) -> None:
    call = Call()
    (offer,) = call.we_offer(ours)
    assert offer.brief == ours
    (glare,) = call.they_offer(theirs)
    assert (glare.brief, "Retry-After" in glare) == ("491", False)
    call.wire.gets(reply(offer, 200, body="v=2\r\n"))
    assert [type(event) for event in call.wire.events()] == [Answered]
    # Now it may come again.
    assert [one.brief for one in call.they_offer(theirs)] in ([], ["100"])


@pytest.mark.parametrize("ours", METHODS)
@pytest.mark.parametrize("theirs", METHODS)
def test_ours_does_not_even_leave_while_theirs_waits(theirs: str, ours: str) -> None:
    call = Call()
    call.they_offer(theirs)
    assert [type(event) for event in call.wire.events()] == [Reinvited]
    assert call.we_offer(ours) == []
    assert call.refused() == 491


@pytest.mark.parametrize("second", METHODS)
@pytest.mark.parametrize("first", METHODS)
def test_a_second_of_theirs_comes_too_early(first: str, second: str) -> None:
    call = Call()
    call.they_offer(first)
    (later,) = call.they_offer(second)
    assert later.brief == "500"
    assert 0 <= int(later["Retry-After"]) <= 10
    # The first is answered as if there had been none.
    call.wire.agent.answer(call.leg, SDP, call.wire.now)
    (ok,) = call.wire.take()
    assert (ok.brief, ok["CSeq"]) == ("200", f"2 {first}")


@pytest.mark.parametrize("second", METHODS)
def test_one_before_the_ack_of_the_last_is_glare(second: str) -> None:
    """Offer or answer may be in that ACK (RFC 5407 section 3.1.4)."""
    call = Call()
    call.they_offer("INVITE")
    call.wire.agent.answer(call.leg, SDP, call.wire.now)
    call.wire.take()
    (glare,) = call.they_offer(second)
    assert glare.brief == "491"
    call.wire.gets(replace(call.phone, cseq=2).ack())
    assert [type(event) for event in call.wire.events()] == [Reinvited, Confirmed]


@pytest.mark.parametrize("ours", METHODS)
def test_ours_that_the_far_end_refuses_for_glare_leaves_the_call_as_it_was(ours: str) -> None:
    call = Call()
    (offer,) = call.we_offer(ours)
    call.wire.gets(reply(offer, 491))
    assert call.refused() == 491
    assert call.they_offer("UPDATE") == []


@pytest.mark.parametrize("ours", METHODS)
def test_ours_in_a_dialog_that_the_far_end_has_forgotten_ends_the_call(ours: str) -> None:
    call = Call()
    (offer,) = call.we_offer(ours)
    call.wire.gets(reply(offer, 481))
    assert call.wire.events() == [Lost(call.leg, "gone")]


def test_an_update_that_is_not_taken_is_not_tried_for_refreshes_either() -> None:
    call = Call()
    (offer,) = call.we_offer("UPDATE")
    call.wire.gets(reply(offer, 405))
    assert call.refused() == 405


def test_an_update_after_the_end_is_late() -> None:
    call = Call()
    call.wire.agent.hang_up(call.leg, 0.0)
    call.wire.take()
    assert call.we_offer("UPDATE") == []
    assert call.wire.drops()[-1] == "late_command"


def test_an_update_that_crosses_our_bye_is_told_to_nobody() -> None:
    call = Call()
    (offer,) = call.we_offer("UPDATE")
    call.wire.agent.hang_up(call.leg, 0.0)
    call.wire.gets(reply(offer, 200))
    assert call.wire.events() == []


def test_a_phone_hears_our_update_with_what_belongs_into_one() -> None:
    call = Call()
    (offer,) = call.we_offer("UPDATE")
    assert offer["CSeq"] == "1 UPDATE"
    assert (offer.body, offer["Content-Type"]) == ("v=0\r\n", "application/sdp")
    assert "Contact" in offer
