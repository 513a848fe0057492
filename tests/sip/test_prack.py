"""Reliable provisional responses in both roles: ladders in simulated time (RFC 3262)."""

from dataclasses import replace

import pytest

from sipgw.errors import PeerError
from sipgw.sip.events import Acknowledged, Answered, Cancelled, Lost, Progressed, Released
from sipgw.sip.reliable import RAck
from tests.fakes.sip_phone import FLOW, OFFER, Heard, Phone, Wire, reply

SDP = b"v=0\r\n"
REQUIRES, SUPPORTS = "Require: 100rel\r\n", "Supported: 100rel\r\n"


def ringing(more: str, status: int = 180, body: bytes = b"", offer: str = OFFER) -> tuple[Wire, str, Heard]:
    """A call of the phone's that we ring for."""
    wire = Wire()
    wire.gets(Phone(more=more).invite(offer))
    leg = wire.events()[0].leg
    wire.agent.ring(leg, 0.0, status, body)
    (ring,) = wire.take()
    return wire, leg, ring


def prack(ring: Heard, branch: str = "z9hG4bK-p", cseq: int = 2, rack: str = "", body: str = "") -> str:
    phone = replace(Phone().within(ring), cseq=cseq, branch=branch)
    return phone.request("PRACK", body, more=f"RAck: {rack or ring['RSeq'] + ' 1 INVITE'}\r\n")


def briefs(heard: list[Heard]) -> list[str]:
    return [one.brief for one in heard]


def test_values() -> None:
    assert RAck.parse(" 776656  1 INVITE") == RAck(776656, 1, "INVITE")
    assert str(RAck(1, 2, "INVITE")) == "1 2 INVITE"
    for text in ("", "1 2", "1 x INVITE", "-1 2 INVITE", "1 2 INVITE 4"):
        with pytest.raises(PeerError, match="400"):
            RAck.parse(text)


# --- the peer calls ---------------------------------------------------------------------------------------------------


def test_a_peer_that_insists_gets_a_reliable_response_until_its_prack() -> None:
    wire, _, ring = ringing(REQUIRES)
    assert ring["Require"] == "100rel"
    assert 1 <= int(ring["RSeq"]) < 2**31
    # Doubling from T1, and not held back by T2 (section 3).
    assert [(one.when, one.brief) for one in wire.until(10.0)] == [
        (0.5, "180"),
        (1.5, "180"),
        (3.5, "180"),
        (7.5, "180"),
    ]
    (ok,) = wire.gets(prack(ring))
    assert ok.brief == "200"
    assert wire.until(60.0) == []
    assert wire.events() == []


def test_one_that_only_could_gets_it_for_early_media_alone() -> None:
    _, _, ring = ringing(SUPPORTS)
    assert "RSeq" not in ring
    _, _, progress = ringing(SUPPORTS, 183, SDP)
    assert "RSeq" in progress
    _, _, plain = ringing("", 183, SDP)
    assert "RSeq" not in plain


def test_the_next_response_waits_for_the_prack_of_the_first() -> None:
    wire, leg, first = ringing(REQUIRES)
    wire.agent.ring(leg, 0.0, 183)
    assert wire.take() == []
    ok, second = sorted(wire.gets(prack(first)), key=lambda one: one.brief, reverse=True)
    assert (ok.brief, second.brief) == ("200", "183")
    assert int(second["RSeq"]) == int(first["RSeq"]) + 1
    assert briefs(wire.gets(prack(second, "z9hG4bK-q", 3))) == ["200"]


def test_without_a_prack_the_call_is_given_up() -> None:
    wire, leg, _ = ringing(REQUIRES)
    assert wire.until(32.0)[-1].brief == "504"
    assert wire.events() == [Lost(leg, "no_prack")]


def test_a_prack_for_nothing_is_told_so() -> None:
    wire, _, ring = ringing(REQUIRES)
    for rack in (f"{int(ring['RSeq']) + 1} 1 INVITE", f"{ring['RSeq']} 9 INVITE", f"{ring['RSeq']} 1 BYE"):
        assert briefs(wire.gets(prack(ring, f"z9hG4bK-{len(rack)}{rack[-1]}", rack=rack))) == ["481"]
    assert briefs(wire.gets(prack(ring).replace("RAck", "Rack-Not", 1))) == ["400"]
    assert briefs(wire.gets(prack(ring, "z9hG4bK-good", 9))) == ["200"]
    assert briefs(wire.gets(prack(ring, "z9hG4bK-late", 10))) == ["481"]


@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_prack_that_crosses_the_answer_is_for_something(acknowledged: bool) -> None:
    wire, leg, ring = ringing(REQUIRES)
    wire.agent.answer(leg, SDP, 0.1)
    (ok,) = wire.take()
    if acknowledged:
        wire.gets(Phone().within(ok).ack())
    assert briefs(wire.gets(prack(ring))) == ["200"]
    assert briefs(wire.gets(prack(ring, "z9hG4bK-again", 3))) == ["481"]


def test_the_answer_waits_for_the_prack_of_early_media() -> None:
    wire, leg, progress = ringing(SUPPORTS, 183, SDP)
    wire.agent.answer(leg, SDP, 0.1)
    assert wire.take() == []
    assert sorted(briefs(wire.gets(prack(progress)))) == ["200", "200"]
    wire.gets(Phone().within(progress).ack())
    assert wire.until(40.0) == []


