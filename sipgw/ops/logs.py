"""Logs: one line an event, for people or for machines, with secrets masked whoever wrote them.

INFO has a line when a call is answered and one when it ends. DEBUG shows what the cores note: `<` in, `>` out,
`=` state, `%` timer, `x` dropped and why.
"""

import logging
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from sipgw.trace import Note, Trace, silent

MASK = "***"
_SECRET_KEYS = ("authorization", "password", "secret", "token", "api_key")
_SHORTEST = 6
"""Shorter secrets are not looked for: they would be found everywhere."""


def configure(
    form: str = "console", level: str = "info", *, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> FilteringBoundLogger:
    """Set logging up for the process, that of libraries included; returns the logger.

    Args:
        form: `console` or `json`.
        level: `debug`, `info`, `warning` or `error`.
        secrets: texts to mask wherever they appear.
        stream: standard error, unless given.
    """
    stream = stream or sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*_processors(secrets), _renderer(form, stream)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    log: FilteringBoundLogger = structlog.get_logger()
    root = logging.getLogger()
    root.handlers[:] = [_Forward(log)]
    # Libraries' lines below that are not about calls, and at DEBUG hold whole messages, headers included.
    root.setLevel(max(number, logging.WARNING))
    return log


def trace_to(log: FilteringBoundLogger) -> Trace:
    """A trace whose notes are DEBUG lines; one that does nothing where those are not wanted."""
    if not log.is_enabled_for(logging.DEBUG):
        return silent

    def trace(note: Note) -> None:
        words = {"call": note.call, "detail": note.detail}
        log.debug(
            f"{note.mark.value} {note.layer} {note.name}",
            at=round(note.when, 4),
            **{name: word for name, word in words.items() if word},
        )

    return trace


class LogTrace:
    """A trace whose notes are DEBUG lines while the log has such, which may change.

    Args:
        log: as `configure` returns it: it follows every later `configure`.
    """

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._trace = trace_to(log)

    def __call__(self, note: Note) -> None:
        self._trace(note)

    @property
    def wanted(self) -> bool:
        """Whether the log has such lines now."""
        return self._trace is not silent

    def follow(self) -> None:
        """The log's level may have changed."""
        self._trace = trace_to(self._log)


def both(*traces: Trace) -> Trace:
    """A trace that hands each note to all of these."""
    wanted = [trace for trace in traces if trace is not silent]
    if len(wanted) < 2:
        return wanted[0] if wanted else silent

    def trace(note: Note) -> None:
        for one in wanted:
            one(note)

    return trace


def _processors(secrets: Iterable[str]) -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _Mask(secrets),
    ]


def _renderer(form: str, stream: TextIO) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(default=str)
    return structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)


@lru_cache(maxsize=1024)
def _is_telling(key: str) -> bool:
    lower = key.lower()
    return any(name in lower for name in _SECRET_KEYS)


class _Mask:
    """Masks values under telling keys, and known secrets inside any text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted((s for s in secrets if len(s) >= _SHORTEST), key=len, reverse=True)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        for key, value in event.items():
            if _is_telling(key):
                event[key] = MASK
            elif self._secrets and not isinstance(value, int | float | bool | None):
                event[key] = self._masked(value)
        return event

    def _masked(self, value: object) -> object:
        text = value if isinstance(value, str) else str(value)
        if not any(secret in text for secret in self._secrets):
            return value
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text


class _Forward(logging.Handler):
    """Hands the lines of libraries, which use the standard module, to ours."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(record.levelno, record.getMessage(), library=record.name, exc_info=record.exc_info or None)
