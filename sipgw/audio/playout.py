"""What one sending leg has yet to play: a backend's audio, faster than real time, cut into frames at the tick's pace.

Every byte knows its item, so that a barge-in can say how much of which utterance has left. Audio is kept as it came;
taking a frame is a slice, however much is queued.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sipgw.audio.level import FADE_MS, fade_out

_PATIENCE_TICKS = 2
"""How long a part of a frame waits for the rest of it."""
_REMEMBERED_ITEMS = 64
_WATCH_FRAMES = 50
"""A queue that was never shorter than its target for this many frames is standing delay."""
_LONGEST_WATCH_FRAMES = 3200
"""Each time a source is late doubles the watch, up to a minute: jitter must not be trimmed away again and again."""
_BURST_MS = 240
LONGEST_MS = 600_000


@dataclass(frozen=True, slots=True)
class PlayoutStarted:
    """The first frame of speech after silence leaves; `item` is what it belongs to."""

    item: str


@dataclass(frozen=True, slots=True)
class MarkReached:
    """Everything added before the mark has left."""

    name: str


@dataclass(frozen=True, slots=True)
class ItemFinished:
    """An ended item has left to its last sample."""

    item: str


@dataclass(frozen=True, slots=True)
class Drained:
    """Everything queued has left."""


PlayoutEvent = PlayoutStarted | MarkReached | ItemFinished | Drained


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a clear has dropped."""

    items: tuple[tuple[str, int, int], ...] = ()
    """Each item not yet played out: its name, the milliseconds of it that were sent, those that had been received."""
    marks: tuple[str, ...] = ()


@dataclass(slots=True)
class _Item:
    """Bytes of one utterance."""

    name: str
    received: int = 0
    sent: int = 0
    ended: bool = False


_Audio = tuple[bytes, _Item]
"""A piece as it came. A plain tuple: there are fifty a second."""


@dataclass(frozen=True, slots=True)
class _Mark:
    name: str


@dataclass(frozen=True, slots=True)
class _End:
    name: str


