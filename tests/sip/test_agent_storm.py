"""Calls in any order of messages, losses and commands: each leg ends once, and nothing is left."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from sipgw.sip.events import Cancelled, HungUp, Invited, Lost, Refused, Reinvited, Released, SipEvent
from sipgw.sip.leg import Stage
from tests.fakes.sip_phone import FLOW, Heard, Phone, Wire, reply

SDP = b"v=0\r\n"


def is_last(event: SipEvent) -> bool:
    """Whether the leg is gone with this event."""
    return isinstance(event, Cancelled | HungUp | Lost | Released) or (isinstance(event, Refused) and event.initial)


class Storm:
    """One incoming and one outgoing call at a time; a peer that answers, loses and repeats as the dice say."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.wire = Wire()
        self.ends: Counter[str] = Counter()
        self.legs: set[str] = set()
        self.refused: set[str] = set()
        self.sent: list[Heard] = []
        self.phones: list[Phone] = []

    def step(self) -> None:
        self.dice.choice([self.call_in, self.call_out, self.peer_request, self.peer_reply, self.command, self.wait])()
        fresh = self.wire.take()
        self.sent += fresh
        for heard in fresh:
            self.acknowledge(heard)
        self.learn()

    def acknowledge(self, heard: Heard) -> None:
        """Mostly, the peer acknowledges what it gets."""
        cseq, _, method = heard["CSeq"].partition(" ")
        ours = [phone for phone in self.phones if phone.call_id == heard["Call-ID"]]
        if (
            method == "INVITE"
            and heard.brief.isdigit()
            and int(heard.brief) >= 200
            and ours
            and self.dice.random() < 0.7
        ):
            branch = "z9hG4bK-ack" if heard.brief == "200" else heard["Via"].partition("branch=")[2]
            self.hear(replace(ours[0].within(heard), cseq=int(cseq)).ack(branch=branch))

    def call_in(self) -> None:
        number = len(self.phones)
        phone = Phone(call_id=f"c{number}", tag=f"p{number}", branch=f"z9hG4bK-{number}")
        self.phones.append(phone)
        self.hear(phone.invite())

    def call_out(self) -> None:
        self.legs.add(self.wire.agent.invite("sip:a@127.0.0.1:5070", FLOW, SDP, self.wire.now, from_="<sip:b@x>"))

    def peer_request(self) -> None:
        if not self.phones:
            return
        at = self.dice.randrange(len(self.phones))
        phone = self.phones[at]
        tags = [heard.to_tag for heard in self.sent if heard["Call-ID"] == phone.call_id and heard.to_tag]
        within = phone.within(next(heard for heard in self.sent if heard.to_tag == tags[-1])) if tags else phone
        kind = self.dice.choice(["again", "ack", "cancel", "bye", "reinvite"])
        if kind == "reinvite":
            self.phones[at] = phone = phone.next(f"z9hG4bK-{at}-{phone.cseq + 1}")
            within = within.next(phone.branch)
        texts = {
            "again": phone.invite(),
            "ack": within.ack(branch=self.dice.choice([phone.branch, "z9hG4bK-ack"])),
            "cancel": phone.cancel(),
            "bye": within.bye(),
            "reinvite": within.invite(),
        }
        self.hear(texts[kind])

    def peer_reply(self) -> None:
        ours = [heard for heard in self.sent if heard.brief in ("INVITE", "BYE", "CANCEL")]
        if ours:
            status = self.dice.choice([100, 180, 200, 200, 408, 481, 486, 487])
            self.hear(reply(self.dice.choice(ours[-6:]), status, to_tag=self.dice.choice(["x", "y"])))

    def command(self) -> None:
        wire, legs = self.wire, sorted(self.legs)
        if not legs:
            return
        leg = self.dice.choice(legs)
        match self.dice.choice(["ring", "answer", "refuse", "hang_up", "reinvite"]):
            case "ring":
                wire.agent.ring(leg, wire.now)
            case "answer":
                wire.agent.answer(leg, SDP, wire.now)
            case "refuse":
                self.refuse(leg)
            case "hang_up":
                self.end(leg)
            case "reinvite":
                wire.agent.reinvite(leg, SDP, wire.now)

    def refuse(self, leg: str) -> None:
        found = self.wire.agent._core.legs.get(leg)
        if found is not None and found.stage is Stage.ASKED:
            self.refused.add(leg)
        self.wire.agent.refuse(leg, 486, self.wire.now)

    def end(self, leg: str) -> None:
        """End a leg as the layer above would."""
        found = self.wire.agent._core.legs.get(leg)
        if found is not None and found.stage is Stage.ASKED:
            self.refuse(leg)
        else:
            self.wire.agent.hang_up(leg, self.wire.now)

    def wait(self) -> None:
        self.sent += self.wire.until(self.wire.now + self.dice.choice([0.1, 0.6, 5.0, 40.0]))

    def hear(self, text: str) -> None:
        for _ in range(self.dice.choice([0, 1, 1, 1, 2])):
            self.sent += self.wire.gets(text)

    def learn(self) -> None:
        for event in self.wire.events():
            if isinstance(event, Invited):
                self.legs.add(event.leg)
            elif is_last(event):
                self.ends[event.leg] += 1
                assert self.wire.agent.dialog(event.leg) is None or isinstance(event, Lost)
            else:
                assert event.leg not in self.ends, f"{event} after the end"
                assert not isinstance(event, Reinvited) or event.leg in self.legs

    def finish(self) -> None:
        for leg in list(self.wire.agent._core.legs):
            self.end(leg)
        self.wire.until(self.wire.now + 200.0)
        self.learn()


@pytest.mark.parametrize("seed", range(30))
def test_each_leg_ends_once_and_nothing_is_left(seed: int) -> None:
    storm = Storm(seed)
    for _ in range(60):
        storm.step()
    storm.finish()
    assert storm.ends == Counter(dict.fromkeys(storm.legs - storm.refused, 1))
    core = storm.wire.agent._core
    assert not any((core.legs, core.exchange._transactions, core.exchange._by_flow, core.exchange._merged))
    assert storm.wire.agent.next_timer() is None
