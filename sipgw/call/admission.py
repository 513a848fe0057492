"""Whether a new call is taken on, as far as that can be told before it is looked at."""

from sipgw.call.causes import Refusal
from sipgw.call.limits import Limits
from sipgw.call.pressure import Pressure
from sipgw.errors import Cause
from sipgw.options import CallOptions
from sipgw.sip.buckets import Bucket

PROPERLY = 20
"""Refusals a second that are given with a transaction, a record and a line in the log. Who sends more gets the same
answer, and is counted; but a flood must not take from the calls that run."""


class Admission:
    """What all new calls have to pass.

    Args:
        options: limits.
    """

    def __init__(self, options: CallOptions) -> None:
        self._options = options
        self._refused = Bucket()
        self.limits = Limits(options)
        self.pressure = Pressure()
        self.draining = False

    def reconfigure(self, options: CallOptions) -> None:
        """Other limits from now on."""
        self._options = self.limits.options = options

    def refusal(self, running: int, source: str, now: float) -> Refusal | None:
        """Why no call from this source can be taken now; None where one may pass.

        Args:
            running: how many calls there are.
            source: the address it comes from.
            now: seconds.
        """
        most = self._options.max_calls
        if self.draining:
            return self._later(Cause.DRAINING)
        if self.pressure.high:
            return self._later(Cause.LAGGING)
        if most and running >= most:
            return self._later(Cause.OVERLOAD, f"{most} calls")
        excess = self.limits.excess(source, now)
        return None if excess is None else Refusal.of_excess(excess, self._options.retry_after)

    def at_the_door(self, running: int, source: str, now: float) -> Refusal | None:
        """The same for a call that need not be refused properly, as many are already."""
        refusal = self.refusal(running, source, now)
        return refusal if refusal is not None and self._refused.wait(PROPERLY, now) else None

    def refused(self, now: float) -> None:
        """A call was refused properly."""
        self._refused.take(PROPERLY, now)

    def _later(self, cause: Cause, detail: str = "") -> Refusal:
        return Refusal.later(cause, self._options.retry_after, detail)
