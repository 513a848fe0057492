"""Opening a backend's socket: name to address, and what to call it when it does not work."""

import asyncio
import random
import socket
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from picows import WSHandshakeError

from sipgw.ai.events import Failed

UNSENT_BYTES = 64 << 10
"""What the kernel may hold unsent: by default it takes megabytes, and a slow backend would show minutes late."""
REFUSALS = {401: "unauthorized", 403: "forbidden", 404: "not_found", 429: "backend_busy"}
"""HTTP statuses of a refused upgrade that have names of their own."""


def backoff(attempt: int, rng: Callable[[], float] = random.random) -> float:
    """Seconds to wait before reconnection `attempt` (from 0): a quarter doubled each time, 4 at most, half of it luck.

    Jitter keeps the calls of a backend that restarts from coming back all at once.
    """
    longest: float = min(4.0, 0.25 * 2**attempt)
    return longest * (0.5 + 0.5 * rng())


async def dial(url: str, within: float, keep: Callable[[socket.socket], None]) -> socket.socket:
    """Connect to the first address of `url` that answers.

    Args:
        within: seconds for all addresses together: one that does not answer leaves time for the next.
        keep: is shown each socket that is tried, so that closing can cut it off.
    """
    target = urlsplit(url)
    port = target.port or (443 if target.scheme == "wss" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(target.hostname, port, type=socket.SOCK_STREAM)
    failure: Exception = OSError(f"no address for {target.hostname}")
    for family, kind, protocol, _, address in found:
        raw = _socket(family, kind, protocol)
        keep(raw)
        try:
            async with asyncio.timeout(within / len(found)):
                await asyncio.get_running_loop().sock_connect(raw, address)
        except (OSError, TimeoutError) as error:
            raw.close()
            failure = error
        else:
            return raw
    raise failure


def _socket(family: int, kind: int, protocol: int) -> socket.socket:
    raw = socket.socket(family, kind, protocol)
    raw.setblocking(False)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    return raw


def failure_of(error: Exception) -> Failed:
    """What kept a socket from opening, and whether it would again."""
    if isinstance(error, WSHandshakeError) and error.response is not None:
        status = int(error.response.status)
        permanent = status < 500 and status not in (408, 425, 429)
        return Failed(REFUSALS.get(status, "upgrade_refused"), permanent, f"HTTP {status}")
    for kind, name, permanent in _CAUSES:
        if isinstance(error, kind):
            return Failed(name, permanent, str(error))
    return Failed("connect_failed", False, f"{type(error).__name__}: {error}")


_CAUSES: tuple[tuple[type[Exception], str, bool], ...] = (
    (TimeoutError, "connect_timeout", False),
    (ssl.SSLCertVerificationError, "certificate_not_trusted", True),
    (ssl.SSLError, "tls_failed", True),
    (socket.gaierror, "name_not_resolved", False),
    (ConnectionRefusedError, "connection_refused", False),
    (OSError, "connection_failed", False),
    (WSHandshakeError, "not_a_websocket", True),
    (ValueError, "bad_url", True),
)
"""The first that fits names the failure."""
