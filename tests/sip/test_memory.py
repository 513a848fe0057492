"""Legs that outlive their agent: what is written down, and that another agent goes on with it."""

import json
from dataclasses import replace

import pytest

from sipgw.options import SipOptions
from sipgw.sip.agent import Agent
from sipgw.sip.events import Answered, Confirmed, HungUp, Lost, Reinvited, Released
from tests.fakes.sip_phone import FLOW, Heard, Phone, Wire, answered, reply

ROUTES = "Record-Route: <sip:127.0.0.1:5091;lr>, <sip:127.0.0.1:5092;lr>\r\n"
SDP = b"v=0\r\n"


def restored(wire: Wire, leg: str) -> Wire:
    """Another agent that goes on with a leg of `wire`, at the same time."""
    other = Wire()
    other.now = wire.now
    other.agent = Agent(SipOptions(), token=iter(f"u{number}" for number in range(100)).__next__)
    other.agent.restore(leg, json.loads(json.dumps(wire.agent.snapshot(leg))), other.now)
    return other


def test_it_answers_a_bye() -> None:
    leg, phone = answered(wire := Wire())
    other = restored(wire, leg)
    assert [heard.brief for heard in other.gets(phone.bye())] == ["200"]
    (event,) = other.events()
    assert isinstance(event, HungUp)
    assert event.leg == leg


def test_what_a_certificate_proved_is_not_forgotten() -> None:
    wire = Wire()
    flow = replace(FLOW, transport="tls", names=("sbc.carrier.example", "sbc2.carrier.example"))
    wire.gets(Phone().invite(), flow)
    leg = wire.events()[-1].leg
    wire.agent.answer(leg, b"v=0\r\n", 0.0)
    wire.gets(Phone().within(wire.take()[-1]).ack(), flow)
    dialog = restored(wire, leg).agent.dialog(leg)
    assert dialog is not None
    assert dialog.flow.names == flow.names


def test_it_sends_a_bye() -> None:
    leg, _ = answered(wire := Wire(), Phone(more=ROUTES))
    other = restored(wire, leg)
    other.agent.hang_up(leg, 0.0)
    (bye,) = other.take()
    wire.agent.hang_up(leg, 0.0)
    (same,) = wire.take()
    assert (bye.first, bye["To"], bye["From"], bye["CSeq"], bye.all("Route"), bye.flow) == (
        *(same.first, same["To"], same["From"], same["CSeq"]),
        *(same.all("Route"), same.flow),
    )
    other.gets(reply(bye, 200))
    assert other.events() == [Released(leg)]


def test_it_reinvites_and_is_reinvited() -> None:
    leg, phone = answered(wire := Wire())
    other = restored(wire, leg)
    other.agent.reinvite(leg, SDP, 0.0)
    assert [heard.brief for heard in other.gets(reply(other.take()[0], 200))] == ["ACK"]
    assert [type(event) for event in other.events()] == [Answered]
    assert [heard.brief for heard in other.gets(phone.next("z9hG4bK-2").invite())] == ["100"]


def test_a_200_whose_ack_is_out_is_sent_again_until_it_comes() -> None:
    wire = Wire()
    phone = Phone(more="X-Name: J\xfcrg\r\n")
    wire.agent.receive(phone.invite().encode("latin-1"), FLOW, 0.0)
    wire.take()
    leg = wire.events()[0].leg
    wire.agent.answer(leg, SDP, 0.0)
    (ok,) = wire.take()
    # Whether it arrived, nobody knows.
    other = restored(wire, leg)
    (again,) = other.take()
    assert again.text == ok.text
    # The caller repeats its INVITE, and is not taken for a new one.
    other.agent.receive(phone.invite().encode("latin-1"), FLOW, 0.0)
    assert other.take() == []
    assert [heard.text for heard in other.until(0.6)] == [ok.text]
    other.gets(phone.within(ok).ack())
    assert [type(event) for event in other.events()] == [Confirmed]
    assert other.until(5.0) == []


def test_one_that_is_to_be_hung_up_waits_for_its_ack() -> None:
    wire = Wire()
    phone = Phone()
    wire.gets(phone.invite())
    leg = wire.events()[0].leg
    wire.agent.answer(leg, SDP, 0.0)
    other = restored(wire, leg)
    (ok,) = other.take()
    other.agent.hang_up(leg, 0.0)
    assert other.take() == []
    assert [heard.brief for heard in other.gets(phone.within(ok).ack())] == ["BYE"]


