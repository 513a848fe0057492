"""Any order of events whatever: everything is given back once, each INVITE gets one final response, one record.

SIP and the media plane play by what they promise in their events' docstrings; all else comes when it likes.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipgw.ai import events as ai
from sipgw.call import effects as do
from sipgw.call.commands import (
    Command,
    HangUpCall,
    HoldCall,
    NoSuchCall,
    PlayPrompt,
    ResumeCall,
    SayText,
    SendDigits,
    StopPrompt,
    WrongState,
)
from sipgw.call.events import PortsOpened
from sipgw.call.ids import owner
from sipgw.media import plane
from sipgw.options import CallOptions
from sipgw.sip import events as sip
from tests.fakes.control import Control, Fake, route, sdp

OPTIONS = CallOptions(
    routes=(
        route("ai", "spare", number="1*"),
        route("ai", number="2*", last_resort="503", ring=False),
        route("ai", number="3*", anyone=False, sources=("198.51.100.0/24",)),
        route("ai", "spare", number="5*", early_media=True, early_prompt="greeting", early_seconds=1.0),
    ),
    max_calls=3,
    drain_limit=0.2,
)
BODIES = {"offer": sdp(), "port": sdp(port=41_000), "hold": sdp(way="sendonly"), "g729": sdp(formats="18"), "none": b""}
REPORTS: dict[str, tuple[ai.Report, tuple[int, ...]]] = {
    "ready": (ai.Ready(), (1, 2)),
    "failed": (ai.Failed("lost"), (1, 2)),
    "hang up": (ai.WantsHangUp("", ""), (1,)),
    "tool": (ai.ToolCall("c", "tool"), (1,)),
    "transfer": (ai.TransferWish("desk", "t"), (2,)),
    "closed": (ai.Closed("normal"), (1,)),
}
"""With the attempts that may say so."""
COMMANDS = (
    HangUpCall(""),
    PlayPrompt("", "greeting"),
    StopPrompt(""),
    SendDigits("", "1"),
    HoldCall(""),
    ResumeCall(""),
    SayText("", "Hello."),
)
Move = Callable[[], object]


class Phone:
    """One call's far ends: knows which moves its SIP agent and its session may make now."""

    def __init__(self, control: Control, fake: Fake, *, offerless: bool) -> None:
        self.control = control
        self.fake = fake
        self.leg = fake.leg
        self.gone = False
        """The agent has reported the leg gone."""
        self.offerless = offerless
        self.pracked = False
        self.acked = False
        """The last 2xx has its ACK."""

    @property
    def waits(self) -> bool:
        """Whether an INVITE has no final response."""
        return self.control.finals[self.leg] < self.control.invites[self.leg]

    @property
    def answered(self) -> bool:
        return self.control.answered[self.leg] > 0

    @property
    def early(self) -> bool:
        """Whether it hears early media."""
        return any(isinstance(one, do.Ring) and one.body for one in self.control.effects if self._concerns(one))

    @property
    def offered(self) -> bool:
        """Whether it has yet to answer our early offer."""
        return self.offerless and self.early and not self.pracked

    def _concerns(self, effect: object) -> bool:
        return getattr(effect, "leg", "") == self.leg

    def _prack(self, body: bytes) -> None:
        self.pracked = True
        self.fake.prack(body)

    @property
    def up(self) -> bool:
        """Whether there is a dialog that neither side has ended."""
        return self.answered and not self.gone and not self.control.byes[self.leg]

    def moves(self) -> dict[str, Move]:
        """What may happen now, by name."""
        return {**dict(self._sip()), **dict(self._session()), **dict(self._media())}

    def _sip(self) -> Iterator[tuple[str, Move]]:
        fake = self.fake
        if self.gone or not self.control.invites[self.leg]:
            return
        if self.waits and not self.answered:
            yield "cancel", lambda: self._leave(fake.cancel)
            if self.offered:
                yield from ((f"prack {name}", partial(self._prack, BODIES[name])) for name in ("offer", "g729", "none"))
            elif self.early:
                yield from ((f"update {name}", partial(fake.update, BODIES[name])) for name in ("port", "hold", "g729"))
        if self.waits or self.up:
            yield "bye", lambda: self._leave(fake.bye)
        if self.up:
            yield "no ack", lambda: self._leave(lambda: fake.lost("no_ack"))
            yield "lost", lambda: self._leave(lambda: fake.lost("gone"))
        if self.control.byes[self.leg]:
            yield "released", lambda: self._leave(fake.released)
            yield "crossing bye", lambda: self._leave(fake.bye)
            yield "unanswered bye", lambda: self._leave(lambda: fake.lost("no_answer_to_bye"))
        if self.up and not self.waits and not self.acked:
            for name in ("offer", "g729", "none"):
                yield f"ack {name}", partial(self._ack, BODIES[name])
            yield (
                "broken ack",
                lambda: self.control.carry(
                    self.control.calls.on_sip(sip.Confirmed(self.leg, None), self.control.now)  # type: ignore[arg-type]
                ),
            )
        if self.answered:
            for name in ("offer", "g729", "none"):
                yield f"replaced {name}", partial(self._replace, BODIES[name])
        if self.up and self.control.offers[self.leg]:
            for name in ("hold", "none"):
                yield f"accepts {name}", partial(fake.accepts, BODIES[name])
            for status in (491, 488):
                yield f"refuses {status}", partial(fake.refuses, status)
        elif self.answered and not self.waits and self.acked:
            for name, body in BODIES.items():
                yield f"reinvite {name}", partial(self._reinvite, body)

    def _leave(self, how: Move) -> None:
        self.gone = True
        how()

    def _ack(self, body: bytes) -> None:
        self.acked = True
        self.fake.ack(body)

    def _reinvite(self, body: bytes) -> None:
        before = self.control.answered[self.leg]
        self.fake.reinvite(body)
        if self.control.answered[self.leg] > before:
            self.acked = False

    def _replace(self, body: bytes) -> None:
        """Another far end wants this one's place."""
        before = self.leg
        self.fake.replaced(f"{self.leg}+", body)
        self.leg = self.fake.leg
        if self.leg != before:
            self.acked = False

    def _session(self) -> Iterator[tuple[str, Move]]:
        control, session = self.control, self.fake.session
        if session in control.asked:
            yield "ports", lambda: control.ports_opened(session)
            yield "no ports", lambda: control.ports_failed(session)
            yield "broken ports", self._broken_ports
        if control.created[session] and session not in control.ended:
            yield "session ended", self.fake.session_ended
            if not control.destroyed[session]:
                yield "session failed", self.fake.session_failed

    def _broken_ports(self) -> None:
        control, session = self.control, self.fake.session
        control.asked.discard(session)
        control.opened[session] += 1
        control.carry(control.calls.on_ports(PortsOpened(session, "no address", 4), control.now))

    def _media(self) -> Iterator[tuple[str, Move]]:
        fake = self.fake
        yield "packet", fake.packet
        yield "silence", fake.inactive
        yield "played", fake.played
        for command in COMMANDS:
            yield type(command).__name__, partial(self._command, command)
        yield "digit", lambda: fake.media(plane.Digit(fake.session, "1", 80))
        for name, (report, attempts) in REPORTS.items():
            for attempt in attempts:
                yield f"{name} {attempt}", partial(fake.report, report, attempt)

    def _command(self, command: Command) -> None:
        with suppress(NoSuchCall, WrongState):
            self.control.command(replace(command, call=owner(self.fake.session)))