def test_the_answer_does_not_wait_for_a_ring_without_a_description() -> None:
    wire, leg, _ = ringing(REQUIRES)
    wire.agent.answer(leg, SDP, 0.1)
    assert briefs(wire.take()) == ["200"]
    # The 180 is not repeated after it.
    assert {one.brief for one in wire.until(4.0)} == {"200"}
    assert {one["CSeq"] for one in wire.until(8.0)} == {"1 INVITE"}


def test_an_answer_that_waits_can_be_taken_back() -> None:
    wire, leg, _ = ringing(SUPPORTS, 183, SDP)
    wire.agent.answer(leg, SDP, 0.1)
    wire.agent.hang_up(leg, 0.2)
    assert briefs(wire.take()) == ["480"]
    assert wire.events() == [Released(leg)]


def test_a_cancel_ends_the_repeats() -> None:
    wire, _, _ = ringing(REQUIRES)
    assert briefs(wire.gets(Phone().cancel())) == ["200", "487"]
    assert [type(event) for event in wire.events()] == [Cancelled]
    assert {one.brief for one in wire.until(5.0)} == {"487"}


def test_the_answer_to_an_offer_of_ours_comes_in_the_prack() -> None:
    wire, leg, progress = ringing(REQUIRES, 183, SDP, offer="")
    assert briefs(wire.gets(prack(progress, body="v=1\r\n"))) == ["200"]
    (event,) = wire.events()
    assert isinstance(event, Acknowledged)
    assert (event.leg, event.request.body) == (leg, b"v=1\r\n")
    # With that all is said: neither 200 nor ACK has a description.
    wire.agent.answer(leg, SDP, 0.1)
    (ok,) = wire.take()
    assert (ok.brief, ok.body) == ("200", "")


def test_a_prack_that_owes_us_an_answer_is_told_of_even_without_it() -> None:
    wire, leg, progress = ringing(SUPPORTS, 183, SDP, offer="")
    wire.gets(prack(progress))
    (event,) = wire.events()
    assert isinstance(event, Acknowledged)
    assert (event.leg, event.request.body) == (leg, b"")


def test_a_description_in_a_prack_that_nothing_asked_for_is_dropped() -> None:
    wire, _, ring = ringing(REQUIRES)
    assert briefs(wire.gets(prack(ring, body="v=1\r\n"))) == ["200"]
    assert wire.events() == []
    assert "unasked_description" in wire.drops()


# --- we call ----------------------------------------------------------------------------------------------------------


def calling() -> tuple[Wire, str, Heard]:
    wire = Wire()
    leg = wire.agent.invite("sip:human@127.0.0.1:5070", FLOW, SDP, 0.0, from_="<sip:gw@127.0.0.1>")
    (invite,) = wire.take()
    assert "100rel" in invite["Supported"]
    return wire, leg, invite


def progress(invite: Heard, sequence: int, tag: str = "human", status: int = 183) -> str:
    return reply(invite, status, to_tag=tag, body="v=0\r\n", more=f"Require: 100rel\r\nRSeq: {sequence}\r\n")


def test_we_acknowledge_a_reliable_response_and_hear_of_it_once() -> None:
    wire, leg, invite = calling()
    (prack,) = wire.gets(progress(invite, 77))
    assert (prack.brief, prack["RAck"], prack["CSeq"]) == ("PRACK", "77 1 INVITE", "2 PRACK")
    assert prack["To"].endswith(";tag=human")
    assert wire.gets(progress(invite, 77)) == []
    wire.gets(reply(prack, 200))
    events = wire.events()
    assert [type(event) for event in events] == [Progressed]
    # The dialog's numbers go on.
    wire.gets(reply(invite, 200, to_tag="human"))
    wire.agent.hang_up(leg, 1.0)
    assert wire.take()[-1]["CSeq"] == "3 BYE"


def test_a_response_that_overtook_another_waits_for_its_repeat() -> None:
    wire, _, invite = calling()
    wire.gets(progress(invite, 5))
    assert wire.gets(progress(invite, 7)) == []
    assert briefs(wire.gets(progress(invite, 6))) == ["PRACK"]
    assert briefs(wire.gets(progress(invite, 7))) == ["PRACK"]


def test_each_phone_of_a_forked_call_is_acknowledged_in_its_own_dialog() -> None:
    wire, _, invite = calling()
    (one,) = wire.gets(progress(invite, 10, "desk"))
    (two,) = wire.gets(progress(invite, 500, "mobile"))
    assert [prack["To"].partition("tag=")[2] for prack in (one, two)] == ["desk", "mobile"]
    assert [prack["RAck"] for prack in (one, two)] == ["10 1 INVITE", "500 1 INVITE"]
    (ack,) = wire.gets(reply(invite, 200, to_tag="mobile"))
    assert ack["To"].endswith("tag=mobile")
    tags = [event.response.to.tag for event in wire.events() if isinstance(event, Progressed | Answered)]
    assert tags == ["desk", "mobile", "mobile"]


@pytest.mark.parametrize("more", ["Require: 100rel\r\n", "Require: 100rel\r\nRSeq: x\r\n", "RSeq: 5\r\n"])
def test_what_is_not_quite_reliable_gets_no_prack(more: str) -> None:
    wire, _, invite = calling()
    assert wire.gets(reply(invite, 183, to_tag="human", more=more)) == []
    assert [type(event) for event in wire.events()] == [Progressed]
