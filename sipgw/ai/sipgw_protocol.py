"""The `sipgw` dialect: our own protocol, JSON beside binary PCM16 on one WebSocket (PROTOCOL.md)."""

from typing import Annotated

import msgspec

from sipgw.ai import closing
from sipgw.ai import sipgw_wire as wire
from sipgw.ai.builtin.base import pcm16, settings_of
from sipgw.ai.dialect import Connect
from sipgw.ai.events import (
    BackendEvent,
    CallFacts,
    Clear,
    Dropped,
    Ended,
    Failed,
    GatewayEvent,
    HangUpWish,
    PlaceMark,
    Ready,
    RecordingWish,
    Speech,
    SpeechEnded,
    Started,
    Transcript,
    TransferWish,
)
from sipgw.options import BackendOptions

NORMAL = 1000


class SipgwSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `settings` of a `sipgw` backend."""

    wait_ready: bool = False
    """The backend says `ready` once it can take the call; otherwise the open socket says so."""
    frame_ms: Annotated[int, msgspec.Meta(ge=10, le=200, multiple_of=10)] = 20
    """Length of the binary messages that carry the caller."""
    parameters: dict[str, object] = {}
    """Given to the backend at the start, as they are."""


class SipgwProtocol:
    """One conversation with a `sipgw` backend. Raises ValueError for settings that make no sense."""

    __slots__ = (
        "_connected", "_events", "_facts", "_half", "_item", "_leaving", "_options", "_out", "_ready", "_resumed",
        "_settings", "_started", "audio_format", "frame_ms",
    )  # fmt: skip

    def __init__(self, options: BackendOptions, facts: CallFacts) -> None:
        self.audio_format = pcm16(options)
        self._settings = settings_of(options, SipgwSettings)
        if not options.url:
            raise ValueError(f"backend {options.name}: url is missing")
        self.frame_ms = self._settings.frame_ms
        self._options, self._facts = options, facts
        self._out: list[str | bytes] = []
        self._events: list[BackendEvent] = []
        self._resumed = facts.resumed
        """The backend is not to begin anew."""
        self._started = False
        """The caller hears."""
        self._reset()

    def _reset(self) -> None:
        self._connected = self._ready = False
        self._leaving = False
        """Either side has said that it is over."""
        self._item = ""
        self._half = b""
        """The first byte of a sample whose second has not come."""

    # --- the connection ---------------------------------------------------------------------------------------

    def open(self, now: float) -> Connect | None:
        """The connection to open; for a reconnection the backend is told that it resumes."""
        self._reset()
        self._out.clear()
        return Connect(self._options.url, dict(self._options.headers), (wire.SUBPROTOCOL,))

    def connected(self, now: float) -> None:
        """Introduce the call."""
        self._connected = True
        resumed, self._resumed = self._resumed, True
        parameters = self._settings.parameters
        self._out.append(wire.start(self._facts, self.audio_format, self.frame_ms, parameters, resumed))
        if not self._settings.wait_ready:
            self._be_ready()

    def disconnected(self, code: int, reason: str, now: float) -> None:
        """A backend that closes normally has hung up; anything else is a failure."""
        was_open, self._connected = self._connected, False
        if not was_open or self._leaving:
            return
        if code == NORMAL and self._started:
            self._events.append(HangUpWish(reason=reason or "backend_closed"))
        else:
            self._events.append(closing.failure(code, reason))

    def handle_timers(self, now: float) -> None:
        """Nothing here takes time; how long `ready` may take is the shell's to say."""

    def next_timer(self) -> float | None:
        """Never."""
        return None

    def to_send(self) -> list[str | bytes]:
        """Take the messages to send, in order."""
        if not self._out:
            return []
        taken, self._out = self._out, []
        return taken

    def events(self) -> list[BackendEvent]:
        """Take what the backend said, in order."""
        taken, self._events = self._events, []
        return taken

    # --- towards the backend ----------------------------------------------------------------------------------

    def audio(self, frame: bytes | memoryview, now: float) -> str | bytes | None:
        """The frame as it is."""
        return bytes(frame) if self._ready else None

    def send(self, event: GatewayEvent, now: float) -> None:
        """Tell the backend, where there is a connection to tell it on."""
        self._started = self._started or isinstance(event, Started)
        if self._connected:
            self._out.append(wire.told(event))
        self._leaving = self._leaving or isinstance(event, Ended)

    def _be_ready(self) -> None:
        if self._ready:
            return
        self._ready = True
        self._events.append(Ready())
        if self._started:
            # A reconnection: the conversation has long been open.
            self._out.append(wire.told(Started()))

    # --- from the backend -------------------------------------------------------------------------------------

    def receive(self, message: str | bytes, now: float) -> None:
        """Take a message: binary is speech, text is one of those below or a named drop."""
        if isinstance(message, bytes):
            if self._half or len(message) % 2:
                message = self._whole(message)
            if message:
                self._events.append(Speech(message, self._item))
            return
        try:
            self._said(wire.decode(message))
        except wire.Unusable as unusable:
            self._events.append(Dropped(unusable.reason, unusable.detail))

    def _whole(self, message: bytes) -> bytes:
        """Audio in whole samples: services that make speech cut it anywhere, even within one."""
        audio = self._half + message
        whole = len(audio) - len(audio) % 2
        self._half = audio[whole:]
        return audio[:whole]

    def _said(self, message: wire.BackendMessage) -> None:
        match message:
            case wire.ReadySaid():
                self._be_ready()
            case wire.ClearSaid():
                self._name_item("")
                self._events.append(Clear())
            case wire.MarkSaid(name=name):
                self._events.append(PlaceMark(name))
            case wire.ItemSaid(id=item):
                self._end_item()
                self._name_item(item)
            case wire.ItemEndSaid():
                self._events.append(SpeechEnded(self._item))
                self._name_item("")
            case wire.TransferSaid(target=target, id=id_, summary=summary, reason=reason):
                self._events.append(TransferWish(target, id_, summary, reason))
            case wire.HangUpSaid(id=id_, reason=reason):
                self._leaving = True
                self._events.append(HangUpWish(id_, reason))
            case wire.PauseRecordingSaid():
                self._events.append(RecordingWish(paused=True))
            case wire.ResumeRecordingSaid():
                self._events.append(RecordingWish(paused=False))
            case wire.TranscriptSaid(who=who, text=text, final=final, item=item):
                self._events.append(Transcript(who, text, final, item))
            case wire.ErrorSaid(message=text, permanent=permanent):
                self._leaving = True
                self._events.append(Failed("backend_error", permanent, text))

    def _end_item(self) -> None:
        if self._item:
            self._events.append(SpeechEnded(self._item))

    def _name_item(self, item: str) -> None:
        self._item, self._half = item, b""
