"""The echo backend: one process that sends every frame straight back, and keeps when each mark came to it."""

import asyncio
import gc
import json
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from sipgw.tools.bench.marks import Found, Marks
from sipgw.tools.bench.plan import HOST
from sipgw.tools.bench.traffic import become_realtime

CALLER = "bench-"
"""The calling user of each call, and then its number: so the backend knows which it is."""
_BINARY, _TEXT, _CLOSE = WSMsgType.BINARY, WSMsgType.TEXT, WSMsgType.CLOSE


@dataclass(slots=True)
class Heard:
    """What came to the backend, by call."""

    marks: dict[int, list[Found]] = field(default_factory=dict)
    frames: int = 0


class _Call(WSListener):
    """One connection."""

    def __init__(self, heard: Heard, silence: bytes) -> None:
        self._heard, self._marks = heard, Marks(silence)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind == _BINARY:
            audio = frame.get_payload_as_bytes()
            transport.send(_BINARY, audio)
            self._heard.frames += 1
            self._marks.take(audio, time.time_ns())
        elif kind == _TEXT:
            self._told(json.loads(frame.get_payload_as_utf8_text()))
        elif kind == _CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def _told(self, message: dict[str, object]) -> None:
        facts = message.get("call")
        if message["type"] == "start" and isinstance(facts, dict):
            call = int(str(facts["caller"]).removeprefix(CALLER))
            self._heard.marks[call] = self._marks.found


def serve(frame_bytes: int, realtime: bool, parent: Connection) -> None:
    """The process: tells its port, tells how many frames it has had whenever asked, and at the end what it heard."""
    if realtime:
        become_realtime()
    asyncio.run(_serve(frame_bytes, parent))


async def _serve(frame_bytes: int, parent: Connection) -> None:
    heard, silence, over = Heard(), bytes(frame_bytes), asyncio.Event()

    def accept(request: WSUpgradeRequest) -> _Call:
        return _Call(heard, silence)

    def told() -> None:
        if not parent.poll():
            return
        try:
            word = parent.recv()
        except EOFError:  # the run was broken off
            word = ""
        if word == "frames":
            parent.send(heard.frames)
            return
        asyncio.get_running_loop().remove_reader(parent.fileno())
        over.set()
        if word == "end":
            parent.send(heard)

    server = await ws_create_server(accept, HOST, 0, logger_name="bench")
    asyncio.get_running_loop().add_reader(parent.fileno(), told)
    parent.send(server.sockets[0].getsockname()[1])
    gc.collect()
    gc.disable()
    await over.wait()
    server.close()