def test_an_ack_that_never_comes_ends_it() -> None:
    wire = Wire()
    wire.gets(Phone().invite())
    leg = wire.events()[0].leg
    wire.agent.answer(leg, SDP, 0.0)
    other = restored(wire, leg)
    assert "BYE" in [heard.brief for heard in other.until(33.0)]
    assert other.events() == [Lost(leg, "no_ack")]


def test_a_bye_that_may_not_have_arrived_can_be_sent_again() -> None:
    leg, _ = answered(wire := Wire())
    wire.agent.hang_up(leg, 0.0)
    (bye,) = wire.take()
    other = restored(wire, leg)
    other.agent.hang_up(leg, 0.0)
    (again,) = other.take()
    assert int(again["CSeq"].split()[0]) == int(bye["CSeq"].split()[0]) + 1


def test_a_reinvite_that_was_not_answered_comes_again() -> None:
    leg, phone = answered(wire := Wire())
    second = phone.next("z9hG4bK-2")
    wire.gets(second.invite())
    other = restored(wire, leg)
    assert [heard.brief for heard in other.gets(second.invite())] == ["100"]
    assert [type(event) for event in other.events()] == [Reinvited]


def test_what_waits_for_an_answer_or_is_gone_is_not_written_down() -> None:
    wire = Wire()
    wire.gets(Phone().invite())
    assert wire.agent.snapshot(wire.events()[0].leg) is None
    leg = wire.agent.invite("sip:a@127.0.0.1:5070", FLOW, SDP, 0.0, from_="<sip:b@127.0.0.1>")
    assert wire.agent.snapshot(leg) is None
    leg, phone = answered(wire := Wire())
    wire.gets(phone.bye())
    assert wire.agent.snapshot(leg) is None


@pytest.mark.parametrize("plain", [{}, {"version": 1, "dialog": {}}])
def test_snapshots_of_other_versions_are_refused(plain: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="version"):
        Wire().agent.restore("leg", plain, 0.0)


class Kept:
    """Keeps the newest snapshot of each leg, by what the agent says has changed."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.told: set[str] = set()
        self.kept: dict[str, object] = {}
        self.wire.agent = Agent(
            SipOptions(), token=iter(f"t{number}" for number in range(100)).__next__, changed=self.told.add
        )

    def check(self) -> None:
        """Take what changed, as one who writes it down before anything is sent; then nothing may differ."""
        for leg in self.told:
            self.kept[leg] = self.wire.agent.snapshot(leg)
        self.told.clear()
        for leg, kept in self.kept.items():
            assert self.wire.agent.snapshot(leg) == kept

    def gets(self, text: str) -> list[Heard]:
        """As of `Wire`."""
        self.wire.agent.receive(text.encode(), FLOW, self.wire.now)
        self.check()
        return self.wire.take()


@pytest.mark.parametrize("by", ["them", "us"])
def test_every_change_is_told(by: str) -> None:
    kept, phone = Kept(), Phone()
    wire = kept.wire
    kept.gets(phone.invite())
    leg = wire.events()[0].leg
    wire.agent.answer(leg, SDP, 0.0)
    kept.check()
    assert kept.kept[leg] is not None, "before the 200 leaves"
    phone = phone.within(wire.take()[-1])
    kept.gets(phone.ack())
    # In-dialog requests of theirs and of ours, each with a new target.
    kept.gets(phone.request("OPTIONS", cseq=2, branch="z9hG4bK-ping"))
    moved = phone.next("z9hG4bK-3", contact="<sip:phone@127.0.0.1:5071>").next("z9hG4bK-4")
    kept.gets(moved.invite())
    wire.agent.answer(leg, SDP, 0.0)
    kept.check()
    kept.gets(moved.ack())
    wire.take()
    wire.agent.reinvite(leg, SDP, 0.0)
    kept.check()
    kept.gets(reply(wire.take()[-1], 200, contact="<sip:phone@127.0.0.1:5072>"))
    assert "5072" in str(kept.kept[leg])
    if by == "them":
        kept.gets(moved.next("z9hG4bK-5").bye())
    else:
        wire.agent.hang_up(leg, 0.0)
        kept.check()
        kept.gets(reply(wire.take()[-1], 200))
    assert kept.kept[leg] is None
