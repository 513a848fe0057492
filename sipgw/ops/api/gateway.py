"""What the API needs of the gateway it is for."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sipgw.call.commands import Command
from sipgw.call.view import CallView
from sipgw.ops.feed import Feed
from sipgw.ops.metrics import Metrics
from sipgw.records.reading import Reader

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reload:
    """What came of reading the configuration again."""

    taken: tuple[str, ...] = ()
    """Keys that changed and are in force."""
    restart: tuple[str, ...] = ()
    """Keys that changed and need a restart."""
    problems: tuple[str, ...] = ()
    """Why nothing was changed; empty where it went well."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BanView:
    """A source that is banned. Times are Unix times."""

    source: str
    reason: str
    since: float
    until: float
    datagrams_only: bool


@dataclass(frozen=True, slots=True)
class ContactView:
    """One place where a phone is registered. Times are Unix times."""

    uri: str
    source: str
    q: float
    registered: float
    expires: float
    instance: str
    user_agent: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PhoneView:
    """One phone of the configuration."""

    name: str
    user: str
    display_name: str
    contacts: tuple[ContactView, ...] = ()
    """The best first."""


class Records(Protocol):
    """The records of calls that are over."""

    async def read(self, ask: Callable[[Reader], Coroutine[Any, Any, T]]) -> T:
        """What `ask` reads, elsewhere than in this loop. Raises Unavailable where the database is not to be had."""


class Gateway(Protocol):
    """A running gateway, as seen from here."""

    @property
    def feed(self) -> Feed:
        """What happens in calls."""

    @property
    def metrics(self) -> Metrics:
        """What is counted."""

    @property
    def prompts(self) -> Mapping[str, float]:
        """What can be played: seconds by name."""

    @property
    def records(self) -> Records:
        """The calls that are over."""

    def call_ids(self) -> Sequence[str]:
        """All calls, the oldest first."""

    def call(self, call: str) -> CallView | None:
        """One call as it stands; None where there is none."""

    def command(self, command: Command) -> None:
        """Do something with a call. Raises NoSuchCall or WrongState."""

    def phones(self, after: str, limit: int) -> Sequence[PhoneView]:
        """Phones of the configuration and where each is registered: by name the first so many after this one."""

    def unready(self) -> Sequence[str]:
        """Why no calls can be taken now; empty where they can."""

    def start_draining(self) -> None:
        """Take no new calls."""

    async def read_settings(self) -> Reload:
        """Read the configuration again, and use what can be used while running."""

    def bans(self) -> Sequence[BanView]:
        """The sources that are banned, the oldest first."""

    def lift(self, source: str) -> bool:
        """Let a source in again; whether it was banned."""
