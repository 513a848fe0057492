"""Sources that get nothing for a while, and the offences that lead there.

The source of a datagram may be forged: a ban for what came in datagrams is for datagrams alone, and whoever is shut out
for what somebody else sent in its name still gets in over TCP and TLS.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sipgw.options.defence import DefenceOptions
from sipgw.sip.recent import Recent
from sipgw.sip.source import SourceKey, source_key

_KEPT = 10_000
"""Of offenders and of bans, each: one more, and the oldest is forgotten."""


@dataclass(frozen=True, slots=True)
class Ban:
    """One source that gets nothing."""

    source: SourceKey
    reason: str
    """The last of its offences: short and snake_case."""
    since: float
    until: float
    datagrams_only: bool
    """It did nothing over connections, whose source cannot be forged."""


class _Record:
    """The offences of one source."""

    __slots__ = ("began", "count")

    def __init__(self, now: float) -> None:
        self.began, self.count = now, 0


class Bans:
    """All bans.

    Args:
        options: how many offences are too many, and for how long.
    """

    def __init__(self, options: DefenceOptions) -> None:
        self.options = options
        """May be replaced at any time."""
        self.told: Callable[[Ban], None] = _unheard
        """Hears of each new ban; must not call back at once."""
        self._offenders: Recent[SourceKey, _Record] = Recent(_KEPT)
        self._bans: Recent[SourceKey, Ban] = Recent(_KEPT)

    def __len__(self) -> int:
        """How many there are, those over that nobody has looked at included."""
        return len(self._bans)

    def bars(self, host: str, *, reliable: bool, now: float) -> bool:
        """Whether what comes from this address on such a transport is to be dropped."""
        if not self._bans:
            return False
        ban = self._bans.get(source_key(host))
        if ban is None or (reliable and ban.datagrams_only):
            return False
        if ban.until <= now:
            del self._bans[ban.source]
            return False
        return True

    def offence(self, host: str, reason: str, *, reliable: bool, now: float) -> None:
        """This address did something it should not have done; perhaps once too often."""
        source, most = source_key(host), self.options.offences
        if not most:
            return
        record = self._offenders.get(source)
        if record is None or now - record.began > self.options.offence_seconds:
            record = _Record(now)
            self._offenders.put(source, record)
        record.count += 1
        if record.count >= most:
            del self._offenders[source]
            self._ban(source, reason, now, datagrams_only=not reliable)

    def lift(self, source: str) -> bool:
        """Let a source in again, by its address or as it is listed; whether it was banned."""
        key = source_key(source)
        self._offenders.pop(key, None)
        return self._bans.pop(key, None) is not None

    def now(self, now: float) -> list[Ban]:
        """The bans in force, the oldest first."""
        for ban in [ban for ban in self._bans.values() if ban.until <= now]:
            del self._bans[ban.source]
        return list(self._bans.values())

    def _ban(self, source: SourceKey, reason: str, now: float, *, datagrams_only: bool) -> None:
        ban = Ban(source, reason, now, now + self.options.ban_seconds, datagrams_only)
        before = self._bans.get(source)
        if before is not None and before.until > now:
            ban = replace(ban, datagrams_only=before.datagrams_only and datagrams_only)
        self._bans.put(source, ban)
        self.told(ban)


def _unheard(ban: Ban) -> None:
    """Nobody wants to know."""
