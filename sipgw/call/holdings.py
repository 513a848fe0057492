"""What a call holds and has to give back: its leg, ports, media session, conversation, questions and timers.

Every effect that takes or gives something back is made here, next to the note of it, so that each is given back
exactly once, whatever came in between.
"""

from collections.abc import Callable
from enum import StrEnum, auto
from typing import NamedTuple

from sipgw.ai.events import CallFacts, Close, Intent, Mute
from sipgw.call import effects as do
from sipgw.call.advice import Question
from sipgw.call.cdr import CallRecord, Fields
from sipgw.call.ids import ask_id, session_id, timer_id
from sipgw.call.snapshot import KeptHoldings
from sipgw.errors import Cause
from sipgw.flow import Flow
from sipgw.media import plane
from sipgw.options import BackendOptions
from sipgw.sip.reason import Q850, SIP
from sipgw.sip.reason import reason as reason_header

Clock = Callable[[float], float]
"""From one clock's time to another's."""


class Leg(StrEnum):
    """How far the caller's leg is."""

    ASKING = auto()
    """The INVITE waits for our final response."""
    UP = auto()
    LEAVING = auto()
    """Our BYE is out."""
    GONE = auto()


class Hold(StrEnum):
    """Whether something is ours."""

    NO = auto()
    ASKED = auto()
    """On its way to us, or back."""
    YES = auto()


class _Running(NamedTuple):
    """One run of a timer."""

    id: str
    when: float


