"""Reads what an event means to a call, and takes what means nothing to its state: keys, turns, tool calls."""

from collections.abc import Callable

from sipgw.ai import events as ai
from sipgw.call import commands
from sipgw.call.cdr import Draft
from sipgw.call.events import CallEvent, HookAnswered, HookFailed, PortsFailed, PortsOpened, TimerFired
from sipgw.call.feed import Happened, Kind
from sipgw.call.holdings import Holdings
from sipgw.call.redaction import redacted
from sipgw.call.states import Seen
from sipgw.media import plane
from sipgw.sip import events as sip

_OF_KIND: dict[type, Seen] = {
    sip.Invited: Seen.INVITED,
    sip.Cancelled: Seen.CANCELLED,
    sip.Confirmed: Seen.CONFIRMED,
    sip.Acknowledged: Seen.EARLY_AGREED,
    sip.Reinvited: Seen.REINVITED,
    sip.KeyPressed: Seen.KEY_PRESSED,
    sip.HungUp: Seen.HUNG_UP,
    sip.Lost: Seen.LEG_LOST,
    sip.Released: Seen.RELEASED,
    plane.FirstPacket: Seen.FIRST_PACKET,
    plane.Inactive: Seen.SILENT,
    plane.NobodySpeaks: Seen.NOBODY_SPEAKS,
    sip.Answered: Seen.REOFFER_ACCEPTED,
    sip.Refused: Seen.REOFFER_REFUSED,
    plane.SessionFailed: Seen.SESSION_FAILED,
    plane.SessionEnded: Seen.SESSION_ENDED,
    PortsOpened: Seen.PORTS_OPENED,
    PortsFailed: Seen.PORTS_FAILED,
    commands.HangUpCall: Seen.TOLD_TO_HANG_UP,
    commands.PlayPrompt: Seen.TOLD_TO_PLAY,
    commands.StopPrompt: Seen.TOLD_TO_STOP,
    commands.SendDigits: Seen.TOLD_TO_SEND_DIGITS,
    commands.HoldCall: Seen.TOLD_TO_HOLD,
    commands.ResumeCall: Seen.TOLD_TO_RESUME,
    commands.SayText: Seen.TOLD_TO_SAY,
    commands.StartRecording: Seen.TOLD_TO_RECORD,
    commands.StopRecording: Seen.TOLD_TO_STOP_RECORDING,
    commands.PauseRecording: Seen.TOLD_TO_PAUSE_RECORDING,
    commands.ResumeRecording: Seen.TOLD_TO_RESUME_RECORDING,
    plane.RecordingStarted: Seen.RECORDING,
    plane.Recorded: Seen.RECORDED,
    plane.RecordingFailed: Seen.RECORDED,
}
_OF_REPORT: dict[type, Seen] = {
    ai.Ready: Seen.READY,
    ai.Failed: Seen.TARGET_FAILED,
    ai.WantsHangUp: Seen.BACKEND_HUNG_UP,
    ai.RecordingWish: Seen.RECORDING_WISHED,
}
_OF_TIMER = {
    "target": Seen.TARGET_FAILED,
    "packet": Seen.WAIT_OVER,
    "limit": Seen.TOO_LONG,
    "ack": Seen.UNCONFIRMED,
    "early": Seen.EARLY_LIMIT,
    "apology": Seen.PLAYED,
    "reoffer": Seen.REOFFER_DUE,
    "ending": Seen.WAITED_ENOUGH,
}


class Reading:
    """One call's reader.

    Args:
        held: knows which conversation and which timers are current.
        draft: takes keys and turns.
        drop: traces what came too late.
        happened: tells what may be known outside.
        transcript: what of the words is kept: `off`, `redacted` or `full`.
    """

    def __init__(
        self,
        held: Holdings,
        draft: Draft,
        drop: Callable[[str, str, float], None],
        happened: Happened,
        transcript: str,
    ) -> None:
        self._held = held
        self._draft = draft
        self._drop = drop
        self._happened = happened
        self._transcript = transcript

    def seen(self, event: CallEvent, now: float) -> Seen | None:
        """What the event is to the state table; None where it is nothing to it."""
        match event:
            case TimerFired(id=timer):
                return self._timer(timer, now)
            case plane.Reported():
                return self._report(event, now)
            case HookAnswered(id=asked) | HookFailed(id=asked):
                return self._hook(event, asked, now)
            case plane.Digit(digit=digit, duration_ms=duration_ms):
                self._draft.digits += 1
                self._happened(Kind.DIGIT, now, digit=digit, duration_ms=duration_ms)
                return None
            case plane.Played(prompt=prompt, complete=complete, play=play):
                self._happened(Kind.PLAYED, now, prompt=prompt, complete=complete)
                return Seen.PLAYED if play == self._held.plays else None  # another took its place
            case plane.DigitsSent(count=count, complete=complete):
                self._happened(Kind.DIGITS_SENT, now, count=count, complete=complete)
                return None
            case sip.Lost(reason="no_ack"):
                return Seen.NO_ACK
            case sip.Invited() if event.replaces:
                return Seen.REPLACING
            case sip.HungUp() | sip.Cancelled():
                self._draft.far = event.reason
        seen = _OF_KIND.get(type(event))
        if seen is None:
            self._drop("unknown_event", type(event).__name__, now)
        return seen

    @staticmethod
    def told(command: commands.Command) -> Seen:
        """What a command is to the state table."""
        return _OF_KIND[type(command)]

    def _timer(self, timer: str, now: float) -> Seen | None:
        name = self._held.take_timer(timer)
        if name is None:
            self._drop("stale_timer", timer, now)
            return None
        return _OF_TIMER[name]

    def _hook(self, event: HookAnswered | HookFailed, asked: str, now: float) -> Seen | None:
        if asked != self._held.asking:
            self._drop("stale_answer", f"{type(event).__name__} {asked}", now)
            return None
        self._held.answered()
        return Seen.ADVISED if isinstance(event, HookAnswered) else Seen.TARGET_FAILED

    def _report(self, event: plane.Reported, now: float) -> Seen | None:
        report = event.report
        if isinstance(report, ai.Closed):
            return None
        if isinstance(report, ai.Spent):
            self._draft.target_spent(event.attempt, report)
            return None
        if event.attempt != self._held.attempt or not self._held.conversing:
            self._drop("stale_report", f"{type(report).__name__} of attempt {event.attempt}", now)
            return None
        match report:
            case ai.Turn(latency_ms=latency_ms):
                self._draft.turns_ms.append(latency_ms)
                self._happened(Kind.TURN, now, latency_ms=latency_ms)
            case ai.Transcript(who=who, text=text, final=final):
                self._happened(Kind.TRANSCRIPT, now, role=who, text=text, final=final)
                if final:
                    self._keep(who, text, now)
            case ai.ToolCall(id=call, name=name):
                self._decline(call, "unknown tool", name, now)
            case ai.TransferWish(id=call, target=target):
                self._decline(call, "transfer is not configured", target, now)
        return _OF_REPORT.get(type(report))

    def _keep(self, who: str, text: str, now: float) -> None:
        """Keep words in the record as the configuration wants it."""
        if self._transcript != "off":
            self._draft.spoken(who, redacted(text) if self._transcript == "redacted" else text, now)

    def _decline(self, call: str, why: str, detail: str, now: float) -> None:
        """The backend waits for an answer, unless its wish came without an id."""
        self._drop(why.replace(" ", "_"), detail, now)
        if call:
            self._held.tell(ai.ToolResult(call, f'{{"error": "{why}"}}', failed=True))
