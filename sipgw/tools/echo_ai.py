"""An AI for proofs: speaks the `sipgw` protocol over a real WebSocket, keeps what it heard and says it back."""

import json
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.server import Server, ServerConnection, serve

RATE_HZ = 24_000


@dataclass(slots=True)
class EchoAi:
    """One server; what every call says ends up here."""

    heard: bytearray = field(default_factory=bytearray)
    """PCM16 at 24 kHz, all of it."""
    digits: str = ""
    facts: dict[str, object] = field(default_factory=dict)
    """The last call's `start` message."""
    _server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(self._converse, "127.0.0.1", 0, compression=None)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        host, port = next(iter(self._server.sockets)).getsockname()[:2]
        return f"ws://{host}:{port}/"

    def samples(self) -> NDArray[np.int16]:
        """What it heard, at 24 kHz."""
        return np.frombuffer(bytes(self.heard), np.int16)

    async def _converse(self, socket: ServerConnection) -> None:
        async for message in socket:
            if isinstance(message, bytes):
                self.heard += message
                await socket.send(message)
                continue
            told = json.loads(message)
            if told["type"] == "start":
                self.facts = told
            elif told["type"] == "dtmf":
                self.digits += told["digit"]
