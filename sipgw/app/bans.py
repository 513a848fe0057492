"""Bans as operators see them: a line in the log, a counter, and what the API lists."""

from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from sipgw.ops.api.gateway import BanView
from sipgw.ops.metrics import Metrics
from sipgw.sip import bans
from sipgw.sip.buckets import Bucket

_LINES = 10
"""In the log, a second: forged sources may be banned by the thousand."""


class Bans:
    """The agent's bans.

    Args:
        agents: who decides.
        now: our clock.
        wall: Unix time of a time on it.
        metrics: counts them.
        log: takes its lines.
    """

    def __init__(
        self, agents: bans.Bans, now: Callable[[], float], wall: Callable[[float], float], metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:  # fmt: skip
        self._bans, self._now, self._wall = agents, now, wall
        self._metrics, self._log, self._lines = metrics, log, Bucket()
        agents.told = self._told
        metrics.watch_bans(lambda: len(agents.now(now())))

    def list(self) -> list[BanView]:
        """Those in force, the oldest first."""
        return [
            BanView(ban.source, ban.reason, self._wall(ban.since), self._wall(ban.until), ban.datagrams_only)
            for ban in self._bans.now(self._now())
        ]

    def lift(self, source: str) -> bool:
        """Let a source in again; whether it was banned."""
        lifted = self._bans.lift(source)
        if lifted:
            self._log.info("ban lifted", source=source)
        return lifted

    def _told(self, ban: bans.Ban) -> None:
        self._metrics.banned(ban.reason)
        if self._lines.spend(_LINES, ban.since):
            self._log.warning("banned", source=ban.source, reason=ban.reason, seconds=round(ban.until - ban.since))
