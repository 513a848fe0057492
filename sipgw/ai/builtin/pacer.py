"""Hands speech out a little at a time and ahead of what is heard, as a real backend does, so that it can be stopped."""

from collections import deque

from sipgw.ai.events import AudioFormat, BackendEvent, Speech, SpeechEnded

PIECE_MS = 200
EVERY = 0.1
"""Seconds between pieces: twice as fast as it is heard, as backends do."""


class Pacer:
    """Utterances, one after the other, in pieces."""

    def __init__(self, audio: AudioFormat) -> None:
        self._piece_bytes = audio.bytes_of(PIECE_MS)
        self._queue: deque[tuple[str, memoryview]] = deque()
        self._due: float | None = None

    def say(self, item: str, audio: bytes, now: float) -> None:
        """Say an utterance after those before it; the first piece is due now."""
        self._queue.append((item, memoryview(audio)))
        self._due = now if self._due is None else self._due

    def stop(self) -> None:
        """Say no more of anything."""
        self._queue.clear()
        self._due = None

    def take(self, now: float) -> list[BackendEvent]:
        """What is to be said by now."""
        said: list[BackendEvent] = []
        while self._due is not None and now >= self._due:
            said += self._piece()
            self._due = self._due + EVERY if self._queue else None
        return said

    def next_timer(self) -> float | None:
        """When the next piece is due."""
        return self._due

    def _piece(self) -> list[BackendEvent]:
        item, audio = self._queue.popleft()
        said: list[BackendEvent] = [Speech(bytes(audio[: self._piece_bytes]), item)] if audio else []
        if rest := audio[self._piece_bytes :]:
            self._queue.appendleft((item, rest))
            return said
        return [*said, SpeechEnded(item)]