class Holdings:
    """One call's possessions; `effects` are those not carried out yet."""

    def __init__(self, call: str, leg: str) -> None:
        self.effects: list[do.Effect] = []
        self.leg_id = leg
        self.session = session_id(call)
        self.leg = Leg.ASKING
        self.attempt = 0
        """Counts the targets tried; the conversation's name in reports."""
        self._call = call
        self._ports = Hold.NO
        self._media = Hold.NO
        self._conversing = False
        self._muted = False
        self.prompt = ""
        """The prompt that plays, or is on its way to."""
        self.plays = 0
        """Counts the prompts; the newest one's name in events."""
        self.asking = ""
        """The question that waits for an answer; empty where none does."""
        self._timers: dict[str, _Running] = {}
        self.recordings = 0
        """Those that are not complete."""
        self.recorded = False
        """One of them is to go on."""
        self._ordered = 0
        """Those that have been ordered and not begun."""
        self._serial = 0

    def snapshot(self, clock: Clock) -> KeptHoldings:
        """What `restore` needs; `clock` turns the core's time into Unix time."""
        return KeptHoldings(
            leg=self.leg.value,
            attempt=self.attempt,
            conversing=self._conversing,
            muted=self._muted,
            prompt=self.prompt,
            plays=self.plays,
            ports=self._ports.value,
            media=self._media.value,
            timers={name: clock(running.when) for name, running in self._timers.items()},
            recordings=self.recordings,
            recorded=self.recorded,
            ordered=self._ordered,
            serial=self._serial,
        )

    def restore(self, kept: KeptHoldings, clock: Clock, alive: bool) -> None:
        """Go on from there: timers run again, and what was being given back is given back again.

        Args:
            kept: of `snapshot`.
            clock: turns Unix time into the core's.
            alive: the media session lives on.
        """
        self.leg, self._ports, self._media = Leg(kept.leg), Hold(kept.ports), Hold(kept.media)
        self.attempt, self._conversing, self._muted = kept.attempt, kept.conversing, kept.muted
        self.prompt, self.plays, self._serial = kept.prompt, kept.plays, kept.serial
        if alive:
            self.recordings, self.recorded, self._ordered = kept.recordings, kept.recorded, kept.ordered
        for name, when in kept.timers.items():
            self.start_timer(name, clock(when))
        if self.leg is Leg.LEAVING:
            self._do(do.HangUp(self.leg_id))
        if self._media is Hold.ASKED and alive:
            self._do(do.Media(plane.DestroySession(self.session)))

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to be told about: no ports, no session, no recording, no BYE."""
        held = self._ports is not Hold.NO or self._media is not Hold.NO or self.recordings
        return not held and self.leg is Leg.GONE

    @property
    def muted(self) -> bool:
        """Whether the conversation was told not to carry audio."""
        return self._muted

    @property
    def conversing(self) -> bool:
        """Whether there is a conversation that has neither failed nor been closed."""
        return self._conversing

    # --- the leg --------------------------------------------------------------------------------------------------

    def ring(self, status: int = 180, body: bytes = b"") -> None:
        """Let the caller hear that we are at it; with a description, hear us."""
        self._do(do.Ring(self.leg_id, status, body))

    def answer(self, body: bytes) -> None:
        """Accept the INVITE."""
        self.leg = Leg.UP
        self._do(do.Answer(self.leg_id, body))

    def answer_offer(self, body: bytes) -> None:
        """Accept an offer that came after the INVITE's."""
        self._do(do.Answer(self.leg_id, body))

    def leave(self, cause: Cause, status: int, reason: str, headers: do.Headers) -> None:
        """Refuse the INVITE with `status`, or hang up, as far as the leg is; nothing where it is gone."""
        why = (reason_header(Q850, cause.q850, cause.record),)
        if self.leg is Leg.ASKING:
            self.leg = Leg.GONE
            self._do(do.Refuse(self.leg_id, status, reason, (*headers, *why)))
        elif self.leg is Leg.UP:
            self.leg = Leg.LEAVING
            # Not 200: in a BYE that would say "completed elsewhere" (RFC 3326 section 3.1).
            sip = (reason_header(SIP, cause.status, cause.record),) if cause.status >= 300 else ()
            self._do(do.HangUp(self.leg_id, (*why, *sip)))

    def move(self, leg: str, body: bytes) -> None:
        """Another leg takes the place of this one: accept its INVITE, then hang this one up (RFC 3891 section 3)."""
        left, self.leg_id = self.leg_id, leg
        self.answer(body)
        self._do(do.HangUp(left, (reason_header(Q850, Cause.NORMAL.q850, "replaced"),)))

    def refuse_other(self, leg: str, status: int, reason: str = "", headers: do.Headers = ()) -> None:
        """Refuse the INVITE of a leg that would have taken the place of this one."""
        self._do(do.Refuse(leg, status, reason, headers))

    def reinvite(self, body: bytes) -> None:
        """Offer anew."""
        if self.leg is Leg.UP:
            self._do(do.Reinvite(self.leg_id, body))

    def refuse_offer(self, status: int, reason: str = "", headers: do.Headers = ()) -> None:
        """Refuse such an offer; nothing else changes."""
        if self.leg is not Leg.GONE:
            self._do(do.Refuse(self.leg_id, status, reason, headers))

    def forget_leg(self) -> None:
        """The SIP agent let go of the leg."""
        self.leg = Leg.GONE

    # --- ports and the session ------------------------------------------------------------------------------------

    def open_ports(self, flow: Flow, *, six: bool) -> None:
        """Ask for ports, for a call that came by `flow` and whose far end's RTP is IPv6 or not."""
        self._ports = Hold.ASKED
        self._do(do.OpenPorts(self.session, flow, six))

    def ports_opened(self) -> None:
        """They came."""
        self._ports = Hold.YES

    def forget_ports(self) -> None:
        """They did not come."""
        self._ports = Hold.NO

    def give_ports_back(self) -> None:
        """Release the ports. Those still on their way are released by whoever sees them come."""
        if self._ports is Hold.YES:
            self._ports = Hold.NO
            self._do(do.ReleasePorts(self.session))

    def create_session(self, stream: plane.Stream) -> None:
        """Make the ports a session."""
        self._media = Hold.YES
        self._do(do.Media(plane.CreateSession(self.session, self._call, stream)))

    def update_session(self, stream: plane.Stream) -> None:
        """The stream changed."""
        self._command(plane.UpdateSession(self.session, stream))

    def start_session(self) -> None:
        """RTP may leave."""
        self._command(plane.StartSession(self.session))

    def play(self, prompt: str, *, repeat: bool = False) -> None:
        """Play a prompt to the caller, in place of one that plays."""
        self.prompt = prompt
        self.plays += 1
        self._command(plane.Play(self.session, prompt, self.plays, repeat))

    def stop_playing(self) -> None:
        """End the prompt; it is over once the media plane says so."""
        self._command(plane.StopPlaying(self.session))

    def prompt_over(self) -> None:
        """It is."""
        self.prompt = ""

    def send_digits(self, digits: str, duration_ms: int, gap_ms: int) -> None:
        """Press keys towards the caller."""
        self._command(plane.SendDigits(self.session, digits, duration_ms, gap_ms))

    def watch_silence(self, seconds: float) -> None:
        """Ask to be told when nobody speaks for so long."""
        self._command(plane.WatchSilence(self.session, seconds))

    def note_digit(self, digit: str, duration_ms: int) -> None:
        """The caller pressed a key in signalling."""
        self._command(plane.NoteDigit(self.session, digit, duration_ms))

    def forget_session(self) -> None:
        """It ended: its sockets are free."""
        self._media = Hold.NO
        self._conversing = False
        self.give_ports_back()

    # --- recordings -----------------------------------------------------------------------------------------------

    def start_recording(self, name: str) -> None:
        """Record under this name."""
        if self._media is Hold.YES:
            self.recordings += 1
            self._ordered += 1
            self.recorded = True
            self._command(plane.StartRecording(self.session, name))

    def stop_recording(self) -> None:
        """Record no longer."""
        self.recorded = False
        self._command(plane.StopRecording(self.session))

    def pause_recording(self, paused: bool) -> None:
        """Leave out what passes, or no longer."""
        command = plane.PauseRecording if paused else plane.ResumeRecording
        self._command(command(self.session))

    def recording_began(self) -> bool:
        """A file is being written; returns whether it was ordered: another may follow by itself."""
        if self._ordered:
            self._ordered -= 1
            return True
        self.recordings += 1
        self.recorded = True
        return False

    def recording_over(self, *, begun: bool) -> None:
        """One is complete; `begun`: it had been begun."""
        self.recordings -= 1
        if not begun:
            self._ordered -= 1
        self.recorded = self.recorded and self.recordings > 0

    # --- the conversation -----------------------------------------------------------------------------------------

    def connect(self, backend: BackendOptions, facts: CallFacts, farewell_limit: float) -> None:
        """Begin another conversation, which replaces the one before."""
        self._conversing = True
        self._muted = False
        self.attempt += 1
        self._command(plane.ConnectBackend(self.session, self.attempt, backend, facts, farewell_limit))

    def tell(self, intent: Intent) -> None:
        """An intent for the conversation."""
        if self._conversing:
            self._command(plane.Tell(self.session, intent))

    def mute(self, muted: bool) -> None:
        """Whether the conversation carries audio."""
        if self._conversing and muted is not self._muted:
            self._muted = muted
            self.tell(Mute(muted))

    def close_conversation(self, reason: str) -> None:
        """Say good-bye to the backend."""
        self.tell(Close(reason))
        self._conversing = False

    def forget_conversation(self) -> None:
        """It failed."""
        self._conversing = False

    # --- hooks ----------------------------------------------------------------------------------------------------

    def ask(self, hook: str, question: Question) -> None:
        """Put a question."""
        self._serial += 1
        self.asking = ask_id(self._call, self._serial)
        self._do(do.Ask(self.asking, hook, question))

    def answered(self) -> None:
        """The answer came, or word that there will be none."""
        self.asking = ""

    def stop_asking(self) -> None:
        """Wait no longer for an answer, where one is waited for."""
        if self.asking:
            self._do(do.StopAsking(self.asking))
            self.asking = ""

    # --- timers ---------------------------------------------------------------------------------------------------

    def start_timer(self, name: str, when: float) -> None:
        """Start, or start anew."""
        self.cancel_timer(name)
        self._serial += 1
        running = self._timers[name] = _Running(timer_id(self._call, name, self._serial), when)
        self._do(do.StartTimer(running.id, when))

    def cancel_timer(self, name: str) -> None:
        """Stop it where it runs."""
        if name in self._timers:
            self._do(do.CancelTimer(self._timers.pop(name).id))

    def running(self, name: str) -> bool:
        """Whether that timer runs."""
        return name in self._timers

    def take_timer(self, timer: str) -> str | None:
        """The name of the timer that fired; None where it had been cancelled."""
        for name, running in self._timers.items():
            if running.id == timer:
                del self._timers[name]
                return name
        return None

    # --- the end --------------------------------------------------------------------------------------------------

    def let_go(self, reason: str) -> None:
        """Close, destroy and cancel everything; what takes time leaves `settled` false."""
        for name in tuple(self._timers):
            self.cancel_timer(name)
        self.stop_asking()
        self.close_conversation(reason)
        if self._media is Hold.YES:
            self._media = Hold.ASKED
            self._do(do.Media(plane.DestroySession(self.session)))
        elif self._media is Hold.NO:
            self.give_ports_back()

    def log(self, message: str, fields: Fields) -> None:
        """One INFO line."""
        self._do(do.Log(message, fields))

    def finish(self, record: CallRecord) -> None:
        """Nothing is waited for any longer: the record, and the last line, which nobody sees before it is kept."""
        for name in tuple(self._timers):
            self.cancel_timer(name)
        self.give_ports_back()
        self._do(do.Record(record))
        self.log("call ended", record.summary())

    def _command(self, command: plane.Command) -> None:
        if self._media is Hold.YES:
            self._do(do.Media(command))

    def _do(self, effect: do.Effect) -> None:
        self.effects.append(effect)
