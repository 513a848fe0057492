"""Sees everything that passes between a conversation and its backend, without changing any of it."""

from collections.abc import Callable
from dataclasses import dataclass

from sipgw.ai import events as ai
from sipgw.ai.dialect import Connect, Dialect

_NAMES = {
    ai.SpeechEnded: "speech_ended",
    ai.CallerSpoke: "caller_spoke",
    ai.CallerStopped: "caller_stopped",
    ai.PlaceMark: "place_mark",
    ai.ToolCall: "tool_call",
    ai.TransferWish: "transfer_wish",
    ai.HangUpWish: "hang_up_wish",
    ai.DigitPressed: "digit",
    ai.CallerSpeech: "caller_speech",
    ai.MarkReached: "mark_reached",
    ai.ToolResult: "tool_result",
}
"""Events whose name is not their class's in lower case."""


@dataclass(frozen=True, slots=True)
class AiEvent:
    """Something the AI said or was told."""

    when: float
    to_ai: bool
    name: str
    about: str = ""
    """The item, the key, the words: what tells it from another of its name."""
    seconds: float = 0.0
    """Of sound: speech that comes in pieces is one event; of an interrupted item, what was sent of it."""

    def __str__(self) -> str:
        way = "to AI" if self.to_ai else "from AI"
        return " ".join(word for word in (f"{way}:", self.name, self.about) if word)


class Heard:
    """What one backend was told and said, and the sound that reached it."""

    def __init__(self, name: str, audio: ai.AudioFormat) -> None:
        self.backend, self.audio = name, audio
        self.events: list[AiEvent] = []
        self.pieces: list[bytes] = []

    def note(self, event: ai.GatewayEvent | ai.BackendEvent, to_ai: bool, now: float) -> None:
        """Keep an event; a piece of speech is added to the one before it."""
        name = _NAMES.get(type(event), type(event).__name__.lower())
        seconds = _seconds(event, self.audio)
        last = self.events[-1] if self.events else None
        made = AiEvent(now, to_ai, name, _about(event), seconds)
        if name == "speech" and last is not None and (last.name, last.about) == (name, made.about):
            self.events[-1] = AiEvent(last.when, to_ai, name, made.about, last.seconds + seconds)
        else:
            self.events.append(made)


def _seconds(event: ai.GatewayEvent | ai.BackendEvent, audio: ai.AudioFormat) -> float:
    match event:
        case ai.Speech(audio=sound):
            return audio.ms_of(len(sound)) / 1000
        case ai.Interrupted(sent_ms=ms) | ai.DigitPressed(duration_ms=ms):
            return ms / 1000
    return 0.0


def _about(event: ai.GatewayEvent | ai.BackendEvent) -> str:
    match event:
        case ai.Transcript(who=who, text=text):
            return f"{who}: {text}"
        case ai.DigitPressed(digit=digit):
            return digit
        case ai.CallerSpeech(speaking=speaking):
            return "begins" if speaking else "ends"
        case ai.Failed(reason=reason) | ai.Dropped(reason=reason) | ai.Ended(reason=reason):
            return reason
    for name in ("item", "name", "target", "text", "reason"):
        if value := getattr(event, name, ""):
            return str(value)
    return ""


class Witness:
    """A dialect with somebody beside it."""

    def __init__(self, dialect: Dialect, heard: Heard, offline: Callable[[Connect], None]) -> None:
        self._dialect, self._heard, self._offline = dialect, heard, offline
        self._now = 0.0
        self.audio_format, self.frame_ms = dialect.audio_format, dialect.frame_ms

    def open(self, now: float) -> Connect | None:
        """There is no network here; a backend that needs one is told so."""
        self._now = now
        connect = self._dialect.open(now)
        if connect is not None:
            self._offline(connect)
        return connect

    def connected(self, now: float) -> None:
        """Never comes."""
        self._dialect.connected(now)

    def disconnected(self, code: int, reason: str, now: float) -> None:
        """Never comes."""
        self._dialect.disconnected(code, reason, now)

    def receive(self, message: str | bytes, now: float) -> None:
        """Never comes."""
        self._dialect.receive(message, now)

    def audio(self, frame: bytes | memoryview, now: float) -> str | bytes | None:
        """The AI hears this."""
        self._now = now
        self._heard.pieces.append(bytes(frame))
        return self._dialect.audio(frame, now)

    def send(self, event: ai.GatewayEvent, now: float) -> None:
        """The AI is told this."""
        self._now = now
        self._heard.note(event, True, now)
        self._dialect.send(event, now)

    def handle_timers(self, now: float) -> None:
        """Do what is due."""
        self._now = now
        self._dialect.handle_timers(now)

    def next_timer(self) -> float | None:
        """When something is due."""
        return self._dialect.next_timer()

    def to_send(self) -> list[str | bytes]:
        """What would go over the network."""
        return self._dialect.to_send()

    def events(self) -> list[ai.BackendEvent]:
        """The AI says this."""
        said = self._dialect.events()
        for event in said:
            self._heard.note(event, False, self._now)
        return said
