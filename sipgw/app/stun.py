"""Asks a STUN server on the wire under which address it sees one of ours."""

import asyncio
import secrets
import socket

from sipgw.errors import Unavailable
from sipgw.flow import Endpoint, written
from sipgw.rtp.stun import FIRST_WAIT, Binding

_LARGEST = 2048


async def mapped_address(host: str, server: Endpoint, first_wait: float = FIRST_WAIT) -> Endpoint:
    """How a server sees what we send from an address of ours.

    Args:
        host: that address.
        server: whom to ask: name or address, and port.
        first_wait: seconds until it is asked again; it is given up after fifteen times as long.

    Raises:
        Unavailable: it cannot be found or asked, does not answer, or does not say.
    """
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        try:
            found = await loop.getaddrinfo(*server, family=family, type=socket.SOCK_DGRAM)
            sock.bind((host, 0))
            sock.connect(found[0][4])  # so that nobody else's datagrams come
        except OSError as error:
            raise Unavailable(f"STUN server {written(server)} cannot be asked from {host}: {error.strerror}") from None
        binding = Binding(secrets.token_bytes(12), loop.time(), first_wait)
        while not binding.over:
            await _round(binding, sock)
    if binding.address is None:
        raise Unavailable(f"STUN server {written(server)} does not tell the address of {host}: {binding.failure}")
    return binding.address


async def _round(binding: Binding, sock: socket.socket) -> None:
    """Send what there is to be sent, and wait for an answer or for the next time to send."""
    loop = asyncio.get_running_loop()
    try:
        for data in binding.to_send():
            await loop.sock_sendall(sock, data)
        async with asyncio.timeout_at(binding.next_timer()):
            binding.receive(await loop.sock_recv(sock, _LARGEST))
    except TimeoutError:
        binding.handle_timers(loop.time())
    except ConnectionError:  # nobody is there now; the next try may find somebody
        await asyncio.sleep(max((binding.next_timer() or 0.0) - loop.time(), 0.0))
        binding.handle_timers(loop.time())
