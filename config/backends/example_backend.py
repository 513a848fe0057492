"""A backend for the `sipgw` dialect: beeps, then echoes the caller; `*` interrupts, `0` transfers, `#` hangs up."""

import asyncio
import json
import math
import struct

from websockets.asyncio.server import ServerConnection, serve


def beep(rate_hz: int) -> bytes:
    samples = [int(8000 * math.sin(2 * math.pi * 800 * n / rate_hz)) for n in range(rate_hz // 3)]
    return struct.pack(f"<{len(samples)}h", *samples)


async def converse(socket: ServerConnection) -> None:
    rate_hz = 24_000
    async for message in socket:
        if isinstance(message, bytes):  # the caller's voice: others would recognise it, this one sends it back
            await socket.send(message)
            continue
        match json.loads(message):
            case {"type": "start", "call": {"caller": caller}, "audio": {"rate_hz": int(rate_hz)}}:
                print(caller or "somebody", "calls")
            case {"type": "open"}:
                await socket.send(beep(rate_hz))
            case {"type": "dtmf", "digit": "*"}:
                await socket.send(json.dumps({"type": "clear"}))
            case {"type": "dtmf", "digit": "0"}:
                await socket.send(json.dumps({"type": "transfer", "id": "t1", "target": "reception"}))
            case {"type": "dtmf", "digit": "#"}:
                await socket.send(json.dumps({"type": "hang_up"}))


async def main() -> None:
    async with serve(converse, "127.0.0.1", 8765) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
