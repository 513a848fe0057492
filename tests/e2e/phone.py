"""The caller of these stories: a phone on real sockets that says and does what a test tells it, when it tells it.

Its packets carry the kernel's receive times: on loopback that is when the gateway sent them, however busy the test's
own loop is.
"""

import asyncio
import contextlib
import itertools
import secrets
import socket
import struct
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import TypeVar

import numpy as np

from sipgw.flow import Endpoint
from sipgw.io.driver import Driver
from sipgw.io.udp import UdpListener
from sipgw.options import SipOptions
from sipgw.rtp.dtmf import press
from sipgw.sip.agent import Agent
from sipgw.sip.events import Answered, HungUp, Lost, Refused, Released, SipEvent
from sipgw.sip.message import Request, Response
from sipgw_codecs.g711 import PCMU
from tests.e2e.sound import RATE_HZ, Packet, Pcm

HOST = "127.0.0.1"
P = TypeVar("P", bound="Phone")
LIMIT = 10.0
"""Seconds anything here may take before the test fails."""

_FRAME = 160
_EVENT_TYPE = 101
_HEADER = struct.Struct("!BBHII")
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("qq")


class Phone:
    """One call, made by `calling`."""

    def __init__(self, target: str, headers: tuple[tuple[str, str], ...] = (), *, speaks: bool = True) -> None:
        self.speaks = speaks
        """A packet leaves every 20 ms, of silence where there is nothing to say."""
        self.status = 0
        """The INVITE's final response."""
        self.response: Response | None = None
        self.bye: Request | None = None
        """The gateway's, where it hung up."""
        self.lost = ""
        self.heard: list[Packet] = []
        self.rtcp: list[bytes] = []
        self.remote: Endpoint = (HOST, 0)
        """Where the gateway takes RTP."""
        self.answered_at = self.ended_at = 0.0
        """Unix times."""
        self._rtp, self._rtcp = _port_pair()
        self._signalling = UdpListener.open((HOST, 0))
        agent_options = SipOptions(node="phone")
        self._agent = Agent(agent_options, token=lambda: secrets.token_hex(8))
        self._driver: Driver[SipEvent] = Driver(self._agent, self._signalling.send, self._on_event)
        self._target, self._headers = target, headers
        self._versions = itertools.count(1)
        self._leg = ""
        self._final, self._over, self._reinvited = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._words: deque[tuple[int, bool, int, bytes]] = deque()
        self._sequence, self._timestamp, self._ssrc = secrets.randbits(15), secrets.randbits(31), secrets.randbits(32)
        self._speaking: asyncio.Task[None] | None = None

    # --- signalling -------------------------------------------------------------------------------------------

    def invite(self) -> None:
        """Call."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._rtp.fileno(), self._take_rtp)
        loop.add_reader(self._rtcp.fileno(), lambda: self.rtcp.append(self._rtcp.recv(2048)))
        self._signalling.start(self._driver.receive)
        host, _, port = self._target.partition("@")[2].partition(":")
        flow = self._signalling.flow((host, int(port)))
        self._leg = self._driver.run(
            lambda now: self._agent.invite(
                f"sip:{self._target}", flow, self.offer(), now, from_="<sip:+4930123@127.0.0.1>", headers=self._headers
            )
        )

    def offer(self, way: str = "sendrecv") -> bytes:
        """Our description; `way` is our direction, such as `sendonly` for hold."""
        lines = (
            *("v=0", f"o=- 7 {next(self._versions)} IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0"),
            f"m=audio {self.address[1]} RTP/AVP 0 {_EVENT_TYPE}",
            *(f"a=rtpmap:{_EVENT_TYPE} telephone-event/8000", f"a={way}"),
        )
        return "".join(f"{line}\r\n" for line in lines).encode()

    async def final(self) -> int:
        """The INVITE's final status, waited for."""
        await asyncio.wait_for(self._final.wait(), LIMIT)
        return self.status

    async def reinvite(self, way: str) -> None:
        """Hold (`sendonly`, `inactive`) or resume (`sendrecv`), until it is answered."""
        self._reinvited.clear()
        self._driver.run(lambda now: self._agent.reinvite(self._leg, self.offer(way), now))
        await asyncio.wait_for(self._reinvited.wait(), LIMIT)

    async def ended(self, within: float = LIMIT) -> None:
        """Wait until the call is over, whoever ends it."""
        await asyncio.wait_for(self._over.wait(), within)

    async def hang_up(self) -> None:
        """End the call and wait until that is answered; nothing to do where it is over."""
        if not self._over.is_set():
            self._driver.run(lambda now: self._agent.hang_up(self._leg, now))
            await self.ended()

    @property
    def reason(self) -> str:
        """Why the gateway hung up (RFC 3326); empty where it did not."""
        return "" if self.bye is None else ", ".join(self.bye.headers.all("Reason"))

    @property
    def now(self) -> float:
        """Unix time, as `answered_at`, `ended_at` and the packets have it."""
        return time.time()

    @property
    def up(self) -> bool:
        """Whether the call was answered and nobody has ended it."""
        return self.status == 200 and not self._over.is_set()

    def _on_event(self, event: SipEvent, now: float) -> None:
        match event:
            case Answered(response=response) if not self._final.is_set():
                self.status, self.response, self.answered_at = 200, response, time.time()
                self.remote = _address_in(response.body)
                self._speaking = asyncio.get_running_loop().create_task(self._speak())
                self._final.set()
            case Answered() | Refused(initial=False):
                self._reinvited.set()
            case Refused(status=status, response=response):
                self.status, self.response = status, response
                self._final.set()
                self._end()
            case HungUp(request=request):
                self.bye = request
                self._end()
            case Lost(reason=reason):
                self.lost = reason
                self._end()
            case Released():
                self._end()

    def _end(self) -> None:
        self.ended_at = time.time()
        if self._speaking is not None:
            self._speaking.cancel()
        self._over.set()

    def close(self) -> None:
        """Give all sockets back, with a BYE where the call is up, whose answer nobody waits for; may be repeated."""
        if self._rtp.fileno() < 0:
            return
        if self.up:
            self._driver.run(lambda now: self._agent.hang_up(self._leg, now))
        self.vanish()

    def vanish(self) -> None:
        """Give all sockets back without a word to the gateway."""
        self._end()
        self._driver.close()
        self._signalling.close()
        loop = asyncio.get_running_loop()
        for sock in (self._rtp, self._rtcp):
            loop.remove_reader(sock.fileno())
            sock.close()

    # --- sound ------------------------------------------------------------------------------------------------

    @property
    def address(self) -> Endpoint:
        """Where it takes RTP."""
        host, port = self._rtp.getsockname()
        return host, port

    def say(self, pcm: Pcm) -> None:
        """Queue sound; it leaves at real-time pace."""
        filled = np.concatenate([pcm, np.zeros(-len(pcm) % _FRAME, np.int16)])
        for payload in PCMU.encode(filled).reshape(-1, _FRAME):
            self._words.append((0, False, _FRAME, payload.tobytes()))

    def press(self, digit: str) -> None:
        """Queue a key of 160 ms (RFC 4733): its packets share a timestamp, then time goes on behind it."""
        packets = list(press(digit, 160, 20, RATE_HZ))
        for index, packet in enumerate(packets):
            last = index == len(packets) - 1
            self._words.append((_EVENT_TYPE, packet.marker, len(packets) * _FRAME if last else 0, packet.payload))

    def send_rtcp(self) -> None:
        """An empty receiver report (RFC 3550 section 6.4.2)."""
        self._rtcp.sendto(struct.pack("!BBHI", 0x80, 201, 1, self._ssrc), (self.remote[0], self.remote[1] + 1))

    async def _speak(self) -> None:
        began = time.monotonic()
        for number in itertools.count():
            # Deadlines are absolute: a late packet does not make the following ones late.
            await asyncio.sleep(max(0.0, began + number * 0.02 - time.monotonic()))
            if self.speaks:
                kind, marker, step, payload = self._words.popleft() if self._words else (0, False, _FRAME, _SILENCE)
                self._send(kind, marker, payload)
                self._timestamp = (self._timestamp + step) & 0xFFFFFFFF
            else:
                self._timestamp = (self._timestamp + _FRAME) & 0xFFFFFFFF

    def _send(self, kind: int, marker: bool, payload: bytes) -> None:
        head = _HEADER.pack(0x80, kind | marker << 7, self._sequence, self._timestamp, self._ssrc)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._rtp.sendto(self.sealed(head + payload), self.remote)

    def sealed(self, packet: bytes) -> bytes:
        """An RTP packet as it is sent."""
        return packet

    def opened(self, packet: bytes) -> bytes:
        """The RTP packet that came."""
        return packet

    def _take_rtp(self) -> None:
        data, extra, _, _ = self._rtp.recvmsg(2048, 64)
        seconds, nanoseconds = _TIMESPEC.unpack(next(value for _, kind, value in extra if kind == _SO_TIMESTAMPNS))
        data = self.opened(data)
        _, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        when = seconds + nanoseconds / 1e9
        self.heard.append(Packet(when, second & 0x7F, second >= 0x80, sequence, timestamp, ssrc, data[_HEADER.size :]))

    # --- what was heard ---------------------------------------------------------------------------------------

    def since(self, when: float) -> list[Packet]:
        """What has come from a Unix time on."""
        return [packet for packet in self.heard if packet.when >= when]

    async def hears(self, packets: int = 1, since: float = 0.0, within: float = LIMIT) -> list[Packet]:
        """Wait until so many audible packets have come; all there are by then."""
        async with asyncio.timeout(within):
            while len(found := [packet for packet in self.since(since) if packet.audible]) < packets:
                await asyncio.sleep(0.01)
        return found

    def sound(self) -> Pcm:
        """All of it, as it would have been heard: packets follow each other without a gap."""
        return np.concatenate([packet.pcm for packet in self.heard])


