"""A control process that is killed: it has one call, says so, and waits for its end.

python -m tests.worker.abandoning FOLDER HOST PORT SECONDS
"""

import asyncio
import socket
import sys
from pathlib import Path

from sipgw.ai.events import CallFacts, Open
from sipgw.media import plane
from sipgw.options import BackendOptions, MediaOptions
from sipgw.worker.processes import ProcessPlane


async def main(folder: str, host: str, port: str, seconds: str) -> None:
    """Call the phone at `host` and `port` from a worker that listens in `folder`."""
    made = ProcessPlane(MediaOptions(), {}, 1, folder=Path(folder), alone_limit=float(seconds))
    ready = asyncio.Event()
    made.listen(lambda event: ready.set() if isinstance(event, plane.Reported) else None)
    await made.start()
    pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for each in pair:
        each.bind((host, 0))
    stream = plane.Stream("PCMU", (host, int(port)), (host, int(port)), (0,), 0)
    made.command(plane.CreateSession("s1", "c1", stream), (pair[0].fileno(), pair[1].fileno()))
    made.command(plane.StartSession("s1"))
    made.command(plane.ConnectBackend("s1", 4, BackendOptions("ai", "tone"), CallFacts("c1")))
    made.command(plane.Tell("s1", Open()))
    await ready.wait()
    while made.crew.spare is None:
        await asyncio.sleep(0.01)
    print(pair[0].getsockname()[1], *made.crew.processes, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