class Playout:
    """The queue of one leg.

    Args:
        rate_hz: samples a second.
        sample_bytes: 2 for PCM16, 1 for G.711.
        silence: one sample of silence.
        fade: fades a few milliseconds of audio out; None for PCM16.
        live: the source speaks in real time, so that a standing queue is delay and is trimmed.
        longest_ms: more than this is not queued.
        notify: called when there is something for `events` to return.
    """

    __slots__ = (
        "_burst", "_closed", "_fade", "_happened", "_items", "_longest", "_notify", "_offset", "_playing", "_queue",
        "_queued", "_rate_hz", "_sample_bytes", "_shortest", "_silence", "_tail", "_waited", "_watch_frames",
        "_watched", "active", "live", "overflow_bytes", "trimmed_ms",
    )  # fmt: skip

    def __init__(
        self,
        rate_hz: int,
        sample_bytes: int = 2,
        silence: bytes = b"\0\0",
        fade: Callable[[bytes], bytes] | None = None,
        *,
        live: bool = False,
        longest_ms: int = LONGEST_MS,
        notify: Callable[[], None] = lambda: None,
    ) -> None:
        self.live = live
        self.active = False
        """Whether `take` would do anything; false spares the tick the call."""
        self.overflow_bytes = 0
        """Dropped because the queue was full."""
        self.trimmed_ms = 0
        """Dropped from a live source's standing queue."""
        self._rate_hz, self._sample_bytes = rate_hz, sample_bytes
        self._silence, self._fade = silence, fade or self._fade_pcm16
        self._longest = self._bytes_of(longest_ms)
        self._burst = self._bytes_of(_BURST_MS)
        self._queue: deque[_Audio | _Mark | _End] = deque()
        self._offset = 0
        """How far the piece at the head has been taken."""
        self._queued = 0
        self._closed = 0
        """Ends and marks in the queue: the audio before them is not waiting for more."""
        self._items: dict[str, _Item] = {}
        self._happened: list[PlayoutEvent] = []
        self._notify = notify
        self._playing = False
        self._waited = 0
        self._tail = b""
        self._shortest, self._watched, self._watch_frames = self._longest, 0, _WATCH_FRAMES

    # --- filling ------------------------------------------------------------------------------------------------

    def add(self, audio: bytes, item: str = "") -> None:
        """Queue audio of an item, behind everything queued so far."""
        size, room = len(audio), self._longest - self._queued
        if size > room:
            kept = room - room % self._sample_bytes
            self.overflow_bytes += size - kept
            audio, size = audio[:kept], kept
        if size:
            entry = self._items.get(item)
            if entry is None or entry.ended:
                entry = self._open(item)
            entry.received += size
            self._queue.append((audio, entry))
            self._queued += size
            self.active = True

    def end(self, item: str = "") -> None:
        """The item is complete; its last part of a frame need not wait."""
        entry = self._items.get(item)
        if entry and not entry.ended:
            entry.ended = True
            self._close(_End(item))

    def mark(self, name: str) -> None:
        """Tell when everything queued so far has left."""
        self._close(_Mark(name))

    def _open(self, name: str) -> _Item:
        entry = self._items[name] = _Item(name)
        if len(self._items) > _REMEMBERED_ITEMS:
            self._forget()
        return entry

    def _forget(self) -> None:
        """Drop the oldest item that has been played."""
        for name, entry in self._items.items():
            if entry.ended and entry.sent == entry.received:
                del self._items[name]
                return
        del self._items[next(iter(self._items))]

    def _close(self, entry: _Mark | _End) -> None:
        self._queue.append(entry)
        self._closed += 1
        if not self._queued:
            self._pass_marks()

    # --- taking -------------------------------------------------------------------------------------------------

    def take(self, size: int) -> bytes | None:
        """The next frame, or None where there is silence to send.

        A part of a frame is padded where its utterance ends, or once it has waited two ticks for more.
        """
        if self._queued < size or self._tail:
            return self._take_last(size)
        self._waited = 0
        head = self._queue[0]
        if self._playing and type(head) is tuple and not self._offset and len(head[0]) == size and not self._closed:
            # The usual case, in the middle of speech: a source that speaks in frames.
            frame, item = self._queue.popleft()  # type: ignore[misc]
            item.sent += size
            self._queued -= size
        else:
            frame = self._cut(size)
        if self.live:
            self._watch(size)
        return frame

    def _take_last(self, size: int) -> bytes | None:
        """What remains: a fade after a clear, or less than a frame."""
        if self._tail:
            frame, self._tail = self._tail[:size], self._tail[size:]
            self._playing = False
            self.active = bool(self._queue or self._tail)
            return self._padded(frame, size)
        if self._queued and (self._closed or self._waited >= _PATIENCE_TICKS):
            self._waited = 0
            return self._padded(self._cut(self._queued), size)
        self._waited += 1
        if self.live and self._playing and self._waited == 1:
            self._ran_dry()
        if not self._queued and (self._closed or self._waited > _PATIENCE_TICKS):
            self._rest()
        return None

    def _cut(self, size: int) -> bytes:
        """`size` bytes from the head; no more than is queued."""
        if not self._playing:
            self._start()
        frame = self._gather(size)
        if self._closed:
            self._pass_marks()
            if not self._queue:
                self._rest()
        return frame

    def _slice(self, head: _Audio, size: int) -> bytes:
        """Part of one piece, which is dropped when it is used up."""
        data, item = head
        at, end = self._offset, self._offset + size
        item.sent += size
        self._queued -= size
        if end == len(data):
            self._queue.popleft()
            self._offset = 0
            return data[at:]
        self._offset = end
        return data[at:end]

    def _gather(self, size: int) -> bytes:
        """A frame that lies across several pieces, or behind marks."""
        parts = []
        while size:
            self._pass_marks()
            head = self._queue[0]
            assert isinstance(head, tuple)
            part = self._slice(head, min(size, len(head[0]) - self._offset))
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _pass_marks(self) -> None:
        """Tell of the marks and ends that have come to the head."""
        while self._queue and not isinstance(entry := self._queue[0], tuple):
            self._queue.popleft()
            self._closed -= 1
            self._tell(MarkReached(entry.name) if isinstance(entry, _Mark) else ItemFinished(entry.name))

    def _start(self) -> None:
        self._pass_marks()
        head = self._queue[0]
        assert isinstance(head, tuple)
        self._playing = True
        self._tell(PlayoutStarted(head[1].name))

    def _rest(self) -> None:
        """Nothing is left to play, nor announced."""
        self._pass_marks()
        self.active = bool(self._queue)
        self._waited = 0
        if self._playing and not self._queue:
            self._playing = False
            self._tell(Drained())

    def _padded(self, frame: bytes, size: int) -> bytes:
        whole = frame[: len(frame) - len(frame) % self._sample_bytes]
        return whole + self._silence * ((size - len(whole)) // self._sample_bytes)

    # --- dropping -----------------------------------------------------------------------------------------------

    def clear(self) -> Cleared:
        """Drop everything. What was about to leave is faded out over 5 ms, so that the cut does not click."""
        if self._playing and self._queued:
            size = self._bytes_of(FADE_MS)
            self._tail = self._fade(self._peek(size - size % self._sample_bytes))
        items = [(name, entry) for name, entry in self._items.items() if not entry.ended or entry.sent < entry.received]
        marks = tuple(entry.name for entry in self._queue if isinstance(entry, _Mark))
        for name, _ in items:
            del self._items[name]
        self._queue.clear()
        self._queued = self._offset = self._closed = self._waited = 0
        self._playing, self.active = False, bool(self._tail)
        return Cleared(tuple((name, self._ms(one.sent), self._ms(one.received)) for name, one in items), marks)

    def _fade_pcm16(self, audio: bytes) -> bytes:
        return fade_out(np.frombuffer(audio, np.int16), self._rate_hz).tobytes()

    def _peek(self, size: int) -> bytes:
        """The next bytes, left where they are."""
        parts, left, at = [], size, self._offset
        for entry in self._queue:
            if isinstance(entry, tuple):
                parts.append(entry[0][at : at + left])
                left, at = left - len(parts[-1]), 0
                if not left:
                    break
        found = b"".join(parts)
        return found[: len(found) - len(found) % self._sample_bytes]

    def skip(self, size: int) -> None:
        """Ticks were missed, `size` bytes' worth: a live source goes on where it is now, others where they were."""
        if self.live:
            self._trim(min(size, self._queued))

    def _watch(self, size: int) -> None:
        """Whole frames that remain in a live queue after every take do nothing but delay.

        Back to a frame, and at once, where it is far longer, as after a stall.
        """
        if self._queued > self._burst:
            self._trim(self._queued - size)
        self._watched += 1
        if self._queued < self._shortest:
            self._shortest = self._queued
        if self._watched >= self._watch_frames:
            if self._shortest >= size:
                self._trim(self._shortest - self._shortest % size)
            self._shortest, self._watched = self._longest, 0

    def _ran_dry(self) -> None:
        """A live source was late: what stood in the queue was needed, and the next trim has to be surer of itself."""
        self._watch_frames = min(2 * self._watch_frames, _LONGEST_WATCH_FRAMES)
        self._shortest, self._watched = self._longest, 0

    def _trim(self, size: int) -> None:
        """Drop the oldest audio; it counts as sent, since nobody will hear it later."""
        size -= size % self._sample_bytes
        if size:
            self._gather(size)
            self.trimmed_ms += self._ms(size)

    # --- asking -------------------------------------------------------------------------------------------------

    @property
    def queued_ms(self) -> int:
        """How much waits to be sent."""
        return self._ms(self._queued)

    @property
    def playing(self) -> bool:
        """Speech is leaving."""
        return self._playing

    @property
    def fading(self) -> bool:
        """What a clear has cut off has yet to fade out."""
        return bool(self._tail)

    def sent_ms(self, item: str = "") -> int:
        """How much of an item has left; 0 for one never heard of or long ago."""
        entry = self._items.get(item)
        return self._ms(entry.sent) if entry else 0

    def events(self) -> list[PlayoutEvent]:
        """Take what has happened since the last time, in order."""
        taken, self._happened = self._happened, []
        return taken

    def _tell(self, event: PlayoutEvent) -> None:
        self._happened.append(event)
        if len(self._happened) == 1:
            self._notify()

    def _ms(self, size: int) -> int:
        return size * 1000 // (self._rate_hz * self._sample_bytes)

    def _bytes_of(self, ms: int) -> int:
        return self._rate_hz * ms // 1000 * self._sample_bytes
