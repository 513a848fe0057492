"""What engine and sockets cost: CPU per call and 20 ms, both ways. By hand:
`python … [calls] [seconds] [profile] [record]`.

The far ends are another process on loopback. The AI is an echo without a socket: what it hears is queued again.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy: sixteen times cheaper

import asyncio
import cProfile
import gc
import pstats
import socket
import struct
import sys
import time
from functools import partial
from multiprocessing import get_context
from tempfile import TemporaryDirectory

from sipgw.ai.events import AudioFormat
from sipgw.audio.wav import Encoding
from sipgw.media.batch import Engine, Happened
from sipgw.media.plane import CreateSession, Event, Stream
from sipgw.options import MediaOptions, RecordingOptions
from sipgw.trace import silent
from sipgw.worker.media_io import MediaIo
from sipgw.worker.recorder import Recorder
from sipgw.worker.sink import open_file
from sipgw.worker.tick import Ticker

HOST, FAR, NEAR = "127.0.0.1", 42_000, 44_000


def far_ends(calls: int, seconds: float) -> None:
    """Send a packet every 20 ms on each call, spread over the 20 ms; read what comes back."""
    import select

    sockets, poller, received = [], select.epoll(), 0
    for call in range(calls):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((HOST, FAR + 2 * call))
        one.connect((HOST, NEAR + 2 * call))
        one.setblocking(False)
        poller.register(one.fileno())
        poller.modify(one.fileno(), select.EPOLLIN)
        sockets.append(one)
    by_descriptor = {one.fileno(): one for one in sockets}
    payloads = [os.urandom(160) for _ in range(16)]
    began, sent = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        due = int((time.monotonic() - began) / 0.02 * calls)
        for number in range(sent, due):
            packet, call = divmod(number, calls)
            header = struct.pack("!BBHII", 0x80, 0, packet & 0xFFFF, packet * 160, 1000 + call)
            try:
                sockets[call].send(header + payloads[packet & 15])
            except OSError:
                continue
        sent = due
        for descriptor, _ in poller.poll(0, 4096):
            try:
                by_descriptor[descriptor].recv(2048)
                received += 1
            except OSError:
                continue
        time.sleep(0.001)
    print(f"far ends: sent {sent}, received {received}")


async def main(calls: int, seconds: float, profile: bool, record: str) -> None:
    """Serve the calls; print what it took."""
    engine = Engine(MediaOptions())
    heard, told = 0, 0

    def on_audio(session: str, audio: bytes) -> None:
        nonlocal heard
        heard += 1
        engine.playout(session).add(audio)

    def on_event(event: Event | Happened) -> None:
        nonlocal told
        told += 1

    io = MediaIo(engine, on_audio, on_event)
    recorder = Recorder(partial(open_file, RecordingOptions(record)), Encoding.PCM16, lambda event: None, silent)
    now = time.monotonic()
    for call in range(calls):
        descriptors = []
        for port in (NEAR + 2 * call, NEAR + 2 * call + 1):
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            one.bind((HOST, port))
            descriptors.append(one.detach())
        stream = Stream("PCMU", (HOST, FAR + 2 * call), (HOST, FAR + 2 * call + 1), (0,), 0)
        io.open(CreateSession(str(call), str(call), stream), (descriptors[0], descriptors[1]), now)
        engine.start(str(call), now)
        engine.set_audio(str(call), AudioFormat.PCM16_24K, live=True)
        if record:
            engine.tap(str(call), recorder.begin(str(call), str(call), now + call / calls))
    far = get_context("spawn").Process(target=far_ends, args=(calls, seconds + 4))
    far.start()

    def serve(number: int, now: float, missed: int) -> None:
        io.serve(number, now, missed)
        if not number % 100:
            recorder.watch(now)

    ticker = Ticker(serve, asyncio.get_running_loop(), time.monotonic)
    gc.collect()
    gc.freeze()
    ticker.start()
    await asyncio.sleep(2.5)
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    began, heard_before, cpu_before = time.monotonic(), heard, time.process_time()
    await asyncio.sleep(seconds)
    profiler.disable()
    passed, cpu = time.monotonic() - began, time.process_time() - cpu_before
    frames = calls * passed * 50
    print(
        f"{calls} calls: {cpu / frames * 1e6:.1f} us of CPU per call and 20 ms, "
        f"{cpu / calls / passed * 1000:.2f} ms per call-second; heard {(heard - heard_before) / frames:.3f} of the "
        f"frames, lateness {ticker.lateness.buckets}, {ticker.lateness.missed} missed, {told} events, "
        f"failures {dict(io.failures)}"
    )
    ticker.stop()
    await recorder.close()
    print(engine.destroy("0", time.monotonic()))
    far.join()
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    import uvloop

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    length = float(sys.argv[2]) if len(sys.argv) > 2 else 8
    with TemporaryDirectory() as folder:
        uvloop.run(main(count, length, "profile" in sys.argv, folder if "record" in sys.argv else ""))
