"""The `echo` backend: the caller hears the caller, at once. Best with `live`, because a queue would be delay."""

from sipgw.ai.builtin.base import Builtin, NoSettings, settings_of
from sipgw.ai.events import CallFacts, Speech
from sipgw.options import BackendOptions


class Echo(Builtin):
    """Says every frame it hears, in whatever format it comes."""

    def __init__(self, options: BackendOptions, facts: CallFacts) -> None:
        super().__init__(options)
        settings_of(options, NoSettings)

    def audio(self, frame: bytes | memoryview, now: float) -> str | bytes | None:
        """Say it."""
        self._events.append(Speech(bytes(frame)))
        return None
