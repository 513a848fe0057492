"""What a conversation is made of: events from a backend, events towards it, intents of control, reports to control.

Backends differ; these do not. Audio is mono, in the backend's `AudioFormat`.
"""

from enum import Enum

import msgspec

from sipgw.ai.carried import NOTHING, Carried


class AudioFormat(Enum):
    """Audio on the AI's side of the gateway; the value is how it is written in the configuration."""

    PCM16_24K = "pcm16/24000"
    PCM16_16K = "pcm16/16000"
    PCM16_8K = "pcm16/8000"
    PCMU_8K = "pcmu/8000"
    PCMA_8K = "pcma/8000"

    __hash__ = object.__hash__  # frames are grouped by format at every tick; an Enum's own runs in Python

    @property
    def rate_hz(self) -> int:
        """Samples a second."""
        return int(self.value.partition("/")[2])

    @property
    def sample_bytes(self) -> int:
        """Bytes a sample."""
        return 2 if self.value.startswith("pcm16") else 1

    def bytes_of(self, ms: int) -> int:
        """How many bytes `ms` milliseconds take."""
        return self.rate_hz * ms // 1000 * self.sample_bytes

    def ms_of(self, size: int) -> float:
        """How many milliseconds `size` bytes last."""
        return size / self.sample_bytes * 1000 / self.rate_hz


REMEMBERED = 30
"""Turns of a conversation that are kept for a backend that has to go on with it."""


class Words(msgspec.Struct, frozen=True):
    """A turn of the conversation. `who` is `caller` or `agent`."""

    who: str
    text: str


class CallFacts(msgspec.Struct, frozen=True):
    """What a backend may know of the call at its start."""

    call: str
    caller: str = ""
    """The calling number or user part; `anonymous` where the caller wishes it to be withheld."""
    called: str = ""
    caller_name: str = ""
    headers: dict[str, str] = {}
    """The INVITE's headers that the configuration lets through, names as they came."""
    sip_call_id: str = ""
    codec: str = ""
    """Encoding name of the caller's leg."""
    started: str = ""
    """When the INVITE came: RFC 3339, UTC."""
    resumed: bool = False
    """The conversation goes on that a process of ours lost: no greeting, and the call's earlier words are in `said`."""
    said: tuple[Words, ...] = ()
    """The last of what was said before, as far as the backend told us."""
    variables: dict[str, str] = {}
    """What is known of the call besides: the backend's own variables, and those of a hook."""
    instructions: str = ""
    """How to behave in this call, as a hook has it; empty: as the backend's settings have it."""
    carried: Carried = NOTHING


class Event(msgspec.Struct, frozen=True, tag=True):
    """Base of everything below."""


# --- from a backend, made by its dialect --------------------------------------------------------------------------


class Ready(Event, frozen=True):
    """The session is set up; the conversation may start."""


class Speech(Event, frozen=True):
    """Audio for the caller. `item` names the utterance where the backend does."""

    audio: bytes
    item: str = ""


class SpeechEnded(Event, frozen=True):
    """The utterance is complete; no more audio of `item` follows."""

    item: str = ""


class CallerSpoke(Event, frozen=True):
    """The backend heard the caller start to speak: its playout is to stop."""


class CallerStopped(Event, frozen=True):
    """The backend heard the caller stop."""


class Clear(Event, frozen=True):
    """The backend asks for its queued speech to be dropped."""


class PlaceMark(Event, frozen=True):
    """The backend wants to know when everything sent before this has been played."""

    name: str


class Transcript(Event, frozen=True):
    """Words spoken. `who` is `caller` or `agent`."""

    who: str
    text: str
    final: bool = True
    item: str = ""


class ToolCall(Event, frozen=True):
    """The backend calls a tool that control must answer with a `ToolResult`. `arguments` is JSON text."""

    id: str
    name: str
    arguments: str = "{}"