_SILENCE = PCMU.silence(20)


@contextlib.asynccontextmanager
async def calling(
    target: str, *, speaks: bool = True, headers: tuple[tuple[str, str], ...] = ()
) -> AsyncIterator[Phone]:
    """A phone that has called `number@host:port` and got a final response; hung up at the end if it is still up."""
    async with called_by(Phone(target, headers, speaks=speaks)) as phone:
        yield phone


@contextlib.asynccontextmanager
async def called_by(phone: P) -> AsyncIterator[P]:
    """The same with a phone of one's own."""
    try:
        phone.invite()
        await phone.final()
        yield phone
        await phone.hang_up()
    finally:
        phone.close()


def _address_in(body: bytes) -> Endpoint:
    lines = body.decode().splitlines()
    host = next(line.split()[-1] for line in lines if line.startswith("c="))
    port = next(line.split()[1] for line in lines if line.startswith("m=audio"))
    return host, int(port)


def _port_pair() -> tuple[socket.socket, socket.socket]:
    """An even port and the next (RFC 3550 section 11)."""
    for port in _candidates():
        rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            rtp.bind((HOST, port))
            rtcp.bind((HOST, port + 1))
        except OSError:
            rtp.close()
            rtcp.close()
            continue
        rtp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        return rtp, rtcp
    raise AssertionError("no free ports for the phone")


def _candidates() -> Iterator[int]:
    for _ in range(50):
        yield 30_000 + 2 * secrets.randbelow(1000)
