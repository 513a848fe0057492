"""An offer of ours within a call, tried again where it meets one of the far end's (RFC 3261 section 14.1)."""

import zlib

from sipgw.call.holdings import Holdings
from sipgw.call.negotiation import Negotiation
from sipgw.call.snapshot import KeptReoffer
from sipgw.errors import PeerError
from sipgw.sdp.audio import Direction
from sipgw.sip.events import Refused
from sipgw.sip.grammar import number

TIMER = "reoffer"
_GLARE = 491
_TRIES = 6
_LONGEST_MS = 2000
_STEP_MS = 10
_LATER = 500
_LONGEST = 10
"""Seconds that a far end which has yet to finish its own offer tells us to wait at most (RFC 3261 section 14.2)."""


class Reoffer:
    """One call's: at most one is out.

    Args:
        call: the call's id.
        held: has the leg and the timer.
        negotiation: makes the offer.
    """

    def __init__(self, call: str, held: Holdings, negotiation: Negotiation) -> None:
        self._call = call
        self._held = held
        self._negotiation = negotiation
        self._tries = 0
        self.wanted: Direction | None = None
        """The direction that is offered; None while none is."""
        self._lost = False
        """With a dialog that was replaced."""

    def snapshot(self) -> KeptReoffer:
        """What `restore` needs."""
        return KeptReoffer(self._tries, self.wanted, self._lost)

    def restore(self, kept: KeptReoffer, now: float) -> None:
        """Go on from there. What became of an offer that was out nobody knows: it is made again."""
        self._tries, self.wanted, self._lost = kept.tries, kept.wanted, kept.lost
        if self.wanted is not None and not self._lost and not self._held.running(TIMER):
            self._held.start_timer(TIMER, now + self._pause())

    def move(self) -> None:
        """Another dialog takes this one's place: an offer that was out, or was to be made again, is lost with it."""
        self._held.cancel_timer(TIMER)
        self._lost = self.wanted is not None

    def go_on(self, now: float) -> None:
        """The dialog may carry offers: make again what was lost with the one before."""
        if self._lost:
            self._lost, self._tries = False, 0
            self._held.start_timer(TIMER, now + self._pause())

    def begin(self, direction: Direction) -> None:
        """Offer this direction."""
        self.wanted, self._tries = direction, 0
        self.send()

    def send(self) -> None:
        """Offer what is wanted, with what is agreed at this moment."""
        if self.wanted is not None:
            self._tries += 1
            self._held.reinvite(self._negotiation.reoffer(self.wanted))

    def refused(self, refused: Refused, now: float) -> bool:
        """It was; returns whether that is final. Who met an offer of the other side waits and tries again."""
        self._negotiation.reoffer_refused()
        wait = self._pause() if refused.status == _GLARE else _told_to_wait(refused)
        if wait is not None and self._tries < _TRIES:
            self._held.start_timer(TIMER, now + wait)
            return False
        self.wanted = None
        return True

    def _pause(self) -> float:
        """Up to 2 s in steps of 10 ms, as for who does not own the Call-ID; it differs from call to call."""
        seed = zlib.crc32(f"{self._call}/{self._tries}".encode())
        return seed % (_LONGEST_MS // _STEP_MS + 1) * _STEP_MS / 1000


def _told_to_wait(refused: Refused) -> float | None:
    """How many seconds until the far end has finished an offer of its own; None where that is not why."""
    if refused.status != _LATER or refused.response is None:
        return None
    try:
        seconds = number(refused.response.headers.get("Retry-After") or "", _LONGEST, "Retry-After")
    except PeerError:
        return None
    return float(seconds)
