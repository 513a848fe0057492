"""What is to be measured."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from sipgw.errors import UsageError
from sipgw.flow import Endpoint

RATES = {"pcm16/8000": 8000, "pcm16/16000": 16_000, "pcm16/24000": 24_000}
"""Audio the echo backend takes, and its samples a second."""
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Target:
    """A gateway that runs already, instead of one started for the occasion."""

    address: Endpoint
    called: str
    """Whom to call there; it must echo."""
    pid: int | None = None
    """Of its main process, on this machine; without it there are no figures of CPU and memory."""

    @classmethod
    def of(cls, where: str, pid: int | None) -> "Target":
        """Of `echo@127.0.0.1:5060`.

        Raises:
            UsageError: it is written otherwise.
        """
        called, _, address = where.rpartition("@")
        host, _, port = address.rpartition(":")
        if not called or not host or not port.isdecimal():
            raise UsageError(f"{where!r} is no target; write echo@127.0.0.1:5060")
        return cls((host.strip("[]"), int(port)), called, pid)


@dataclass(frozen=True, slots=True)
class Plan:
    """One series: each number of calls, each several times, each beside a run of the floor."""

    calls: tuple[int, ...] = (50, 200)
    seconds: float = 10.0
    """Measured in each run, once all calls are up and have settled."""
    runs: int = 5
    workers: int | str = 0
    backend_audio: str = "pcm16/24000"
    settings: dict[str, object] = field(default_factory=dict)
    """Further keys of the gateway's configuration, such as `recording`; they replace ours."""
    floor: bool = True
    realtime: bool = False
    """Run the far ends at real-time priority: on a busy machine they would be late themselves."""
    srtp: bool = False
    """The callers' RTP is encrypted."""
    settle: float = 2.0
    target: Target | None = None

    def __post_init__(self) -> None:
        if self.backend_audio not in RATES:
            raise UsageError(f"no audio {self.backend_audio!r}; there are {', '.join(RATES)}")
        if not self.calls or min(self.calls) < 1:
            raise UsageError("there must be a call to measure")
        if self.seconds < 1.0 or self.runs < 1:
            raise UsageError("a run takes a second at least, and there must be one")

    @classmethod
    def counts(cls, text: str) -> tuple[int, ...]:
        """`50,200` as numbers.

        Raises:
            UsageError: it is something else.
        """
        try:
            return tuple(int(part) for part in text.split(","))
        except ValueError:
            raise UsageError(f"{text!r} are no numbers of calls; write 50,200") from None

    @property
    def frame_bytes(self) -> int:
        """20 ms of the backend's audio."""
        return RATES[self.backend_audio] // 50 * 2


def extra(path: Path | None) -> dict[str, object]:
    """Further settings from a YAML file; none without one.

    Raises:
        UsageError: it cannot be read, or holds no keys.
    """
    if path is None:
        return {}
    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path} holds no settings; write keys such as `recording:`")
    return found
