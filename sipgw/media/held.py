"""Sessions whose far end does not want to hear us, or is nowhere yet: time passes, and now and then a packet leaves."""

import numpy as np

from sipgw.flow import is_nowhere
from sipgw.media.lane import Departure
from sipgw.media.session import Session
from sipgw.media.table import Table
from sipgw.rtp.packet import pack

_KEEP_ALIVE = 15.0
"""A packet this often keeps NATs open (RFC 6263)."""


class Held:
    """All held sessions of an engine; their timestamps go on, so that our numbers are unbroken when they speak again.

    Args:
        table: where the timestamps are counted.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._counted: dict[Session, float] = {}
        """Up to when each one's timestamps have been counted."""

    def add(self, session: Session, now: float) -> None:
        """A session does not send from now on."""
        self._counted[session] = now

    def remove(self, session: Session, now: float) -> None:
        """A session may send again; nothing happens if it was not held."""
        if session in self._counted:
            self._count(session, now)
            del self._counted[session]
            session.marker = True

    def passed(self, session: Session, now: float) -> int:
        """Timestamp units that have passed and are not counted; 0 for a session that is not held."""
        counted = self._counted.get(session, now)
        return round((now - counted) * session.codec.clock_hz)

    def tick(self, now: float) -> list[Departure]:
        """The packets due: silence, one a session."""
        due = [session for session, counted in self._counted.items() if now - counted >= _KEEP_ALIVE]
        return [self._packet(one, now) for one in due if not is_nowhere(one.destination)]

    def _count(self, session: Session, now: float) -> None:
        self._table.timestamp[session.slot] += np.uint32(self.passed(session, now) & 0xFFFFFFFF)
        self._counted[session] = now

    def _packet(self, session: Session, now: float) -> Departure:
        table, slot = self._table, session.slot
        self._count(session, now)
        sequence, timestamp = int(table.sequence[slot]), int(table.timestamp[slot])
        header = pack(session.stream.send_type, False, sequence, timestamp, int(table.ssrc[slot]))
        silence = session.codec.silence(session.interval_ms)
        table.sequence[slot] += np.uint64(1)
        session.octets += len(silence)
        return slot, memoryview(session.sealed(header + silence)), session.destination
