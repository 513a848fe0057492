"""The `openai-realtime` dialect against a Realtime server made by others, over a real socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from sipgw.ai.events import (
    BackendEvent,
    CallerSpoke,
    CallerStopped,
    CallFacts,
    Dropped,
    Failed,
    Interrupted,
    Ready,
    Speech,
    SpeechEnded,
    Transcript,
)
from sipgw.ai.openai_realtime import OpenAIRealtime
from sipgw.options import BackendOptions
from sipgw.worker.ai_socket import AiSocket
from tests.interop import peers
from tests.ports import free_port

pytestmark = pytest.mark.interop

LIMIT = 30.0
RATE_HZ = 24_000


@dataclass
class Talk:
    """One conversation: dialect and socket joined, and what the server said."""

    core: OpenAIRealtime
    options: BackendOptions
    said: list[BackendEvent] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    socket: AiSocket | None = None

    def start(self) -> None:
        connect = self.core.open(self.now)
        assert connect is not None
        self.socket = AiSocket(connect, self.options, self)
        self.socket.start()

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def opened(self) -> None:
        self.core.connected(self.now)
        self.flush()

    def message(self, message: str | bytes) -> None:
        self.core.receive(message, self.now)
        self.flush()

    def failed(self, failure: Failed) -> None:
        self.said.append(failure)
        self.news.set()

    def lost(self, code: int, reason: str) -> None:
        self.core.disconnected(code, reason, self.now)
        self.flush()

    def dropped(self, reason: str) -> None:
        raise AssertionError(reason)

    def flush(self) -> None:
        assert self.socket is not None
        for message in self.core.to_send():
            self.socket.send(message)
        self.said += self.core.events()
        self.news.set()

    async def until(self, wanted: Callable[[BackendEvent], bool]) -> BackendEvent:
        """The first event that is wanted, past or to come; a failure ends the wait."""
        async with asyncio.timeout(LIMIT):
            while True:
                for event in self.said:
                    if wanted(event):
                        return event
                    assert not isinstance(event, Failed), event
                self.news.clear()
                await self.news.wait()

    async def speak(self, pcm: bytes) -> None:
        """Send audio at real-time pace."""
        assert self.socket is not None
        size, began = self.core.audio_format.bytes_of(20), self.now
        for number, start in enumerate(range(0, len(pcm), size)):
            message = self.core.audio(pcm[start : start + size], self.now)
            assert message is not None
            self.socket.send_audio(message)
            await asyncio.sleep(max(0.0, began + number * 0.02 - self.now))

    def speech(self) -> bytes:
        return b"".join(event.audio for event in self.said if isinstance(event, Speech))


def tone(ms: int, hz: int) -> bytes:
    times = np.arange(RATE_HZ * ms // 1000) / RATE_HZ
    return bytes((9000 * np.sin(2 * np.pi * hz * times)).astype("<i2").tobytes())


def silence(ms: int) -> bytes:
    return bytes(RATE_HZ * ms // 1000 * 2)


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@contextlib.asynccontextmanager
async def talking(port: int) -> AsyncIterator[Talk]:
    """A conversation with a server of its own, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(str(peers.python("speech-to-speech")), str(peers.SCRIPTS / "realtime_server.py"), str(port)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    talk: Talk | None = None
    try:
        await accepting(port)
        options = BackendOptions(
            "ai", "openai-realtime", url=f"ws://127.0.0.1:{port}/v1/realtime", settings={"instructions": "Be a parrot."}
        )
        talk = Talk(OpenAIRealtime(options, CallFacts("c1")), options)
        talk.start()
        await talk.until(lambda event: isinstance(event, Ready))
        yield talk
    finally:
        if talk is not None and talk.socket is not None:
            talk.socket.close()
            await asyncio.wait_for(talk.socket.wait_closed(), LIMIT)
        process.kill()
        await process.wait()


async def accepting(port: int) -> None:
    """Wait until something listens: importing the server takes seconds."""
    async with asyncio.timeout(LIMIT):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                await writer.wait_closed()
                return


async def test_a_turn_with_a_real_server_and_an_interruption(port: int) -> None:
    async with talking(port) as talk:
        await talk.speak(tone(1000, 440) + silence(800))
        await talk.until(lambda event: isinstance(event, SpeechEnded))
        kinds = [type(event) for event in talk.said if not isinstance(event, Speech)]
        assert kinds.index(CallerSpoke) < kinds.index(CallerStopped) < kinds.index(SpeechEnded)
        assert Transcript("caller", "(the caller spoke)") in [
            Transcript(event.who, event.text) for event in talk.said if isinstance(event, Transcript)
        ]
        heard = np.frombuffer(talk.speech(), "<i2")
        assert 0.9 < len(heard) / RATE_HZ < 1.8
        spectrum = np.abs(np.fft.rfft(heard[: RATE_HZ // 2]))
        assert np.argmax(spectrum) * RATE_HZ / (RATE_HZ // 2) == pytest.approx(440, abs=4)
        # While it speaks again, the caller interrupts: the rest of that answer does not come.
        talk.said.clear()
        await talk.speak(tone(2000, 440) + silence(500))
        first = await talk.until(lambda event: isinstance(event, Speech))
        assert isinstance(first, Speech)
        before = len(talk.speech())
        talk.said.clear()
        await talk.speak(tone(200, 600))
        await talk.until(lambda event: isinstance(event, CallerSpoke))
        talk.core.send(Interrupted(first.item, sent_ms=40, queued_ms=1000), talk.now)
        talk.flush()
        await talk.speak(silence(200))
        assert before + len(talk.speech()) < RATE_HZ * 2 * 2
        assert [event for event in talk.said if isinstance(event, Dropped | Failed)] == []