def nothing() -> None:
    """The move of somebody who has none."""


class World:
    """A gateway and its phones."""

    def __init__(self) -> None:
        self.control = Control(OPTIONS, ports=None)
        self.phones: list[Phone] = []

    def call(self, body: bytes, number: str = "100") -> Phone:
        leg = f"leg{len(self.phones)}"
        headers = (("Supported", "100rel"),)
        fake = self.control.invite(body, leg=leg, to=f"sip:{number}@gw.example", headers=headers)
        phone = Phone(self.control, fake, offerless=not body)
        self.phones.append(phone)
        return phone

    def moves(self) -> dict[str, Move]:
        """What may happen that is no phone's doing."""
        control = self.control
        passing = {f"{seconds} s": partial(control.advance, seconds) for seconds in (0.3, 6.0, 15_000.0)}
        if len(control.kept()) == len(control.calls.calls()):
            passing |= {
                "restart": partial(control.restart),
                "restart without media": partial(control.restart, media=False),
            }
        return {**passing, "drain": control.drain}

    def finish(self) -> None:
        """The far ends let go; then the books must be balanced."""
        control = self.control
        for phone in self.phones:
            moves = phone.moves()
            for name in ("ports", "bye"):
                moves.get(name, nothing)()
            moves = phone.moves()
            for name in ("session ended", "released"):
                moves.get(name, nothing)()
        control.advance(3.0)
        control.settled()
        assert len(control.records) == len(self.phones)
        assert control.calls.causes.total() == len(self.phones)
        for note in control.notes:
            # No defect but those that were put in.
            assert note.name != "call_broke" or "NoneType" in note.detail or "no address" in note.detail, note.detail


