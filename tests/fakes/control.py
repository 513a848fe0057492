"""The other side of the call core's seam in simulated time: carries effects out on paper, plays phone and media.

It keeps books of everything that must be given back, and fails at once where something is done twice, out of order,
or for a call that is over.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from msgspec.msgpack import decode, encode

from sipgw.ai import events as ai
from sipgw.call import effects as do
from sipgw.call.advice import Advice
from sipgw.call.cdr import CallRecord
from sipgw.call.commands import Command
from sipgw.call.events import HookAnswered, HookFailed, PortsFailed, PortsOpened
from sipgw.call.feed import Happening
from sipgw.call.ids import owner
from sipgw.call.pressure import Load
from sipgw.call.registry import DRAIN_TIMER, Calls
from sipgw.call.snapshot import CallSnapshot
from sipgw.flow import Flow
from sipgw.media import plane
from sipgw.options import NOBODY, BackendOptions, CallOptions, IdentityOptions, MediaOptions, RouteOptions
from sipgw.sip import events as sip
from sipgw.sip.message import Headers, Request, Response
from sipgw.trace import Mark, Note
from sipgw.worker.known import Known

E = TypeVar("E")

EPOCH = 1_700_000_000.0
"""Unix time at which the simulated clock shows 0."""
PHONE = ("192.0.2.7", 5060)
STATS = plane.StreamStats(sent_packets=100, received_packets=99, lost_packets=1, jitter_ms=2.5, first_audio_ms=240)

AI = BackendOptions("ai", "sipgw", "ws://192.0.2.80/")
SPARE = BackendOptions("spare", "sipgw", "ws://192.0.2.81/")


def route(*targets: str, number: str = "*", anyone: bool = True, **more: object) -> RouteOptions:
    """A route for anyone."""
    return RouteOptions(number, targets or ("ai",), anyone, **more)  # type: ignore[arg-type]


def sdp(
    *, port: int = 40_000, address: str = "192.0.2.7", formats: str = "0 8 101", way: str = "sendrecv", version: int = 1
) -> bytes:
    """What the phone offers, or answers."""
    lines = (
        *("v=0", f"o=phone 7 {version} IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0"),
        *(f"m=audio {port} RTP/AVP {formats}", "a=rtpmap:101 telephone-event/8000", f"a={way}"),
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def request(
    method: str = "INVITE",
    body: bytes = b"",
    *,
    to: str = "sip:100@gw.example",
    caller: str = "alice",
    kind: str = "application/sdp",
    headers: Iterable[tuple[str, str]] = (),
) -> Request:
    """One of the phone's requests."""
    own = (
        *(("Via", "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1"), ("From", f'"Ann" <sip:{caller}@phone.example>;tag=1')),
        *(("To", f"<{to}>"), ("Call-ID", "abc@phone"), ("CSeq", f"1 {method}")),
        *((("Content-Type", kind),) if body else ()),
    )
    return Request(method, to, Headers((*own, *headers)), body)


