"""Both directions of a session as one stereo sound: the caller left, the agent right, on one clock."""

import numpy as np
from numpy.typing import NDArray

from sipgw.media.narrow import Narrower
from sipgw.media.tap import Tap
from sipgw.media.track import RATE_HZ, Track

Stereo = NDArray[np.int16]
"""Two columns."""

_NEVER = float("inf")
_PATIENCE = 1.5
"""Seconds after which the place of a packet that has not come is written."""


class Mixdown:
    """What a tap has kept, block by block.

    Args:
        tap: where the packets come from.
    """

    __slots__ = ("_agent", "_caller", "_narrow_agent", "_narrow_caller", "_tap", "written")

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._caller, self._agent = Track(tap.began), Track(tap.began)
        self._narrow_caller, self._narrow_agent = Narrower(), Narrower()
        self.written = 0
        """Samples of each channel so far."""

    @property
    def seconds(self) -> float:
        """How long the blocks so far last."""
        return self.written / RATE_HZ

    def block(self, now: float) -> Stereo:
        """The sound from the end of the last block to a moment before now, or to the end of the recording.

        Where nothing passed there is silence. A packet that comes after its place was written is not heard.
        """
        ended = self._tap.ended  # before the packets are taken: there are no more if it is set
        known, until = (now, now - _PATIENCE) if ended is None else (_NEVER, ended)
        caller, agent = self._tap.take()
        self._caller.add(self._narrow_caller.packets(caller), known)
        self._agent.add(self._narrow_agent.packets(agent), known)
        start, end = self.written, round((until - self._tap.began) * RATE_HZ)
        out = np.zeros((max(end - start, 0), 2), np.int16)
        self._caller.write(out[:, 0], start)
        self._agent.write(out[:, 1], start)
        self.written += len(out)
        return out
