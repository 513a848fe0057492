"""What a worker process tells control of itself: notes, drops by name, counters, and lines of libraries."""

import logging
from collections import Counter
from collections.abc import Callable

from sipgw.trace import Mark, Note
from sipgw.worker import messages as say
from sipgw.worker.worker import Worker

Tell = Callable[[say.Noted | say.Counted], None]


class Telling:
    """Takes the cores' notes.

    Args:
        tell: carries a message to control.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.detailed = False
        """Tell every note, for DEBUG logs."""
        self._drops: Counter[str] = Counter()

    def trace(self, note: Note) -> None:
        """A trace (`trace.Trace`). A flood of drops costs one dictionary entry each."""
        if note.mark is Mark.DROP:
            self._drops[f"{note.layer} {note.name}"] += 1
        if self.detailed:
            self._tell(say.Noted(note.when, note.layer, note.mark, note.name, note.call, note.detail))

    def count(self, worker: Worker) -> None:
        """Tell the counters as they stand."""
        late = worker.lateness
        drops, self._drops = self._drops, Counter()
        self._tell(
            say.Counted(
                worker.sessions, late.buckets, late.ticks, late.missed, late.sum_ms, dict(worker.failures), dict(drops)
            )
        )


class Forward(logging.Handler):
    """Hands the lines of libraries and of Python itself to control, whose log masks secrets."""

    def __init__(self, tell: Callable[[say.Logged], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line."""
        self._tell(say.Logged(record.levelno, self.format(record)))