@dataclass
class Control:
    """One core and its surroundings.

    `ports` says whether port pairs are opened at once (a number of them), or by hand (None).
    """

    options: CallOptions = field(default_factory=lambda: CallOptions(routes=(route("ai", "spare"),)))
    media: MediaOptions = field(default_factory=MediaOptions)
    ports: int | None = 1000
    wall: Callable[[float], float] = lambda now: EPOCH + now
    now: float = 0.0
    effects: list[do.Effect] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    timers: dict[str, float] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    """Ports asked for that have neither come nor failed."""
    opened: Counter[str] = field(default_factory=Counter)
    released: Counter[str] = field(default_factory=Counter)
    created: Counter[str] = field(default_factory=Counter)
    destroyed: Counter[str] = field(default_factory=Counter)
    conversing: set[str] = field(default_factory=set)
    """Sessions with a conversation that has neither failed nor been told to close."""
    ended: set[str] = field(default_factory=set)
    """Sessions whose last counters were delivered."""
    finals: Counter[str] = field(default_factory=Counter)
    """Final responses by leg, those of re-INVITEs included."""
    invites: Counter[str] = field(default_factory=Counter)
    """INVITEs and re-INVITEs by leg."""
    answered: Counter[str] = field(default_factory=Counter)
    """Those that were a 200."""
    updates: Counter[str] = field(default_factory=Counter)
    """Offers of theirs before the answer to their INVITE, without an answer of ours, by leg."""
    byes: Counter[str] = field(default_factory=Counter)
    offers: Counter[str] = field(default_factory=Counter)
    """Re-INVITEs of ours without a final response, by leg."""
    over: set[str] = field(default_factory=set)
    """Calls with a record."""
    questions: dict[str, do.Ask] = field(default_factory=dict)
    """Put to hooks, without an answer yet."""
    records: list[CallRecord] = field(default_factory=list)
    logs: list[do.Log] = field(default_factory=list)
    known: dict[str, Known] = field(default_factory=dict)
    """The sessions as a worker knows them."""
    changed: set[str] = field(default_factory=set)
    """Calls whose snapshot may have changed; whoever looks clears it."""

    def __post_init__(self) -> None:
        self.serial = itertools.count(1)
        self.drawn = itertools.count(1)
        self.calls = self._core()

    def _core(self) -> Calls:
        options = self.options
        if not options.backends:
            options = replace(options, backends=(AI, SPARE))
        return Calls(
            options,
            self.media,
            token=lambda: f"{next(self.serial):04x}",
            wall=self.wall,
            trace=self.notes.append,
            publish=self.happenings.append,
            changed=self.changed.add,
            random=self.random,
        )

    def random(self, size: int) -> bytes:
        """Keys that can be told apart."""
        return bytes([next(self.drawn)]) * size

    # --- another process ------------------------------------------------------------------------------------------

    def kept(self) -> list[CallSnapshot]:
        """What is written down of the calls, as it is read again."""
        kept = (self.calls.snapshot(view.call) for view in self.calls.calls())
        return [decode(encode(one), type=CallSnapshot) for one in kept if one is not None]

    def restart(self, *, media: bool = True) -> list[do.Effect]:
        """The process dies, and another goes on with the calls that were answered; all there are have to be.

        Args:
            media: whether the sessions live on, elsewhere.
        """
        kept = self.kept()
        assert len(kept) == len(self.calls.calls()), "the others' books would never be closed"
        causes, self.calls = self.calls.causes, self._core()
        self.calls.causes.update(causes)
        self.timers.clear()
        # Whatever was on its way to a far end or back is lost.
        self.byes.clear()
        self.offers.clear()
        for session in self.created:
            if session not in self.ended:
                self.destroyed[session] = 0
                if not media:
                    self.destroyed[session] = 1
                    self.ended.add(session)
                    self.conversing.discard(session)
        alive = [known.alive for name, known in self.known.items() if name not in self.ended]
        sessions = {one.session for one in alive}
        effects = self.carry(self.calls.restore(kept, sessions, self.now))
        for one in alive:
            effects += self.carry(self.calls.reunite(one, self.now))
        return effects

    # --- what the core wants --------------------------------------------------------------------------------------

    def carry(self, effects: list[do.Effect]) -> list[do.Effect]:
        """Carry effects out, those that complete at once included; returns all of them."""
        before = len(self.effects)
        for effect in effects:
            self.effects.append(effect)
            self._check_alive(effect)
            self._do(effect)
        return self.effects[before:]

    def _check_alive(self, effect: do.Effect) -> None:
        """Nothing is done for a call whose record is written, but to release ports that came too late."""
        match effect:
            case do.OpenPorts(id=name) | do.StartTimer(id=name) | do.CancelTimer(id=name) | do.Ask(id=name):
                assert owner(name) not in self.over, f"{effect} after the record"
            case do.Media(command=command):
                assert owner(command.session) not in self.over, f"{command} after the record"

    def _do(self, effect: do.Effect) -> None:
        match effect:
            case do.Answer(leg=leg) | do.Refuse(leg=leg) if self.updates[leg]:
                self.updates[leg] -= 1
            case do.Answer(leg=leg) | do.Refuse(leg=leg):
                if isinstance(effect, do.Answer):
                    self.answered[leg] += 1
                self.finals[leg] += 1
                assert self.finals[leg] <= self.invites[leg], f"{effect} answers nothing"
            case do.HangUp(leg=leg):
                self.byes[leg] += 1
                assert self.byes[leg] == 1, "two BYEs"
            case do.Reinvite(leg=leg):
                self.offers[leg] += 1
                assert self.offers[leg] == 1, "two offers at a time"
                assert not self.byes[leg], "an offer after the BYE"
            case do.Ask(id=name):
                assert name not in self.questions, "ids of questions are used once"
                self.questions[name] = effect
            case do.StopAsking(id=name):
                del self.questions[name]
            case do.OpenPorts(id=name):
                self.asked.add(name)
                self._open(name)
            case do.ReleasePorts(id=name):
                self.released[name] += 1
                assert self.released[name] == self.opened[name], f"{name} was not open"
                assert self.created[name] == self.destroyed[name], "their session is still there"
            case do.Media(command=command):
                self._media(command)
            case do.StartTimer(id=name, when=when):
                assert name not in self.timers, "ids of timers are used once"
                self.timers[name] = when
            case do.CancelTimer(id=name):
                assert name in self.timers, f"{name} does not run"
                del self.timers[name]
            case do.Log():
                self.logs.append(effect)
            case do.Record(record=record):
                assert record.call not in self.over, "two records"
                self.over.add(record.call)
                self.records.append(record)

    def _open(self, name: str) -> None:
        if self.ports is None:
            return
        if self.ports > 0:
            self.ports -= 1
            self.ports_opened(name)
        else:
            self.ports_failed(name)

    def _media(self, command: plane.Command) -> None:
        name = command.session
        if isinstance(command, plane.CreateSession):
            self.known[name] = Known.of(command)
        else:
            self.known[name].command(command)
        match command:
            case plane.CreateSession():
                assert self.opened[name] == 1
                assert not self.released[name]
                self.created[name] += 1
            case plane.DestroySession():
                self.destroyed[name] += 1
                assert name not in self.conversing, "the backend was not told"
            case plane.ConnectBackend():
                self.conversing.add(name)
            case plane.Tell(intent=intent):
                assert name in self.conversing, f"{intent} for nobody"
                if isinstance(intent, ai.Close):
                    self.conversing.remove(name)
        assert self.created[name] == 1, f"{command} without a session"
        assert self.destroyed[name] <= 1, f"{command} for a session destroyed before"

    # --- time and ports -------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> list[do.Effect]:
        """Let time pass; timers fire when they are due."""
        until, before = self.now + seconds, len(self.effects)
        while self.timers:
            name = min(self.timers, key=lambda name: self.timers[name])
            if self.timers[name] > until:
                break
            self.now = self.timers.pop(name)
            self.carry(self.calls.on_timer(name, self.now))
        self.now = until
        return self.effects[before:]

    def ports_opened(self, name: str) -> list[do.Effect]:
        """The ports asked for came."""
        self.asked.discard(name)
        self.opened[name] += 1
        port = 20_000 + 2 * self.opened.total()
        return self.carry(self.calls.on_ports(PortsOpened(name, "127.0.0.1", port), self.now))

    def ports_failed(self, name: str) -> list[do.Effect]:
        """They did not."""
        self.asked.discard(name)
        return self.carry(self.calls.on_ports(PortsFailed(name, "no RTP ports left"), self.now))

    # --- hooks ----------------------------------------------------------------------------------------------------

    @property
    def question(self) -> do.Ask:
        """The one question that waits for an answer."""
        (question,) = self.questions.values()
        return question

    def advise(self, advice: Advice, name: str = "") -> list[do.Effect]:
        """The hook answers that question, or an earlier one by its id."""
        name = name or self.question.id
        self.questions.pop(name, None)
        return self.carry(self.calls.on_hook(HookAnswered(name, advice), self.now))

    def hook_fails(self, reason: str = "http_500") -> list[do.Effect]:
        """It does not."""
        name = self.question.id
        del self.questions[name]
        return self.carry(self.calls.on_hook(HookFailed(name, reason), self.now))

    # --- the phone ------------------------------------------------------------------------------------------------

    def invite(
        self,
        body: bytes | None = None,
        *,
        leg: str = "leg1",
        source: str = PHONE[0],
        trunk: str = "",
        identity: IdentityOptions = NOBODY,
        **more: object,
    ) -> "Fake":
        """A phone calls; without `body` it offers what phones offer, with b"" nothing."""
        self.invites[leg] += 1
        asked = request(body=sdp() if body is None else body, **more)  # type: ignore[arg-type]
        flow = Flow("udp", ("127.0.0.1", 5060), (source, 5060))
        number = len(self.opened) + len(self.asked)
        effects = self.carry(self.calls.on_sip(sip.Invited(leg, asked, flow, trunk, identity), self.now))
        names = [effect.id for effect in effects if isinstance(effect, do.OpenPorts)]
        return Fake(self, leg, names[0] if names else f"none{number}")

    def command(self, command: Command) -> list[do.Effect]:
        """Somebody outside wants something."""
        return self.carry(self.calls.on_command(command, self.now))

    def busy(self, load: Load, seconds: int) -> None:
        """The node is so busy for so long, and measured once a second."""
        for _ in range(seconds):
            self.advance(1.0)
            self.carry(self.calls.on_load(load, self.now))

    def drain(self) -> list[do.Effect]:
        """SIGTERM."""
        return self.carry(self.calls.drain(self.now))

    # --- what was seen --------------------------------------------------------------------------------------------

    def drops(self) -> list[str]:
        """Names of what was dropped."""
        return [note.name for note in self.notes if note.mark is Mark.DROP]

    def states(self) -> list[str]:
        """The states entered, of all calls, in order."""
        return [note.name for note in self.notes if note.mark is Mark.STATE]

    def commands(self) -> list[plane.Command]:
        """All commands to the media plane."""
        return commands(self.effects)

    @property
    def record(self) -> CallRecord:
        """The one record there is."""
        (record,) = self.records
        return record

    def settled(self) -> None:
        """Everything was given back, and nothing runs."""
        assert self.calls.idle
        assert set(self.timers) <= {DRAIN_TIMER}
        assert not self.asked
        assert not self.questions
        assert self.opened == self.released
        assert not (self.destroyed - self.created)
        assert self.finals == self.invites
        assert not self.updates.total()
        assert len([log for log in self.logs if log.message == "call ended"]) == len(self.records)


