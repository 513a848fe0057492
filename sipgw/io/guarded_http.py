"""HTTP to places that somebody configured, without letting them lead us inside.

The name is resolved here and the connection goes to the very address that was checked, so that no second answer of a
name server can take its place; TLS still verifies the name. Redirects are answers like any other, and not followed.
No proxy of the environment is used: it would resolve the name by itself. A request has one limit of time from its
beginning to the last byte of its answer, and an answer has one of size.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

import httpcore

from sipgw.errors import SipgwError
from sipgw.io.inside import Reach
from sipgw.io.names import Names
from sipgw.io.trust import trust

Resolve = Callable[[str], Awaitable[list[str]]]
"""From a name to its addresses; raises OSError."""

_KEEP = 30.0
"""Seconds an idle connection is kept: less than the usual 60 of servers and of balancers in between."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; of repeated ones the first."""
    body: bytes


class HttpFailed(SipgwError):
    """No answer came that can be used; `name` is the short snake_case name of why."""

    def __init__(self, name: str, detail: str = "") -> None:
        super().__init__(f"{name}: {detail}" if detail else name)
        self.name = name


class GuardedHttp:
    """Connections to one place. Belongs to one loop.

    Args:
        reach: which addresses may be connected to.
        ca_file: PEM file of authorities to trust besides the system's.
        connections: at a time; more requests wait within their limit.
        resolve: from names to addresses; the system's way unless given.
    """

    def __init__(
        self, reach: Reach, *, ca_file: str = "", connections: int = 4, resolve: Resolve | None = None
    ) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust(ca_file),
            max_connections=connections,
            keepalive_expiry=_KEEP,
            network_backend=_Guard(reach, resolve or Names().addresses),
        )

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, within: float, most_bytes: int = 65_536
    ) -> HttpAnswer:
        """Post `body`.

        Args:
            within: seconds for everything.
            most_bytes: of the answer's body.

        Raises:
            HttpFailed: no answer came in time, or it was too long, or the way there is not open to us.
        """
        try:
            async with asyncio.timeout(within):
                return await self._post(url, body, headers, most_bytes)
        except TimeoutError:
            raise HttpFailed("timeout", f"no answer within {within:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
            raise _failure(error) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str], most_bytes: int) -> HttpAnswer:
        async with self._pool.stream("POST", url, headers=list(headers.items()), content=body) as response:
            received = bytearray()
            async for chunk in response.aiter_stream():
                received += chunk
                if len(received) > most_bytes:
                    raise HttpFailed("answer_too_long", f"more than {most_bytes} bytes")
            return HttpAnswer(response.status, _readable(response.headers), bytes(received))


class _Guard(httpcore.AsyncNetworkBackend):
    """Opens connections to addresses within reach, and to no others."""

    def __init__(self, reach: Reach, resolve: Resolve) -> None:
        self._reach, self._resolve = reach, resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check, and connect to the first address that answers."""
        try:
            found = await self._resolve(host)
        except OSError as error:
            raise HttpFailed("name_not_resolved", str(error)) from None
        allowed = [address for address in found if self._reach.allows(address)]
        if not allowed:
            raise HttpFailed("inside_address", f"{host} is {', '.join(found)}")
        failure: httpcore.NetworkError | None = None
        for address in allowed:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.NetworkError as error:
                failure = error
        assert failure is not None, "there was an address"
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 as above
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Nothing leads there."""
        raise HttpFailed("inside_address", path)

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await self._network.sleep(seconds)


def _readable(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    readable: dict[str, str] = {}
    for name, value in headers:
        readable.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return readable


def _failure(error: Exception) -> HttpFailed:
    """The name of what went wrong, by the first of its causes that has one."""
    cause: BaseException | None = error
    while cause is not None:
        for kind, name in _CAUSES:
            if isinstance(cause, kind):
                return HttpFailed(name, str(cause))
        cause = cause.__cause__ or cause.__context__  # httpcore hides the cause, but keeps the context
    return HttpFailed("connection_failed", str(error))


_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "certificate_not_trusted"),
    (ssl.SSLError, "tls_failed"),
    (ConnectionRefusedError, "connection_refused"),
    (httpcore.ReadError, "connection_lost"),
    (httpcore.WriteError, "connection_lost"),
    (httpcore.ProtocolError, "not_http"),
    (httpcore.UnsupportedProtocol, "bad_url"),
)
