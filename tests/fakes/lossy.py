"""A path that loses the datagrams it is told to lose."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import cast

from sipgw.flow import Endpoint


@dataclass
class Lossy(asyncio.DatagramProtocol):
    """Between one caller and the far end: both see it as the other. Messages are named `INVITE`, or `200 INVITE`."""

    far: Endpoint
    """Where what the caller sends goes on to."""
    loses: list[str]
    """Names; each costs one message."""
    seen: Counter[str] = field(default_factory=Counter)
    """How many messages of each name came, lost ones included."""
    _caller: Endpoint | None = None
    _transport: asyncio.DatagramTransport | None = None

    @property
    def address(self) -> Endpoint:
        """Where the caller sends to."""
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")
        return host, port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Endpoint) -> None:
        """Lose it, or carry it on."""
        assert self._transport is not None
        name = _name(data.decode(errors="replace"))
        self.seen[name] += 1
        if addr != self.far:
            self._caller = addr
        if name in self.loses:
            self.loses.remove(name)
            return
        goal = self._caller if addr == self.far else self.far
        if goal is not None:
            self._transport.sendto(data, goal)


def _name(message: str) -> str:
    first, _, rest = message.partition("\r\n")
    if not first.startswith("SIP/2.0 "):
        return first.partition(" ")[0]
    method = next(line.split()[-1] for line in rest.split("\r\n") if line.lower().startswith("cseq:"))
    return f"{first.split()[1]} {method}"


@contextlib.asynccontextmanager
async def lossy(far: Endpoint, *loses: str) -> AsyncIterator[Lossy]:
    """A lossy path to `far`. At the end it must have lost all that it was to lose."""
    path = Lossy(far, list(loses))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: path, local_addr=("127.0.0.1", 0))
    try:
        yield path
    finally:
        transport.close()
    assert not path.loses, f"never came: {path.loses}"
