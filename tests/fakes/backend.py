"""A scripted `sipgw` backend on a real WebSocket: it does what its script says and remembers what it was sent.

    script = {"open": [Voice(pcm, "greeting"), {"type": "mark", "name": "m"}], "dtmf 5": [{"type": "hang_up"}]}
    async with FakeBackend(script) as backend:
        ...  # point a gateway at backend.url
        await backend.sent("mark")

Keys are a message's type, or type and what tells its kind apart (`dtmf 5`, `mark m`, `speech on`, `speech off`), or
`connected`. `do` performs further steps when the test says so. Every text is held against the schema; leaving the
block fails on one that is not valid.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import jsonschema
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from sipgw.ai import sipgw_wire

_SCHEMA = json.loads((Path(sipgw_wire.__file__).parent / "sipgw-protocol.schema.json").read_text())
_VALIDATOR = jsonschema.Draft202012Validator({**_SCHEMA, "oneOf": [{"$ref": "#/$defs/to_backend"}]})


@dataclass(frozen=True)
class Voice:
    """Send PCM16, as one named utterance where `item` is given, in pieces of `piece_bytes`."""

    audio: bytes
    item: str = ""
    piece_bytes: int = 9600


@dataclass(frozen=True)
class Wait:
    """Do nothing for a while; what comes in is taken all the same."""

    seconds: float


@dataclass(frozen=True)
class CloseWith:
    """Close the connection properly."""

    code: int = 1000
    reason: str = ""


@dataclass(frozen=True)
class Drop:
    """Cut the connection, as a crash does."""


Step = dict[str, Any] | Voice | Wait | CloseWith | Drop
Script = Mapping[str, Sequence[Step]]


@dataclass
class Conversation:
    """What came in on one connection."""

    headers: dict[str, str]
    socket: ServerConnection
    messages: list[dict[str, Any]] = field(default_factory=list)
    came: list[float] = field(default_factory=list)
    """When each message came: Unix times."""
    audio: bytearray = field(default_factory=bytearray)
    closed: int | None = None
    """The close code, once it is closed."""

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a type."""
        return [message for message in self.messages if message["type"] == kind]

    def times_of(self, kind: str) -> list[float]:
        """When those came: Unix times."""
        return [when for when, message in zip(self.came, self.messages, strict=True) if message["type"] == kind]


class FakeBackend:
    """A server for the length of an `async with`.

    Args:
        script: what to do when.
        echo: send every binary message back.
        refuse: answer the handshake with this HTTP status instead.
        mute: take the connection and never answer the handshake.
        subprotocol: select ours; else select none.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        echo: bool = False,
        refuse: int = 0,
        mute: bool = False,
        subprotocol: bool = True,
    ) -> None:
        self.conversations: list[Conversation] = []
        self.complaints: list[str] = []
        self.url = ""
        self._script: Script = script or {}
        self._echo, self._refuse, self._mute = echo, refuse, mute
        self._subprotocols = [Subprotocol(sipgw_wire.SUBPROTOCOL)] if subprotocol else None
        self._news = asyncio.Condition()
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._converse,
            "127.0.0.1",
            0,
            subprotocols=self._subprotocols,
            process_request=self._answer,
            close_timeout=0.5,
        )
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        assert not self.complaints, self.complaints

    @property
    def last(self) -> Conversation:
        """The latest connection."""
        return self.conversations[-1]

    async def sent(self, kind: str, count: int = 1, within: float = 5.0) -> list[dict[str, Any]]:
        """Wait until the latest connection has brought `count` messages of a type; TimeoutError if it does not."""
        await self.until(lambda: bool(self.conversations) and len(self.last.of(kind)) >= count, within)
        return self.last.of(kind)

    async def do(self, *steps: Step) -> None:
        """Perform steps on the latest connection, now."""
        await self._perform(self.last.socket, steps)

    async def until(self, done: Any, within: float = 5.0) -> None:
        """Wait until `done()` holds; it is asked again whenever something comes in."""
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(done)

    # --- the server -------------------------------------------------------------------------------------------

    async def _answer(self, socket: ServerConnection, request: Request) -> Response | None:
        if self._mute:
            await socket.wait_closed()
        return socket.respond(HTTPStatus(self._refuse), "refused by the script\n") if self._refuse else None

    async def _converse(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        heard = Conversation(dict(socket.request.headers.raw_items()), socket)
        self.conversations.append(heard)
        try:
            async with asyncio.TaskGroup() as steps:
                steps.create_task(self._perform(socket, self._script.get("connected", ())))
                async for message in socket:
                    for key in self._take(heard, message):
                        steps.create_task(self._perform(socket, self._script.get(key, ())))
                    if self._echo and isinstance(message, bytes):
                        await socket.send(message)
                    await self._tell()
        except* ConnectionClosed:
            pass  # the gateway's good right, and sometimes the script's
        heard.closed = socket.close_code
        await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _take(self, heard: Conversation, message: str | bytes) -> list[str]:
        """Remember a message; the keys it has in the script."""
        if isinstance(message, bytes):
            heard.audio += message
            return []
        told = json.loads(message)
        self.complaints += [f"{message}: {error.message}" for error in _VALIDATOR.iter_errors(told)]
        heard.messages.append(told)
        heard.came.append(time.time())
        return [told["type"], *_kinds(told)]

    async def _perform(self, socket: ServerConnection, steps: Sequence[Step]) -> None:
        for step in steps:
            match step:
                case Voice():
                    await _speak(socket, step)
                case Wait(seconds=seconds):
                    await asyncio.sleep(seconds)
                case CloseWith(code=code, reason=reason):
                    await socket.close(code, reason)
                case Drop():
                    socket.transport.abort()
                case message:
                    await socket.send(json.dumps(message))


def _kinds(told: Mapping[str, Any]) -> list[str]:
    match told:
        case {"type": "dtmf", "digit": digit}:
            return [f"dtmf {digit}"]
        case {"type": "mark", "name": name}:
            return [f"mark {name}"]
        case {"type": "speech", "speaking": speaking}:
            return [f"speech {'on' if speaking else 'off'}"]
    return []


async def _speak(socket: ServerConnection, voice: Voice) -> None:
    if voice.item:
        await socket.send(json.dumps({"type": "item", "id": voice.item}))
    for at in range(0, len(voice.audio), voice.piece_bytes):
        await socket.send(voice.audio[at : at + voice.piece_bytes])
    if voice.item:
        await socket.send(json.dumps({"type": "item_end"}))
