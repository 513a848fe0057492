"""By which addresses others reach ours: found out at the start, and looked at again from time to time.

What was found is written down: a gateway that has to start again while a STUN server is away goes on with it.
"""

import asyncio
import json
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from sipgw.app.stun import mapped_address
from sipgw.errors import Unavailable
from sipgw.io import addresses
from sipgw.io.advertised import Way, parse
from sipgw.io.clock import Clock
from sipgw.options import AddressOptions
from sipgw.rtp.stun import FIRST_WAIT
from sipgw.trace import Mark, Note, Trace

_AGAIN = 60.0
"""Seconds until what was found out is looked at again."""
_MOST_ROUTES = 10_000

Changed = Callable[[AddressOptions, str, str], None]
"""Takes an address of ours, what others were told, and what they are told from now on."""


class Reach:
    """What others are to be told of our addresses.

    Args:
        wanted: the addresses, with what the operator says of each.
        changed: told of changes.
        trace: takes notes of what could not be found out again.
        clock: for the notes.
        kept: the file in which it is written down.
        again: seconds until everything is looked at again.
        first_wait: seconds until a STUN server is asked again that does not answer.
    """

    def __init__(
        self,
        wanted: Iterable[AddressOptions],
        changed: Changed,
        *,
        trace: Trace,
        clock: Clock,
        kept: Path,
        again: float = _AGAIN,
        first_wait: float = FIRST_WAIT,
    ) -> None:
        self._wanted = tuple(dict.fromkeys(wanted))
        self._changed, self._trace, self._clock, self._again = changed, trace, clock, again
        self._kept, self._first_wait = kept, first_wait
        self._found: dict[AddressOptions, str] = {}
        self._routes: dict[str, str] = {}
        self._looking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Find everything out.

        Raises:
            Unavailable: something of it cannot be, and never was; the message says what.
        """
        before = self._read()
        for one in self._wanted:
            try:
                found = await self._find(one)
            except Unavailable as error:
                found = before.get(_key(one))
                if found is None:
                    raise
                self._note(error)
            if found is not None:
                self._found[one] = found
        self._write()
        if any(one.advertised for one in self._wanted):
            self._looking = asyncio.create_task(self._look())

    def told(self, address: AddressOptions, remote: str) -> str:
        """The IP address that `remote` is told of one of ours."""
        if (found := self._found.get(address)) is not None:
            return found
        if address.advertised and (said := parse(address.advertised)).way is not Way.ROUTE:
            return said.value
        return self._towards(remote) if address.host in ("0.0.0.0", "::") else address.host

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def _towards(self, remote: str) -> str:
        known = self._routes.get(remote)
        if known is None:
            try:
                known = addresses.towards(remote)
            except (OSError, Unavailable):  # then nobody comes from there either
                known = "::1" if ":" in remote else "127.0.0.1"
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
            self._routes[remote] = known
        return known

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._again)
            self._routes.clear()
            for one in self._found:
                await self._look_at(one)

    async def _look_at(self, one: AddressOptions) -> None:
        before = self._found[one]
        try:
            now = await self._find(one)
        except Unavailable as error:
            self._note(error)
            return
        if now is not None and now != before:
            self._found[one] = now
            self._write()
            self._changed(one, before, now)

    async def _find(self, one: AddressOptions) -> str | None:
        """What has to be found out, now; None where there is nothing to it."""
        if not one.advertised:
            return None
        said, six = parse(one.advertised), ":" in one.host
        match said.way:
            case Way.INTERFACE:
                return addresses.of_interface(said.value, six=six)
            case Way.STUN:
                return (await mapped_address(one.host, (said.value, said.port), self._first_wait))[0]
            case Way.WRITTEN if said.is_name:
                return await _resolved(said.value, six=six)
        return None

    def _note(self, error: Unavailable) -> None:
        self._trace(Note(self._clock.now(), "io", Mark.DROP, "address_not_found", detail=str(error)))

    def _read(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._kept.read_text()))
        except (OSError, ValueError):  # there is none yet, or a crash has cut it off
            return {}

    def _write(self) -> None:
        if self._found:
            self._kept.write_text(json.dumps({_key(one): found for one, found in self._found.items()}))


def _key(one: AddressOptions) -> str:
    return f"{one.host} {one.advertised}"


async def _resolved(name: str, *, six: bool) -> str:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(name, None, family=socket.AF_INET6 if six else socket.AF_INET)
    except OSError as error:
        raise Unavailable(f"{name} has no IPv{6 if six else 4} address to put into SDP: {error.strerror}") from None
    return str(found[0][4][0])
