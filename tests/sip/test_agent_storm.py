"""Calls in any order of messages, losses and commands: each leg ends once, and nothing is left."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from sipgw.sip.events import Cancelled, HungUp, Invited, Lost, Refused, Reinvited, Released, SipEvent
from sipgw.sip.leg import Stage
from tests.fakes.sip_phone import FLOW, OFFER, Heard, Phone, Wire, reply

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
        others = [self.peer_request, self.peer_reply, self.command, self.command, self.wait]
        few = len(self.wire.agent._core.legs) < 3
        self.dice.choice([*others, self.call_in, self.call_out] if few else others)()
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
        more = self.dice.choice(["", "", "Supported: 100rel\r\n"])
        phone = Phone(call_id=f"c{number}", tag=f"p{number}", branch=f"z9hG4bK-{number}", more=more)
        self.phones.append(phone)
        self.hear(phone.invite(self.dice.choice([OFFER, OFFER, ""])))

    def call_out(self) -> None:
        body = self.dice.choice([SDP, SDP, b""])
        self.legs.add(self.wire.agent.invite("sip:a@127.0.0.1:5070", FLOW, body, self.wire.now, from_="<sip:b@x>"))

    def peer_request(self) -> None:
        if not self.phones:
            return
        at = self.dice.choice(range(len(self.phones))[-3:])
        phone = self.phones[at]
        tags = [heard.to_tag for heard in self.sent if heard["Call-ID"] == phone.call_id and heard.to_tag]
        within = phone.within(next(heard for heard in self.sent if heard.to_tag == tags[-1])) if tags else phone
        kind = self.dice.choice(["again", "ack", "cancel", "bye", *3 * ["reinvite", "update", "prack"]])
        if kind in ("reinvite", "update", "prack"):
            self.phones[at] = phone = phone.next(f"z9hG4bK-{at}-{phone.cseq + 1}")
            within = within.next(phone.branch)
        rack = f"RAck: {self.sequence(phone)} 1 INVITE\r\n"
        texts = {
            "again": phone.invite(),
            "ack": within.ack(branch=self.dice.choice([phone.branch, "z9hG4bK-ack"])),
            "cancel": phone.cancel(),
            "bye": within.bye(),
            "reinvite": within.invite(),
            "update": within.request("UPDATE", self.dice.choice([OFFER, ""])),
            "prack": within.request("PRACK", self.dice.choice([OFFER, ""]), more=rack),
        }
        self.hear(texts[kind])

    def sequence(self, phone: Phone) -> str:
        """Of the last reliable response that the phone got."""
        heard = [one["RSeq"] for one in self.sent if one["Call-ID"] == phone.call_id and "RSeq" in one]
        return heard[-1] if heard else "1"

    def peer_reply(self) -> None:
        ours = [heard for heard in self.sent if heard.brief in ("INVITE", "BYE", "CANCEL", "UPDATE", "PRACK")]
        if ours:
            status = self.dice.choice([100, 180, 183, 183, 199, 200, 200, 200, 408, 481, 486, 487, 491])
            early = 100 < status < 200 and self.dice.random() < 0.7
            more = f"Require: 100rel\r\nRSeq: {self.dice.randint(1, 3)}\r\n" if early else ""
            to_tag, body = self.dice.choice(["x", "y"]), self.dice.choice(["", "v=0\r\n"])
            self.hear(reply(self.dice.choice(ours[-6:]), status, to_tag=to_tag, body=body, more=more))

    def command(self) -> None:
        wire, legs = self.wire, sorted(self.legs)
        if not legs:
            return
        leg = self.dice.choice([leg for leg in legs if leg in wire.agent._core.legs] or legs)
        body = self.dice.choice([SDP, b""])
        match self.dice.choice([*3 * ["ring", "answer", "reinvite", "update", "acknowledge"], "refuse", "hang_up"]):
            case "ring":
                wire.agent.ring(leg, wire.now, 183 if body else 180, body)
            case "update":
                wire.agent.update(leg, SDP, wire.now)
            case "acknowledge":
                wire.agent.acknowledge(leg, SDP, wire.now, self.dice.choice(["", "x", "y"]))
            case "answer":
                wire.agent.answer(leg, SDP, wire.now)
            case "refuse":
                self.refuse(leg)
            case "hang_up":
                self.end(leg)
            case "reinvite":
                wire.agent.reinvite(leg, body, wire.now)

    def refuse(self, leg: str) -> None:
        found = self.wire.agent._core.legs.get(leg)
        if found is not None and found.stage is Stage.ASKED and found.offer is None:
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
        self.sent += self.wire.until(self.wire.now + self.dice.choice([0.1, 0.1, 0.6, 0.6, 5.0, 40.0]))

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
        for leg in 2 * list(self.wire.agent._core.legs):  # the first time it may be an offer that is refused
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
