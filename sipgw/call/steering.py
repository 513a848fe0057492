"""The deeds that steer an answered call: prompts, keys, words, hold; and when the AI has to be silent for them."""

from sipgw.ai.events import Say
from sipgw.call.causes import CALLER, GATEWAY
from sipgw.call.cdr import Draft
from sipgw.call.commands import Command, HoldCall, PlayPrompt, ResumeCall, SayText, SendDigits, StopPrompt
from sipgw.call.feed import Happened, Kind
from sipgw.call.holdings import Holdings
from sipgw.call.negotiation import Negotiation
from sipgw.call.reoffer import Reoffer
from sipgw.call.snapshot import KeptSteering
from sipgw.call.surroundings import Moment, Surroundings
from sipgw.errors import PeerError
from sipgw.media import plane
from sipgw.sip.body import sdp_of
from sipgw.sip.events import Answered, KeyPressed, Refused
from sipgw.trace import Mark, Note

KEYS = frozenset("0123456789*#ABCD")


class Steering:
    """One call's; what the rest of its deeds builds upon."""

    def __init__(self, call: str, held: Holdings, draft: Draft, around: Surroundings, happened: Happened) -> None:
        self._call = call
        self._held = held
        self._draft = draft
        self._around = around
        self._happened = happened
        self._negotiation = Negotiation(call, around.media, around.destinations, around.random)
        self._reoffer = Reoffer(call, held, self._negotiation)
        self._music: str | None = None
        """What a hold that is wanted, or in force, plays."""
        self._on_hold = False
        """By us, and the far end agreed."""
        self._far_hold = False
        """By the far end."""

    def snapshot_steering(self) -> KeptSteering:
        """What `restore_steering` needs."""
        return KeptSteering(
            self._negotiation.snapshot(), self._reoffer.snapshot(), self._music, self._on_hold, self._far_hold
        )

    def restore_steering(self, kept: KeptSteering, now: float) -> None:
        """Go on from there."""
        self._negotiation.restore(kept.negotiation)
        self._reoffer.restore(kept.reoffer, now)
        self._music, self._on_hold, self._far_hold = kept.music, kept.on_hold, kept.far_hold

    @property
    def port(self) -> int:
        """Our RTP port."""
        return self._negotiation.port

    def tell_oddities(self, now: float) -> None:
        """Trace what was odd about descriptions that came."""
        for odd in self._negotiation.take_oddities():
            mark = Mark.DROP if odd.ignored else Mark.IN
            self._around.trace(Note(now, "sdp", mark, odd.name, self._call, odd.detail))

    @property
    def held_by(self) -> tuple[str, ...]:
        """Who has the call on hold."""
        return (GATEWAY,) * self._on_hold + (CALLER,) * self._far_hold

    def objection(self, command: Command) -> str:
        """Why this cannot be done now, beyond the call's state; empty where nothing speaks against it."""
        match command:
            case PlayPrompt() | SayText() if self._on_hold:
                return "the call is on hold; resume it first"
            case PlayPrompt() | SayText() | SendDigits() if self._far_hold:
                return "the far end has put the call on hold; wait until it resumes"
            case SayText() if self._held.prompt:
                return "a prompt plays; stop it or wait for its end"
            case StopPrompt() if self._on_hold or not self._held.prompt:
                return "no prompt plays"
            case SendDigits(digits=digits) if not digits or not set(digits.upper()) <= KEYS:
                return "keys are 0 to 9, *, # and A to D"
            case SendDigits() if not self._negotiation.takes_keys:
                return "the far end did not agree to telephone-event (RFC 4733)"
            case HoldCall() | ResumeCall() if self._reoffer.wanted is not None:
                return "the far end has yet to answer the last hold or resume; try again in a moment"
            case HoldCall() if self._on_hold:
                return "the call is on hold already"
            case ResumeCall() if not self._on_hold:
                return "the call is not on hold"
        return ""

    # --- prompts, keys, words -------------------------------------------------------------------------------------

    def play_prompt(self, moment: Moment) -> None:
        """Let the caller hear a prompt."""
        command: PlayPrompt = moment.event
        self._play(command.prompt, moment.now)

    def stop_prompt(self, moment: Moment) -> None:
        """It is to end; the media plane tells when it has."""
        self._held.stop_playing()

    def note_played(self, moment: Moment) -> None:
        """A prompt is over: the conversation goes on."""
        self._held.prompt_over()
        self._set_mute()

    def send_digits(self, moment: Moment) -> None:
        """Press keys."""
        command: SendDigits = moment.event
        self._held.send_digits(command.digits, command.duration_ms, command.gap_ms)

    def take_key(self, moment: Moment) -> None:
        """The caller pressed a key in signalling. Where telephone-event is agreed, only those in RTP count."""
        pressed: KeyPressed = moment.event
        if self._negotiation.takes_keys:
            self._around.drop(self._call, "key_in_signalling", "telephone-event is agreed", moment.now)
        else:
            self._held.note_digit(pressed.digit, pressed.duration_ms)

    def say(self, moment: Moment) -> None:
        """Words for the AI."""
        command: SayText = moment.event
        self._held.tell(Say(command.text))

    def _play(self, prompt: str, now: float, *, repeat: bool = False) -> None:
        self._held.play(prompt, repeat=repeat)
        self._happened(Kind.PLAYING, now, prompt=prompt)
        self._set_mute()

    # --- hold -----------------------------------------------------------------------------------------------------

    def hold(self, moment: Moment) -> None:
        """Offer to send only. RTP goes on, so that the path stays open and the caller hears music."""
        command: HoldCall = moment.event
        self._music = self._around.options.hold_music if command.music is None else command.music
        self._reoffer.begin("sendonly")

    def resume(self, moment: Moment) -> None:
        """Offer both ways again."""
        self._reoffer.begin("sendrecv")

    def offer_again(self, moment: Moment) -> None:
        """After glare."""
        self._reoffer.send()

    def take_answer(self, moment: Moment) -> None:
        """The far end agreed."""
        answered: Answered = moment.event
        wanted, self._reoffer.wanted = self._reoffer.wanted, None
        if wanted is None:
            self._around.drop(self._call, "unasked_answer", str(answered.response.status), moment.now)
            return
        try:
            stream = self._negotiation.reanswered(sdp_of(answered.response))
        except PeerError as error:
            self._failed(wanted, error.status, str(error), moment.now)
            return
        self._update(stream)
        self._on_hold = wanted == "sendonly"
        self._happened(Kind.HELD if self._on_hold else Kind.RESUMED, moment.now, by=GATEWAY)
        if self._on_hold and self._music:
            self._play(self._music, moment.now, repeat=True)
        elif self._held.prompt:
            self._held.stop_playing()
        self._note_far_hold(moment.now)
        self._set_mute()

    def take_refusal(self, moment: Moment) -> None:
        """The far end did not: the call goes on as it was."""
        refused: Refused = moment.event
        wanted = self._reoffer.wanted
        if wanted is None:
            self._around.drop(self._call, "unasked_refusal", str(refused.status), moment.now)
        elif self._reoffer.refused(refused, moment.now):
            reason = refused.response.reason if refused.response is not None else ""
            self._failed(wanted, refused.status, reason, moment.now)

    def _failed(self, wanted: str | None, status: int, reason: str, now: float) -> None:
        what = "hold" if wanted == "sendonly" else "resume"
        self._around.drop(self._call, f"{what}_failed", f"{status} {reason}".strip(), now)
        self._happened(Kind.HOLD_FAILED, now, wanted=what, status=status, reason=reason)

    def _update(self, stream: plane.Stream | None) -> None:
        if stream is not None:
            self._held.update_session(stream)
            self._note_stream(stream)

    def _note_stream(self, stream: plane.Stream) -> None:
        self._draft.codec = stream.codec
        self._draft.srtp = stream.srtp.suite if stream.srtp else ""

    def _note_far_hold(self, now: float) -> None:
        """Did the far end put us on hold, or take us off it?"""
        if self._negotiation.far_holds != self._far_hold:
            self._far_hold = not self._far_hold
            self._happened(Kind.HELD if self._far_hold else Kind.RESUMED, now, by=CALLER)
            self._set_mute()

    def _set_mute(self) -> None:
        """While a prompt plays or the call is on hold, the AI neither speaks nor hears: not music of the far end's."""
        self._held.mute(self._on_hold or self._far_hold or bool(self._held.prompt))
