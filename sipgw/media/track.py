"""Puts the packets of one direction on a recording's clock.

Among each other they lie as their RTP timestamps say, to the sample. Where they all lie is said by the quickest of
them: a packet can be late, not early. So a sender whose clock drifts, whose timestamps jump or who begins anew is
never further from its place than a frame.
"""

import numpy as np
from numpy.typing import NDArray

from sipgw.media.tap import Passed
from sipgw.rtp.stamps import MODULUS, step
from sipgw_codecs.registry import LAWS

RATE_HZ = 8000
"""Of the recording; a sample is a byte of G.711 and a unit of its timestamps."""

_EARLY = RATE_HZ // 100
_LATE = RATE_HZ // 50
"""A packet may come so many samples before or after its place without moving it."""
_LATE_FOR = 1.0
"""Seconds for which everything is late before that is no jitter any more."""
_FEW = 10
"""Fewer packets do not tell what is late for good."""
_JUMP = RATE_HZ
"""A timestamp so far from the one before begins anew."""

Pcm = NDArray[np.int16]


class Track:
    """One direction.

    Args:
        began: when the recording did.
    """

    __slots__ = ("_began", "_law", "_pieces", "_place", "_run", "_run_place", "_stamp", "_waiting")

    def __init__(self, began: float) -> None:
        self._began = began
        self._stamp = -1
        """Timestamp that continues the last packet; -1 before the first."""
        self._place = 0
        """Where the last packet ends, in samples since the recording began."""
        self._run: list[bytes] = []
        """Payloads that follow each other without a gap."""
        self._run_place, self._law = 0, ""
        self._pieces: list[tuple[int, bytes, str]] = []
        """Runs that are complete: place, payload, codec's name."""
        self._waiting: list[Passed] = []
        """Packets whose place only the next ones will tell."""

    # --- packets in ---------------------------------------------------------------------------------------------

    def add(self, packets: list[Passed], known: float) -> None:
        """Take packets in the order in which they passed; all that passed until `known` are there now."""
        if self._waiting:
            packets, self._waiting = self._waiting + packets, []
        if not packets or self._takes_whole(packets):
            return
        for index, (now, stamp, payload, law) in enumerate(packets):
            gone = 0 if stamp == self._stamp else step(self._stamp, stamp)
            place = self._place + gone
            late = (now - self._began) * RATE_HZ - place
            anew = self._stamp < 0 or abs(gone) > _JUMP
            if anew or not -_EARLY <= late <= _LATE:
                if late > 0 and known - now < _LATE_FOR and not anew:
                    self._waiting = packets[index:]
                    return
                place += _move(late, packets[index:], anew)
            if place != self._place or law != self._law:
                self._close_run()
                self._run_place, self._law = place, law
            self._run.append(payload)
            self._place = place + len(payload)
            self._stamp = (stamp + len(payload)) % MODULUS

    def _takes_whole(self, packets: list[Passed]) -> bool:
        """Take packets at once where each simply follows the one before; returns whether they do.

        If the first and the last are on time, those between are in their place, however they came.
        """
        whens, stamps, payloads, laws = zip(*packets, strict=True)
        size, count, place = len(payloads[0]), len(packets), self._place
        end = place + size * (count - 1)
        if (
            stamps != tuple(range(self._stamp, self._stamp + size * count, size))
            or laws.count(self._law) != count
            or not -_EARLY <= (whens[0] - self._began) * RATE_HZ - place <= _LATE
            or not -_EARLY <= (whens[-1] - self._began) * RATE_HZ - end <= _LATE
        ):
            return False
        joined = b"".join(payloads)
        if len(joined) != size * count:
            return False
        self._run.append(joined)
        self._place, self._stamp = place + len(joined), (self._stamp + len(joined)) % MODULUS
        return True

    def _close_run(self) -> None:
        if self._run:
            self._pieces.append((self._run_place, b"".join(self._run), self._law))
            self._run = []

    # --- samples out --------------------------------------------------------------------------------------------

    def write(self, out: Pcm, start: int) -> None:
        """Write what lies from `start` on into `out`, which holds silence, and forget it and all before."""
        self._close_run()
        self._run_place = self._place
        end = start + len(out)
        pieces, self._pieces = self._pieces, []
        for place, payload, law in pieces:
            first, last = max(place, start), min(place + len(payload), end)
            if first < last:
                codes = np.frombuffer(payload, np.uint8)[first - place : last - place]
                out[first - start : last - start] = LAWS[law].decode(codes)
            if place + len(payload) > end:
                rest = max(end - place, 0)
                self._pieces.append((place + rest, payload[rest:], law))


def _move(late: float, packets: list[Passed], anew: bool) -> int:
    """By how many samples the first of these packets, which is late by `late`, is to move, and all after it.

    The quickest of those that come within a second tells, as far as their timestamps go on.
    """
    first, before, _, _ = packets[0]
    least, passed, seen = late, 0, 0
    for now, stamp, _, _ in packets:
        gone = step(before, stamp)
        if now - first > _LATE_FOR or abs(gone) > _JUMP:
            break
        before, passed, seen = stamp, passed + gone, seen + 1
        least = min(least, late + (now - first) * RATE_HZ - passed)
    if anew or least < -_EARLY or (least > _LATE and seen >= _FEW):
        return round(least)
    return 0