STAGES: dict[str, tuple[str, ...]] = {
    "opening": (),
    "connecting": ("ports",),
    "early": ("ports",),
    "early offer": ("ports",),
    "early, ready": ("ports", "ready 1"),
    "early, spoken": ("ports", "played", "ready 1"),
    "early, failed": ("ports", "played", "ready 1", "failed 1"),
    "last target": ("ports", "failed 1"),
    "answered": ("ports", "ready 1"),
    "confirmed": ("ports", "ready 1", "ack none"),
    "talking": ("ports", "ready 1", "ack none", "packet"),
    "reinvited": ("ports", "ready 1", "ack none", "packet", "reinvite none"),
    "switching": ("ports", "ready 1", "ack none", "packet", "failed 1"),
    "switching unacknowledged": ("ports", "ready 1", "failed 1"),
    "sorry": ("ports", "failed 1", "failed 2"),
    "apologising": ("ports", "failed 1", "failed 2", "ack none", "packet"),
    "ending": ("ports", "ready 1", "ack none", "packet", "silence"),
    "ending before ports": ("cancel",),
    "ended by the caller": ("ports", "ready 1", "ack none", "packet", "bye"),
}


def at(stage: str, body: bytes = BODIES["offer"]) -> World:
    """A world with one call that has come to a stage."""
    world = World()
    early = stage.startswith("early")
    phone = world.call(BODIES["none"] if stage == "early offer" else body, "500" if early else "100")
    for name in STAGES[stage]:
        phone.moves()[name]()
    return world


@pytest.mark.parametrize("stage", STAGES)
def test_any_two_events_at_any_stage_leave_nothing_behind(stage: str) -> None:
    def moves(world: World) -> dict[str, Move]:
        return {**world.phones[0].moves(), **world.moves()}

    for first in moves(at(stage)):
        world = at(stage)
        before = len(world.control.effects), world.control.states()
        moves(world)[first]()
        idle = before == (len(world.control.effects), world.control.states())
        # What changed nothing can only change something as the second of the two.
        for second in () if idle else moves(world):
            world = at(stage)
            moves(world)[first]()
            moves(world)[second]()
            world.finish()


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_events_of_several_calls_leave_nothing_behind(data: st.DataObject) -> None:
    world = World()
    calls: dict[str, Move] = {
        f"call {number} {name}": partial(world.call, body, number)
        for (name, body), number in itertools.product(BODIES.items(), ("100", "200", "300", "400", "500"))
    }
    calls["call 100 offer"]()
    for _ in range(data.draw(st.integers(1, 40), "steps")):
        phone = data.draw(st.sampled_from(world.phones), "phone")
        choices = {**phone.moves(), **world.moves(), **calls}
        choices[data.draw(st.sampled_from(list(choices)), "move")]()
        assert len(world.control.calls.calls()) + len(world.control.records) == len(world.phones)
    world.finish()