class TransferWish(Event, frozen=True):
    """The backend wants the call handed over. `id` is the tool call to answer, or the backend's own request id."""

    target: str
    id: str = ""
    summary: str = ""
    reason: str = ""


class HangUpWish(Event, frozen=True):
    """The backend wants the call ended, once its last words were played."""

    id: str = ""
    reason: str = ""


class RecordingWish(Event, frozen=True):
    """The backend wants the recording paused (a card's digits follow, say), or resumed."""

    paused: bool


class Failed(Event, frozen=True):
    """The backend cannot go on. `permanent`: another try of the same would fail the same way."""

    reason: str
    """Short snake_case name."""
    permanent: bool = False
    detail: str = ""


class Dropped(Event, frozen=True):
    """A message could not be used; counted and traced, not an error. `reason` is a short snake_case name."""

    reason: str
    detail: str = ""


BackendEvent = (
    Ready
    | Speech
    | SpeechEnded
    | CallerSpoke
    | CallerStopped
    | Clear
    | PlaceMark
    | Transcript
    | ToolCall
    | TransferWish
    | HangUpWish
    | RecordingWish
    | Failed
    | Dropped
)


# --- towards a backend, translated by its dialect (caller audio takes `Dialect.audio`, not an event) --------------


class Started(Event, frozen=True):
    """The conversation is open: the caller hears, greet now."""


class DigitPressed(Event, frozen=True):
    """The caller pressed a key."""

    digit: str
    duration_ms: int


class CallerSpeech(Event, frozen=True):
    """Our own VAD heard the caller start or stop."""

    speaking: bool


class Interrupted(Event, frozen=True):
    """Playout was cleared. `sent_ms` of `item` had left for the caller by then, of `queued_ms` received so far."""

    item: str
    sent_ms: int
    queued_ms: int


class MarkReached(Event, frozen=True):
    """A mark's audio has left, or was dropped by a clear."""

    name: str
    cleared: bool = False


class Drained(Event, frozen=True):
    """Everything queued has left for the caller."""


class ToolResult(Event, frozen=True):
    """The answer to a `ToolCall`, a `TransferWish` or a `HangUpWish` with an id. `output` is JSON text."""

    id: str
    output: str
    failed: bool = False


class Say(Event, frozen=True):
    """Ask the backend to speak this text."""

    text: str


class Ended(Event, frozen=True):
    """The call is over; say good-bye to the backend."""

    reason: str


GatewayEvent = Started | DigitPressed | CallerSpeech | Interrupted | MarkReached | Drained | ToolResult | Say | Ended


# --- intents of control -------------------------------------------------------------------------------------------


class Open(Event, frozen=True):
    """The caller can hear: the conversation starts."""

    early: bool = False
    """As early media, before the answer: the backend may speak, it does not listen yet. `Open()` follows."""


class Mute(Event, frozen=True):
    """Stop (or go on with) carrying the caller's audio to the backend and the backend's to the caller."""

    muted: bool


class Close(Event, frozen=True):
    """End the conversation and its socket."""

    reason: str


Intent = Open | Say | ToolResult | Mute | Close


# --- reports to control -------------------------------------------------------------------------------------------


class Turn(Event, frozen=True):
    """One turn's delay: from the end of the caller's speech to the first packet of the answer."""

    latency_ms: int


class WantsHangUp(Event, frozen=True):
    """The backend wished to hang up and its last words have been played."""

    id: str
    reason: str


class Closed(Event, frozen=True):
    """The conversation has ended after a `Close`."""

    reason: str


class Spent(Event, frozen=True):
    """What a conversation came to, told once when it is over."""

    connected_ms: int | None = None
    """From its beginning to the open socket; None where there was none."""
    heard_ms: int = 0
    """Of the caller's sound, carried to the backend."""
    said_ms: int = 0
    """Of the backend's sound, taken to be played."""


Report = Ready | Failed | Transcript | ToolCall | TransferWish | RecordingWish | WantsHangUp | Turn | Closed | Spent
