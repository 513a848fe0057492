"""What was measured of signalling, as JSON can hold it."""

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

TARGETS = {"calls_per_cpu_second": 300.0, "parse_build_us": 60.0}
"""At least; at most."""


@dataclass(frozen=True, slots=True)
class Window:
    """Some seconds of steady calls."""

    seconds: float
    completed: int
    """Calls that ended: INVITE, 200, ACK, BYE, 200."""
    control_cpu: float
    """Seconds of CPU of the gateway's main process: signalling, call logic, log, records."""
    workers_cpu: float
    caller_cpu: float
    """Of SIPp, for the same calls: a measure of the machine."""
    other_cores: float
    """CPU that other programs used meanwhile, in cores."""


def _per_call(seconds: float, window: Window) -> float:
    return seconds * 1e6 / window.completed


FIGURES = {
    "calls_per_cpu_second": "completed calls a CPU-second of control",
    "control_us": "control's CPU, µs a call",
    "caller_us": "SIPp's CPU, µs a call",
    "to_caller": "control's CPU, times SIPp's",
    "offered": "completed calls a second",
    "control_load": "control's load, cores",
    "workers_load": "media worker's load, cores",
    "other_cores": "other programs, cores",
    "parse_build_us": "an INVITE parsed and built, µs",
    "take_us": "the same, with all that a call reads of it, µs",
}
"""What is shown and compared, and what it is called."""


@dataclass(slots=True)
class SipResult:
    """One invocation."""

    about: dict[str, Any]
    """Machine, version, command, time."""
    rate: int
    windows: list[Window] = field(default_factory=list)
    failed: int = 0
    """Calls that SIPp, or the gateway's records, say went wrong."""
    parse_build_us: list[float] = field(default_factory=list)
    take_us: list[float] = field(default_factory=list)

    def values(self, name: str) -> list[float]:
        """One of `FIGURES` of every window, or run."""
        match name:
            case "parse_build_us" | "take_us":
                return list(getattr(self, name))
            case "calls_per_cpu_second":
                return [one.completed / one.control_cpu for one in self.windows]
            case "control_us":
                return [_per_call(one.control_cpu, one) for one in self.windows]
            case "caller_us":
                return [_per_call(one.caller_cpu, one) for one in self.windows]
            case "to_caller":
                return [one.control_cpu / one.caller_cpu for one in self.windows]
            case "offered":
                return [one.completed / one.seconds for one in self.windows]
            case "control_load":
                return [one.control_cpu / one.seconds for one in self.windows]
            case "workers_load":
                return [one.workers_cpu / one.seconds for one in self.windows]
            case _:
                return [one.other_cores for one in self.windows]

    def median(self, name: str) -> float:
        """The middle one."""
        return median(self.values(name))

    def as_json(self) -> dict[str, Any]:
        """For a file; `from_json` reads it back."""
        return {**asdict(self), "median": {name: round(self.median(name), 4) for name in FIGURES}}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "SipResult":
        """What `as_json` wrote.

        Raises:
            KeyError, TypeError: it is something else.
        """
        windows = [Window(**one) for one in plain["windows"]]
        return cls(plain["about"], plain["rate"], windows, plain["failed"], plain["parse_build_us"], plain["take_us"])
