"""A gateway for the API to steer: calls on paper, and what was asked of them."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import URL

from sipgw.call.commands import Command, NoSuchCall, WrongState
from sipgw.call.view import CallView
from sipgw.errors import Unavailable
from sipgw.ops.api.gateway import BanView, PhoneView, Reload
from sipgw.ops.feed import Feed
from sipgw.ops.metrics import Metrics
from sipgw.records.reading import Reader

T = TypeVar("T")


def view(number: int, **changes: object) -> CallView:
    """One call as it stands."""
    usual: dict[str, object] = {
        "call": f"n1-{number:04}", "caller": "alice", "called": "100", "state": "talking", "target": "demo",
        "codec": "PCMU", "started": 1_700_000_000.0 + number, "answered": None, "serial": number,
    }  # fmt: skip
    return CallView(**(usual | changes))  # type: ignore[arg-type]


@dataclass
class FakeRecords:
    """A database, or none."""

    url: URL | None = None

    async def read(self, ask: Callable[[Reader], Coroutine[Any, Any, T]]) -> T:
        if self.url is None:
            raise Unavailable("the records cannot be read: it is gone")
        reader = Reader(self.url)
        try:
            return await ask(reader)
        finally:
            await reader.close()


@dataclass
class FakeGateway:
    """Holds what a test puts into it."""

    views: dict[str, CallView] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)
    refusal: str = ""
    """Why no command can be carried out; empty where all can."""
    reasons: list[str] = field(default_factory=list)
    reloaded: Reload = field(default_factory=Reload)
    draining: bool = False
    feed: Feed = field(default_factory=Feed)
    metrics: Metrics = field(default_factory=Metrics)
    prompts: Mapping[str, float] = field(default_factory=lambda: {"greeting": 4.1, "hold": 8.0})

    banned: list[BanView] = field(default_factory=list)
    known_phones: list[PhoneView] = field(default_factory=list)
    records: FakeRecords = field(default_factory=FakeRecords)

    def add(self, *views: CallView) -> None:
        """These calls are there."""
        self.views.update({one.call: one for one in views})

    def call_ids(self) -> Sequence[str]:
        return tuple(self.views)

    def call(self, call: str) -> CallView | None:
        return self.views.get(call)

    def command(self, command: Command) -> None:
        if command.call not in self.views:
            raise NoSuchCall(command.call)
        if self.refusal:
            raise WrongState(self.refusal)
        self.commands.append(command)

    def bans(self) -> Sequence[BanView]:
        return self.banned

    def lift(self, source: str) -> bool:
        before, self.banned = self.banned, [one for one in self.banned if one.source != source]
        return len(before) > len(self.banned)

    def phones(self, after: str, limit: int) -> Sequence[PhoneView]:
        return [one for one in self.known_phones if one.name > after][:limit]

    def unready(self) -> Sequence[str]:
        return self.reasons

    def start_draining(self) -> None:
        self.draining = True

    async def read_settings(self) -> Reload:
        return self.reloaded
