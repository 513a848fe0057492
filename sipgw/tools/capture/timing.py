"""What arrival times tell of a stream: jitter, and how its sender's clock runs."""

from sipgw.rtp.stamps import step
from sipgw.tools.capture.codecs import BESIDE_SPEECH, COMFORT_NOISE, TELEPHONE_EVENT, Meaning

_SHORTEST_FOR_SKEW = 10.0
"""Seconds; below that, jitter hides the clock."""
_LEAST_POINTS = 8
_MOST_POINTS = 256
_WORST_FIT = 0.005
"""Seconds from the line; beyond that something else than a clock moves the packets."""
_WORST_PPM = 2000.0
"""No clock is so far off; timestamps that do not follow one are."""


class Jitter:
    """Interarrival jitter (RFC 3550 section 6.4.1 and appendix A.8), and its mean and maximum as tshark takes them.

    The jitter after each packet counts, but for the first packet, for those with a marker (a pause was before them)
    and for comfort noise and what follows it. A key's packets share a timestamp and say nothing; but like tshark, the
    next packet of speech is measured from the last of them in time and from before them in timestamps. The mean is a
    running one in which a packet that does not count stands for the mean before it.
    """

    __slots__ = ("_after_noise", "_jitter", "_packets", "_timestamp", "_when", "maximum_ms", "mean_ms")

    def __init__(self) -> None:
        self._when: float | None = None
        self._timestamp = 0
        self._jitter = 0.0
        self._packets = 0
        self._after_noise = False
        self.mean_ms = 0.0
        self.maximum_ms = 0.0

    def receive(self, when: float, timestamp: int, meaning: Meaning, marker: bool) -> None:
        """Take the next packet, in the order of the capture."""
        noise = meaning.name == COMFORT_NOISE
        if self._when is not None:
            if meaning.name != TELEPHONE_EVENT and meaning.clock_hz:
                self._measure(when, timestamp, meaning.clock_hz)
                if not (marker or noise or self._after_noise):
                    self._count()
            self._packets += 1
        if self._when is None or meaning.name != TELEPHONE_EVENT:
            self._timestamp = timestamp
        self._when, self._after_noise = when, noise

    def _measure(self, when: float, timestamp: int, clock_hz: int) -> None:
        assert self._when is not None
        meant = step(self._timestamp, timestamp)
        difference_ms = abs(when - self._when - meant / clock_hz) * 1000
        self._jitter += (difference_ms - self._jitter) / 16

    def _count(self) -> None:
        self.mean_ms += (self._jitter - self.mean_ms) / (self._packets + 1)
        self.maximum_ms = max(self.maximum_ms, self._jitter)


class Skew:
    """How fast the sender's clock runs against the capture's.

    The packets that were delayed least in each stretch of time lie on a line, whose slope is the difference. The
    stretches become longer with the stream, so that their number stays bounded.
    """

    __slots__ = ("_began", "_clock", "_last", "_points", "_stretch")

    def __init__(self) -> None:
        self._points: dict[int, tuple[float, float]] = {}
        """Number of the stretch to time and least transit, in seconds from the first packet."""
        self._stretch = 1.0
        self._began: float | None = None
        self._clock = 0
        """The timestamps, unwrapped, from the first one on."""
        self._last = 0

    def receive(self, when: float, timestamp: int, meaning: Meaning) -> None:
        """Take the next packet, in the order of the capture."""
        if meaning.name in BESIDE_SPEECH or not meaning.clock_hz:
            return
        if self._began is None:
            self._began, self._last = when, timestamp
        self._clock += step(self._last, timestamp)
        self._last = timestamp
        at = when - self._began
        transit = at - self._clock / meaning.clock_hz
        number = int(at / self._stretch)
        least = self._points.get(number)
        if least is None or transit < least[1]:
            self._points[number] = (at, transit)
            if len(self._points) > _MOST_POINTS:
                self._merge()

    def ppm(self) -> float | None:
        """Millionths by which the sender's clock runs faster; None where that cannot be told."""
        points = list(self._points.values())
        if len(points) < _LEAST_POINTS or points[-1][0] - points[0][0] < _SHORTEST_FOR_SKEW:
            return None
        count = len(points)
        mean_at = sum(at for at, _ in points) / count
        mean = sum(transit for _, transit in points) / count
        spread = sum((at - mean_at) ** 2 for at, _ in points)
        slope = sum((at - mean_at) * (transit - mean) for at, transit in points) / spread if spread else 0.0
        worst = max(abs(transit - mean - slope * (at - mean_at)) for at, transit in points)
        return -slope * 1e6 if worst < _WORST_FIT and abs(slope) * 1e6 < _WORST_PPM else None

    def _merge(self) -> None:
        """Twice as long stretches, the least transit of each."""
        self._stretch *= 2
        merged: dict[int, tuple[float, float]] = {}
        for number, point in self._points.items():
            other = merged.get(number // 2)
            merged[number // 2] = point if other is None or point[1] < other[1] else other
        self._points = merged
