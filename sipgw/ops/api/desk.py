"""What every part of the API has at hand: the gateway, who may do what, and where it is written down."""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection

from sipgw.ops.api import problems
from sipgw.ops.api.access import Access, Role, TooManyGuesses, Who
from sipgw.ops.api.audit import AuditLog, Entry
from sipgw.ops.api.gateway import Gateway
from sipgw.ops.api.problems import Refusal
from sipgw.ops.api.stream import Streams

BEARER = HTTPBearer(auto_error=False, description="A token of the configuration, or the one in the state folder.")
"""For the OpenAPI description; what counts is `Desk.may`."""
_DONE = "done"


class Desk:
    """The API's own surroundings.

    Args:
        gateway: what it is for.
        access: the tokens.
        audit: takes what is done.
        streams: the clients that listen.
    """

    def __init__(self, gateway: Gateway, access: Access, audit: AuditLog, streams: Streams) -> None:
        self.gateway = gateway
        self.streams = streams
        self.audit = audit
        self._access = access

    def may(self, role: Role) -> Callable[[HTTPConnection], Awaitable[Who]]:
        """A dependency that lets bearers of tokens with this role pass, or with a higher one, and no one else."""

        async def bearer(connection: HTTPConnection) -> Who:
            return self.bearer(connection, role)

        return bearer

    def bearer(self, connection: HTTPConnection, role: Role) -> Who:
        """Who asks.

        Raises:
            Refusal: nobody known (401), nobody for this (403), or an address that guesses (429).
        """
        who = self._who(connection)
        if who.role < role:
            refusal = Refusal(
                403, "role-too-low", f"the token {who.name!r} may {who.role.name.lower()}, not {role.name.lower()}"
            )
            self._note(connection, who.name, "", refusal.kind)
            raise refusal
        return who

    @contextmanager
    def noted(self, connection: HTTPConnection, who: Who, call: str = "") -> Iterator[None]:
        """Whatever comes of the body is written down."""
        try:
            yield
        except Exception as error:
            self._note(connection, who.name, call, problems.of(error).kind)
            raise
        self._note(connection, who.name, call, _DONE)

    def _who(self, connection: HTTPConnection) -> Who:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unknown("send a token: Authorization: Bearer …; the gateway's state folder has one in api-token")
        try:
            who = self._access.who(token.strip(), _source(connection), time.monotonic())
        except TooManyGuesses as guesses:
            wait = str(round(guesses.wait) + 1)
            detail = f"too many bad tokens from your address; wait {wait} s"
            raise Refusal(429, "too-many-guesses", detail, {"Retry-After": wait}) from None
        if who is None:
            self._note(connection, "", "", "bad-token")
            raise _unknown("this token is not known here; ask whoever runs the gateway for one")
        return who

    def _note(self, connection: HTTPConnection, who: str, call: str, outcome: str) -> None:
        method = connection.scope.get("method", "WEBSOCKET")
        what = f"{method} {connection.url.path}"
        self.audit.note(Entry(round(time.time(), 3), who, _source(connection), what, call, outcome))


def _unknown(detail: str) -> Refusal:
    return Refusal(401, "no-token", detail, {"WWW-Authenticate": "Bearer"})


def _source(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client is not None else ""
