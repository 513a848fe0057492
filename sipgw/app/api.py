"""The HTTP API of one gateway: what it gets to see of it, its first token, and its server."""

import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from sipgw.app.bans import Bans
from sipgw.app.control import Control
from sipgw.app.phones import Phones
from sipgw.app.reload import Reloaded
from sipgw.call.commands import Command
from sipgw.call.registry import Calls
from sipgw.call.view import CallView
from sipgw.errors import Unavailable
from sipgw.flow import Endpoint, written
from sipgw.io.port_pools import PortPools
from sipgw.ops.api.access import Access
from sipgw.ops.api.audit import AuditLog
from sipgw.ops.api.build import build
from sipgw.ops.api.desk import Desk
from sipgw.ops.api.gateway import BanView, PhoneView, Reload
from sipgw.ops.api.server import ApiServer
from sipgw.ops.api.stream import Streams
from sipgw.ops.feed import Feed
from sipgw.ops.metrics import Metrics
from sipgw.options import ApiOptions, TokenOptions
from sipgw.records.keeper import Keeper

TOKEN_FILE = "api-token"
"""In the state folder: the token made at the first start."""
AUDIT_FILE = "audit.jsonl"
_TOKEN_BYTES = 32


@dataclass(slots=True)
class Steered:
    """The gateway as the API sees it."""

    calls: Calls
    control: Control
    pools: PortPools
    feed: Feed
    metrics: Metrics
    prompts: Mapping[str, float]
    records: Keeper
    known_phones: Phones
    reload: Callable[[], Awaitable[Reloaded]]
    banned: Bans
    started: bool = False

    def call_ids(self) -> Sequence[str]:
        """All calls, the oldest first."""
        return self.calls.ids()

    def call(self, call: str) -> CallView | None:
        """One call as it stands; None where there is none."""
        return self.calls.view(call)

    def command(self, command: Command) -> None:
        """Do something with a call. Raises NoSuchCall or WrongState."""
        self.control.command(command)

    def phones(self, after: str, limit: int) -> Sequence[PhoneView]:
        """Phones of the configuration and where each is registered: by name the first so many after this one."""
        return self.known_phones.views(after, limit)

    def unready(self) -> Sequence[str]:
        """Why no calls can be taken now; empty where they can."""
        reasons = {
            "starting": not self.started,
            "draining": self.calls.draining,
            "too busy for new calls": self.calls.lagging,
            "as many calls as are allowed": self.calls.full,
            "no RTP ports left": self.pools.in_use >= self.pools.size,
        }
        return [reason for reason, is_so in reasons.items() if is_so]

    def start_draining(self) -> None:
        """Take no new calls."""
        self.control.drain()

    def bans(self) -> Sequence[BanView]:
        """The sources that are banned, the oldest first."""
        return self.banned.list()

    def lift(self, source: str) -> bool:
        """Let a source in again; whether it was banned."""
        return self.banned.lift(source)

    async def read_settings(self) -> Reload:
        """Read the configuration again, and use what can be used while running."""
        outcome = await self.reload()
        problems, warnings = (tuple(map(str, said)) for said in (outcome.problems, outcome.warnings))
        return Reload(outcome.taken, outcome.restart, problems, warnings)


class Api:
    """The API from start to stop.

    Args:
        options: where, and for whom.
        gateway: what it is for.
        state: the state folder, for the token and the audit log.
        run: a word for this run of the gateway.
        log: takes its lines.
    """

    def __init__(self, options: ApiOptions, gateway: Steered, state: Path, run: str, log: FilteringBoundLogger) -> None:
        self._options, self._gateway, self._state, self._run, self._log = options, gateway, state, run, log
        self._own: tuple[TokenOptions, ...] = ()
        """The token of the state folder, where the configuration had none at the start."""
        self._access = Access(options.tokens)
        self._audit: AuditLog | None = None
        self._server: ApiServer | None = None

    @property
    def address(self) -> Endpoint | None:
        """Where it is served; None where it is not."""
        return self._server.address if self._server is not None else None

    async def start(self) -> None:
        """Serve, if it is to be served. Raises Unavailable (PortTaken) where the address cannot be had."""
        options = self._options
        if not options.port:
            return
        audit = self._audit = AuditLog(self._state / AUDIT_FILE, self._log)
        streams = Streams(self._gateway.feed, self._run)
        if not options.tokens:
            self._own = (self._own_token(),)
            self._access.accept(self._own)
        app = build(Desk(self._gateway, self._access, audit, streams), options)
        server = ApiServer(app, streams)
        await server.open(options.host, options.port)
        self._server = server
        self._log.info("api", docs=f"http://{written(server.address)}/docs")

    def accept(self, tokens: Sequence[TokenOptions]) -> None:
        """Only these open it from now on, or the token of the state folder where there are none."""
        self._access.accept(tokens or self._own)

    async def stop(self) -> None:
        """Let all clients go."""
        if self._server is not None:
            await self._server.close()
        if self._audit is not None:
            self._audit.close()

    def _own_token(self) -> TokenOptions:
        """The token of a gateway that has none in its configuration: an admin's, from the state folder."""
        path = self._state / TOKEN_FILE
        try:
            return TokenOptions("state-folder", "admin", _kept(path) or self._made(path))
        except OSError as error:
            raise Unavailable(f"the API's token {path} cannot be used: {error.strerror}; remove the file") from None

    def _made(self, path: Path) -> str:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(f"{token}\n")
        self._log.info("api token made", role="admin", file=str(path))
        if sys.stderr.isatty():
            # To the person who started us, never to a log.
            print(f"API token (admin): {token}", file=sys.stderr)
        return token


def _kept(path: Path) -> str:
    """The token made at an earlier start; empty where there was none."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
