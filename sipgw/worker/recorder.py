"""Writes the recordings of a worker, in threads of its own: calls never wait for a disk.

The loop opens a tap and lets go of it; one thread takes what the taps keep, a second at a time, and writes it. What
ends a file (fsync, its hash) takes longer the longer the call was, and has another thread, so that the recordings
that still run are not kept waiting.
"""

import asyncio
import queue
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sipgw.audio.wav import Encoding
from sipgw.media.tap import Tap
from sipgw.trace import Mark, Note, Trace
from sipgw.worker.recording import Event, Recording
from sipgw.worker.sink import OpenSink

_NAP = 0.1
"""Seconds between looks at what is due, at least."""


class Recorder:
    """All recordings of a worker. Make it inside a running loop, which calls everything that is public.

    Args:
        open_sink: makes what recordings are written to.
        encoding: how samples are written.
        emit: takes what becomes of recordings.
        trace: takes notes.
    """

    def __init__(self, open_sink: OpenSink, encoding: Encoding, emit: Callable[[Event], None], trace: Trace) -> None:
        self._open_sink, self._encoding, self._emit, self._trace = open_sink, encoding, emit, trace
        self._loop = asyncio.get_running_loop()
        self._taps: dict[str, Tap] = {}
        """Of the sessions that are recorded."""
        self._news: queue.SimpleQueue[Recording | None] = queue.SimpleQueue()
        """Recordings that begin; None where one ends, or all do."""
        self._recordings: list[Recording] = []
        """The thread's."""
        self._closing = False
        self._thread: threading.Thread | None = None

    def tap(self, session: str) -> Tap | None:
        """What keeps a session's packets, while it is recorded."""
        return self._taps.get(session)

    def begin(self, session: str, name: str, now: float) -> Tap:
        """Record a session; returns what takes its packets. `RecordingStarted` or `RecordingFailed` follows."""
        tap = self._taps[session] = Tap(now)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
            self._thread.start()
        self._news.put(Recording(session, name, tap, self._encoding, self._open_sink))
        return tap

    def end(self, session: str, now: float) -> None:
        """Record a session no longer; `Recorded` or `RecordingFailed` follows where it was recorded."""
        tap = self._taps.pop(session, None)
        if tap is not None:
            tap.end(now)
            self._news.put(None)

    def watch(self, now: float) -> None:
        """See whether the writer keeps up; wanted about once a second."""
        for session, tap in self._taps.items():
            if tap.watch(now):
                self._note("recording_backlog", now, session)

    async def close(self) -> None:
        """Finish everything; the last events are emitted before this returns."""
        for session in tuple(self._taps):
            self.end(session, time.monotonic())
        self._closing = True
        self._news.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _broke(self, recording: Recording, details: str) -> None:
        """Nothing more is written of it."""
        now = time.monotonic()
        self._note("recording_failed", now, f"{recording.session}: {details}")
        if self._taps.get(recording.session) is recording.tap:
            self.end(recording.session, now)

    def _note(self, name: str, now: float, detail: str) -> None:
        self._trace(Note(now, "worker", Mark.DROP, name, detail=detail))

    # --- the thread's side --------------------------------------------------------------------------------------

    def _run(self) -> None:
        with ThreadPoolExecutor(1, "recording-end") as ends:
            while self._recordings or not (self._closing and self._news.empty()):
                self._wait()
                now = time.monotonic()
                for recording in self._recordings:
                    if recording.due <= now or recording.tap.ended is not None:
                        self._step(recording, now)
                    if recording.written:
                        ends.submit(self._finish, recording)
                self._recordings = [recording for recording in self._recordings if not recording.written]

    def _wait(self) -> None:
        """Until something is due, begins or ends."""
        due = min((recording.due for recording in self._recordings), default=None)
        try:
            news = self._news.get(timeout=None if due is None else max(due - time.monotonic(), _NAP))
            if news is not None:
                self._recordings.append(news)
        except queue.Empty:
            pass

    def _step(self, recording: Recording, now: float) -> None:
        details = ""
        try:
            recording.step(now, self._tell)
        except Exception:  # noqa: BLE001 - a defect met by one recording must not end the others
            details = traceback.format_exc()
            recording.fail("internal error")
        if recording.failure:
            self._loop.call_soon_threadsafe(self._broke, recording, details or recording.failure)

    def _finish(self, recording: Recording) -> None:
        self._tell(recording.finish())

    def _tell(self, event: Event) -> None:
        self._loop.call_soon_threadsafe(self._emit, event)
