"""A dialect that says what the test tells it to and remembers what it was told."""

from sipgw.ai.dialect import Connect
from sipgw.ai.events import AudioFormat, BackendEvent, Failed, GatewayEvent


class ScriptedDialect:
    """Everything a backend's dialect has, without a backend."""

    def __init__(self, audio: AudioFormat = AudioFormat.PCM16_24K, frame_ms: int = 20) -> None:
        self.audio_format = audio
        self.frame_ms = frame_ms
        self.told: list[GatewayEvent] = []
        self.opened = 0
        self.due: float | None = None
        self.on_timer: list[BackendEvent] = []
        self.says: list[BackendEvent] = []
        self.sends: list[str | bytes] = []

    def open(self, now: float) -> Connect | None:
        self.opened += 1
        return Connect("ws://ai.test/")

    def connected(self, now: float) -> None:
        self.sends.append("hello")

    def disconnected(self, code: int, reason: str, now: float) -> None:
        self.says.append(Failed("connection_lost", detail=reason))

    def receive(self, message: str | bytes, now: float) -> None:
        raise AssertionError("a test hands in events")

    def audio(self, frame: bytes | memoryview, now: float) -> str | bytes | None:
        return bytes(frame)

    def send(self, event: GatewayEvent, now: float) -> None:
        self.told.append(event)

    def handle_timers(self, now: float) -> None:
        if self.due is not None and now >= self.due:
            self.due = None
            self.says += self.on_timer

    def next_timer(self) -> float | None:
        return self.due

    def to_send(self) -> list[str | bytes]:
        taken, self.sends = self.sends, []
        return taken

    def events(self) -> list[BackendEvent]:
        taken, self.says = self.says, []
        return taken