@dataclass
class Fake:
    """The phone, the media session and the backend of one call."""

    control: Control
    leg: str
    session: str

    # --- SIP ------------------------------------------------------------------------------------------------------

    def ack(self, body: bytes = b"") -> list[do.Effect]:
        """The ACK of our 200."""
        return self._sip(sip.Confirmed(self.leg, request("ACK", body)))

    def bye(self, headers: Iterable[tuple[str, str]] = ()) -> list[do.Effect]:
        """The phone hangs up. Where it has no final response yet, the agent sends 487."""
        self._close_books()
        return self._sip(sip.HungUp(self.leg, request("BYE", headers=headers)))

    def cancel(self, headers: Iterable[tuple[str, str]] = ()) -> list[do.Effect]:
        """The phone gives up; the agent has sent 487."""
        self._close_books()
        return self._sip(sip.Cancelled(self.leg, request("CANCEL", headers=headers)))

    def lost(self, reason: str = "no_ack") -> list[do.Effect]:
        """The agent lost the leg."""
        self._close_books()
        return self._sip(sip.Lost(self.leg, reason))

    def released(self) -> list[do.Effect]:
        """The phone answered our BYE."""
        return self._sip(sip.Released(self.leg))

    def reinvite(self, body: bytes) -> list[do.Effect]:
        """A re-INVITE."""
        self.control.invites[self.leg] += 1
        return self._sip(sip.Reinvited(self.leg, request(body=body)))

    def update(self, body: bytes) -> list[do.Effect]:
        """An UPDATE before our answer."""
        self.control.updates[self.leg] += 1
        return self._sip(sip.Reinvited(self.leg, request("UPDATE", body)))

    def prack(self, body: bytes) -> list[do.Effect]:
        """The PRACK of a response of ours with an offer; `body` is the answer."""
        return self._sip(sip.Acknowledged(self.leg, request("PRACK", body)))

    def replaced(
        self, leg: str = "leg2", body: bytes | None = None, trunk: str = "", **more: object
    ) -> list[do.Effect]:
        """Another far end calls to take this one's place, and has it where it gets a 200."""
        self.control.invites[leg] += 1
        asked = request(body=sdp(port=41_000) if body is None else body, **more)  # type: ignore[arg-type]
        flow = Flow("udp", ("127.0.0.1", 5060), ("192.0.2.8", 5060))
        effects = self._sip(sip.Invited(leg, asked, flow, trunk, replaces=self.leg))
        if any(isinstance(one, do.Answer) and one.leg == leg for one in effects):
            self.leg = leg
        return effects

    def accepts(self, body: bytes) -> list[do.Effect]:
        """The phone's 200 to a re-INVITE of ours."""
        self.control.offers[self.leg] -= 1
        response = Response(200, "OK", request(body=body).headers, body)
        return self._sip(sip.Answered(self.leg, response))

    def refuses(self, status: int = 488, *, retry_after: str = "") -> list[do.Effect]:
        """The phone refuses our re-INVITE, or it met one of the phone's (491, 500)."""
        self.control.offers[self.leg] -= 1
        headers = Headers([("Retry-After", retry_after)] if retry_after else [])
        return self._sip(sip.Refused(self.leg, status, Response(status, "", headers, b""), initial=False))

    def _close_books(self) -> None:
        """Whatever had no final response gets one by the agent."""
        self.control.finals[self.leg] = self.control.invites[self.leg]
        self.control.updates[self.leg] = 0

    def _sip(self, event: sip.SipEvent) -> list[do.Effect]:
        return self.control.carry(self.control.calls.on_sip(event, self.control.now))

    # --- media ----------------------------------------------------------------------------------------------------

    def media(self, event: plane.Event) -> list[do.Effect]:
        """Any event of the session."""
        if (known := self.control.known.get(self.session)) is not None:
            known.event(event)
        return self.control.carry(self.control.calls.on_media(event, self.control.now))

    def packet(self) -> list[do.Effect]:
        """The phone's first packet."""
        return self.media(plane.FirstPacket(self.session))

    def inactive(self, *, never: bool = False) -> list[do.Effect]:
        """No packets come any longer."""
        return self.media(plane.Inactive(self.session, 30.0, never))

    def played(self, *, complete: bool = True) -> list[do.Effect]:
        """The prompt is over."""
        plays = [one for one in self.control.commands() if isinstance(one, plane.Play) and one.session == self.session]
        newest = plays[-1] if plays else plane.Play(self.session, "apology")
        return self.media(plane.Played(self.session, newest.prompt, complete, newest.play))

    def session_failed(self, reason: str = "no_codec") -> list[do.Effect]:
        """The plane lost the session."""
        self.control.destroyed[self.session] += 1
        self.control.ended.add(self.session)
        return self.media(plane.SessionFailed(self.session, reason))

    def session_ended(self) -> list[do.Effect]:
        """The answer to `DestroySession`, or the word that the plane was closed."""
        self.control.destroyed[self.session] = 1
        self.control.ended.add(self.session)
        return self.media(plane.SessionEnded(self.session, STATS))

    @property
    def attempt(self) -> int:
        """How many backends were connected."""
        connects = (one for one in self.control.commands() if isinstance(one, plane.ConnectBackend))
        return sum(one.session == self.session for one in connects)

    # --- the backend ----------------------------------------------------------------------------------------------

    def report(self, report: ai.Report, attempt: int = 1) -> list[do.Effect]:
        """The conversation tells control something."""
        if isinstance(report, ai.Failed) and attempt == self.attempt:
            self.control.conversing.discard(self.session)
        return self.media(plane.Reported(self.session, attempt, report))

    def ready(self, attempt: int = 1) -> list[do.Effect]:
        """The backend is set up."""
        return self.report(ai.Ready(), attempt)

    def fails(self, reason: str = "refused", attempt: int = 1) -> list[do.Effect]:
        """The backend cannot go on."""
        return self.report(ai.Failed(reason), attempt)

    # --- whole passages -------------------------------------------------------------------------------------------

    def talks(self) -> "Fake":
        """From the INVITE to the open conversation."""
        self.ready()
        self.ack()
        self.packet()
        return self

    def over(self) -> None:
        """The far ends let go, and everything must have been given back."""
        if self.control.destroyed[self.session] and self.session not in self.control.ended:
            self.session_ended()
        if self.control.byes[self.leg]:
            self.released()
        self.control.settled()


def commands(effects: Iterable[do.Effect]) -> list[plane.Command]:
    """The commands to the media plane among these."""
    return [effect.command for effect in effects if isinstance(effect, do.Media)]


def only(kind: type[E], effects: Iterable[object]) -> E:
    """The one effect of that kind."""
    (found,) = [effect for effect in effects if isinstance(effect, kind)]
    return found


def told(effects: Iterable[do.Effect]) -> list[ai.Intent]:
    """The intents for the conversation among these."""
    return [command.intent for command in commands(effects) if isinstance(command, plane.Tell)]
