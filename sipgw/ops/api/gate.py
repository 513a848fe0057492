"""What a request has to pass before anything looks at it: its pace, where it says it goes and comes from, its size.

The API shares its loop with SIP, and without media workers with the media as well: requests begin one at a time, a
few milliseconds apart, so that however many come at once no tick waits for more than one of them.
"""

import asyncio
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sipgw.ops.api.problems import Refusal

LARGEST_BODY = 65_536
BODY_LIMIT = 10.0
"""Seconds for the whole of it."""
INTERVAL = 0.01
"""Between the beginnings of two requests."""


class Gate:
    """Lets requests through to an app.

    Args:
        app: what is behind it.
        hosts: names we are reached by, besides addresses and `localhost`: a page of another site that has its own name
            point here (DNS rebinding) does not pass.
        origins: other sites whose pages may use the API.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = (), origins: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = {host.lower() for host in hosts} | {"localhost"}
        self._origins = {origin.lower().rstrip("/") for origin in origins}
        self._queue = asyncio.Lock()
        self._last = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request, or a WebSocket's."""
        await self._turn()
        try:
            self._check(HTTPConnection(scope))
            if scope["type"] == "http":
                receive = _Replay(await _body(receive), receive)
        except Refusal as refusal:
            await refuse(refusal, scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._queue:
            # By when the one before really began: after a stall they must not come all at once.
            if (pause := self._last + INTERVAL - loop.time()) > 0:
                await asyncio.sleep(pause)
            self._last = loop.time()

    def _check(self, connection: HTTPConnection) -> None:
        host = connection.headers.get("host", "")
        if not self._is_ours(_name_of(host)):
            advice = "use an IP address or localhost, or list the name in api.hosts"
            raise Refusal(421, "wrong-host", f"this is not {host!r}; {advice}")
        origin = connection.headers.get("origin", "").lower()
        if origin and origin not in self._origins and urlsplit(origin).netloc != host.lower():
            raise Refusal(403, "wrong-origin", f"pages of {origin} may not use the API; list it in api.origins")

    def _is_ours(self, name: str) -> bool:
        if name.lower() in self._hosts:
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True


class _Replay:
    """The body that was read, and then whatever else the client does."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._first: Message | None = {"type": "http.request", "body": body, "more_body": False}
        self._receive = receive

    async def __call__(self) -> Message:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await self._receive()


async def refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, or a WebSocket's, with a problem."""
    await refusal.response()(scope, receive, send)


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_LIMIT):
            while True:
                message = await receive()
                body.extend(message.get("body", b""))
                if len(body) > LARGEST_BODY:
                    raise Refusal(413, "too-large", f"a body has at most {LARGEST_BODY} bytes")
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise Refusal(408, "too-slow", f"the body took longer than {BODY_LIMIT:.0f} s") from None


def _name_of(host: str) -> str:
    """The name in a Host header, which may have a port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
