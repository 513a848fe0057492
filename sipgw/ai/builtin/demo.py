"""The `demo` backend: greets, repeats what it hears, answers keys, and lets itself be interrupted."""

from collections import deque
from collections.abc import Mapping

import numpy as np

from sipgw.ai.builtin.base import Builtin, NoSettings, pcm16, settings_of
from sipgw.ai.builtin.pacer import Pacer
from sipgw.ai.events import (
    AudioFormat,
    CallerSpoke,
    CallerStopped,
    CallFacts,
    Clear,
    DigitPressed,
    Ended,
    GatewayEvent,
    Interrupted,
    Started,
)
from sipgw.audio.vad import RATE_HZ, Vad
from sipgw.options import BackendOptions

PROMPT_FORMAT = AudioFormat.PCM16_24K
BEFORE_MS = 240
"""Kept of what came before speech was noticed, so that its first sound is repeated too."""
LONGEST_MS = 30_000
"""Of one utterance; what is said beyond it is not repeated."""
KEYS = {"*": "star", "#": "hash"}


class Demo(Builtin):
    """A conversation partner with few ideas of its own.

    Args:
        prompts: PCM16 at 24 kHz by name: `greeting`, `key-0` to `key-9`, `key-star`, `key-hash`. One that is absent
            is not spoken.
    """

    def __init__(self, options: BackendOptions, facts: CallFacts, prompts: Mapping[str, bytes]) -> None:
        super().__init__(options)
        settings_of(options, NoSettings)
        self.audio_format = pcm16(options)
        self._prompts = prompts
        self._resumed = facts.resumed
        self._voice = Pacer(self.audio_format)
        self._vad = Vad()
        self._before: deque[bytes] = deque(maxlen=BEFORE_MS // self.frame_ms)
        self._heard: list[bytes] = []
        self._said = 0

    def send(self, event: GatewayEvent, now: float) -> None:
        """Greet, answer a key, or fall silent."""
        match event:
            case Started() if not self._resumed:
                self._speak("greeting", now)
            case DigitPressed(digit=digit):
                self._answer(digit, now)
            case Interrupted() | Ended():
                self._voice.stop()

    def audio(self, frame: bytes | memoryview, now: float) -> str | bytes | None:
        """Listen, and repeat what was said once the caller stops."""
        change = self._vad.feed(narrow(frame, self.audio_format.rate_hz))
        if change:
            self._events.append(CallerSpoke())
            self._heard = list(self._before)
        if self._vad.speaking and len(self._heard) < LONGEST_MS // self.frame_ms:
            self._heard.append(bytes(frame))
        self._before.append(bytes(frame))
        if change is False:
            self._events.append(CallerStopped())
            self._say("repeat", b"".join(self._heard), now)
        return None

    def handle_timers(self, now: float) -> None:
        """Say the next piece."""
        self._events += self._voice.take(now)

    def next_timer(self) -> float | None:
        """When the next piece is due."""
        return self._voice.next_timer()

    def _answer(self, digit: str, now: float) -> None:
        self._voice.stop()
        self._events.append(Clear())
        self._speak(f"key-{KEYS.get(digit, digit)}", now)

    def _speak(self, prompt: str, now: float) -> None:
        if prompt in self._prompts:
            self._say(prompt, at_rate(self._prompts[prompt], self.audio_format.rate_hz), now)

    def _say(self, name: str, audio: bytes, now: float) -> None:
        self._said += 1
        self._voice.say(f"{name}-{self._said}", audio, now)
        self._events += self._voice.take(now)


def narrow(frame: bytes | memoryview, rate_hz: int) -> bytes:
    """A frame at 8 kHz, by averaging: good enough to tell speech from silence."""
    if rate_hz == RATE_HZ:
        return bytes(frame)
    samples = np.frombuffer(frame, np.int16).reshape(-1, rate_hz // RATE_HZ)
    return bytes(samples.mean(axis=1).astype(np.int16))


def at_rate(prompt: bytes, rate_hz: int) -> bytes:
    """A prompt at another rate, between its samples; prompts have nothing above 4 kHz that could alias."""
    if rate_hz == PROMPT_FORMAT.rate_hz:
        return prompt
    samples = np.frombuffer(prompt, np.int16)
    at = np.arange(0, len(samples), PROMPT_FORMAT.rate_hz / rate_hz)
    return bytes(np.interp(at, np.arange(len(samples)), samples).astype(np.int16))
