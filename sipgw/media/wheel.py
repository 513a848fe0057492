"""When each session sends: lanes of equal codec, packet interval and phase, and who is due at a 5 ms sub-tick."""

from sipgw.media.coder_lane import CoderLane
from sipgw.media.convert import Resamplers
from sipgw.media.lane import Departure, Lane
from sipgw.media.session import Session
from sipgw.media.table import Table
from sipgw.media.table_lane import TableLane
from sipgw_codecs.g711 import G711
from sipgw_codecs.registry import Codec

SUB_TICK_MS = 5
_WORTHWHILE = 25
"""Sessions in a phase below which a further phase is not opened: a pass costs as much as ten sessions."""


def _load(lanes: dict[str, Lane]) -> int:
    """How many sessions send in a phase."""
    return sum(len(lane.sessions) for lane in lanes.values())


class Wheel:
    """All lanes: for a packet interval of 20 ms there are four phases of 5 ms, and so on."""

    def __init__(self, table: Table, resamplers: Resamplers) -> None:
        self._table, self._resamplers = table, resamplers
        self._phases: dict[int, list[dict[str, Lane]]] = {}
        self._lane_of: dict[int, Lane] = {}

    def add(self, session: Session) -> None:
        """A session sends from now on, in the phase that has least to do."""
        ptime_ms = session.interval_ms
        phases = self._phases.setdefault(ptime_ms, [{} for _ in range(ptime_ms // SUB_TICK_MS)])
        least = min(self._open(phases), key=_load)
        lane = least.get(session.codec.name)
        if lane is None:
            lane = least[session.codec.name] = self._lane(session.codec, ptime_ms)
        lane.add(session)
        self._lane_of[session.slot] = lane

    def _lane(self, codec: Codec, ptime_ms: int) -> Lane:
        if isinstance(codec, G711):
            return TableLane(codec, ptime_ms, self._table, self._resamplers)
        return CoderLane(codec, ptime_ms, self._table, self._resamplers)

    def _open(self, phases: list[dict[str, Lane]]) -> list[dict[str, Lane]]:
        """The phases to choose from: as many as keep each one's batch worth its pass, far apart from each other."""
        wanted = sum(map(_load, phases)) // _WORTHWHILE + 1
        return phases[:: -(-len(phases) // wanted)]

    def remove(self, session: Session) -> None:
        """A session sends no longer; nothing happens if it did not."""
        lane = self._lane_of.pop(session.slot, None)
        if lane is not None:
            lane.remove(session)

    def lane(self, session: Session) -> Lane | None:
        """Where a session sends."""
        return self._lane_of.get(session.slot)

    def tick(self, number: int, now: float, missed: int = 0) -> list[Departure]:
        """The packets due at sub-tick `number`, and those of the `missed` ones before it: one a session.

        A packet that is late by less than its interval is late. What should have left before it is skipped.
        """
        departures: list[Departure] = []
        for phases in self._phases.values():
            for back in range(min(missed, len(phases) - 1), -1, -1):
                lanes = phases[(number - back) % len(phases)]
                skipped = (missed - back) // len(phases)
                for lane in lanes.values():
                    if skipped:
                        lane.skip(skipped)
                    departures += lane.tick(now)
        return departures
