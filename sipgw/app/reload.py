"""Reads the configuration again while the gateway runs, and hands it to whoever takes some of it.

Each part of the gateway says once which keys it takes, and how; what nobody takes needs a restart. A configuration with
a mistake changes nothing at all.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from sipgw.settings import Examined, Problem, Settings, SettingsError
from sipgw.settings.changes import changes
from sipgw.settings.problems import Where, dotted

Take = Callable[[Settings], None]
"""Puts its part of the settings in force. They have passed every check, so that it does not raise."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of it. Keys are dotted: `calls.max_calls`, `backends.desk`, `routes[0].targets`."""

    taken: tuple[str, ...] = ()
    """Changed, and in force from now on. Calls that run keep what they began with."""
    restart: tuple[str, ...] = ()
    """Not as they were at the start, and in force only after a restart."""
    problems: tuple[Problem, ...] = ()
    """Why nothing was changed."""
    warnings: tuple[Problem, ...] = ()
    """What should be thought about again."""

    @property
    def good(self) -> bool:
        """Whether the configuration could be used."""
        return not self.problems

    @property
    def changed(self) -> tuple[str, ...]:
        """All keys that are not as they were."""
        return (*self.taken, *self.restart)


class Reloading:
    """The settings in force and who takes which of them.

    Args:
        settings: what the gateway was started with.
        read: reads them again, in a thread. Raises SettingsError.
    """

    def __init__(self, settings: Settings, read: Callable[[], Examined]) -> None:
        self._started = self.settings = settings
        """As they were read last; in force but for what needs a restart."""
        self._read = read
        self._keys: list[str] = []
        self._takers: list[Take] = []
        self._one_at_a_time = asyncio.Lock()

    def takes(self, *keys: str, take: Take) -> None:
        """From now on `take` gets the settings at each reload; changes of these keys, and below, are thereby in force.

        It is called whether they have changed or not, in the order of registration.
        """
        self._keys += keys
        self._takers.append(take)

    async def reload(self) -> Reloaded:
        """Read, check, hand out."""
        async with self._one_at_a_time:
            try:
                # Not in the loop: parsing would hold every call up for longer than a tick.
                settings, warnings = await asyncio.to_thread(self._read)
            except SettingsError as error:
                return Reloaded(problems=error.problems)
            taken = [key for key in changes(self.settings, settings) if self._is_taken(key)]
            restart = [key for key in changes(self._started, settings) if not self._is_taken(key)]
            for take in self._takers:
                take(settings)
            self.settings = settings
            return Reloaded(tuple(map(dotted, taken)), tuple(map(dotted, restart)), warnings=warnings)

    def _is_taken(self, where: Where) -> bool:
        return any(dotted(where[:size]) in self._keys for size in range(1, len(where) + 1))


def tell(outcome: Reloaded, log: FilteringBoundLogger) -> None:
    """Write what came of it into the log."""
    for problem in outcome.problems:
        log.error("configuration not reloaded", problem=str(problem))
    for warning in outcome.warnings:
        log.warning("think about the configuration", what=str(warning))
    if outcome.good:
        log.info("configuration reloaded", taken=", ".join(outcome.taken), needs_restart=", ".join(outcome.restart))
