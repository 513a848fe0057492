"""Bad input from outside: whatever a stranger throws at a running gateway costs the call nothing."""

import asyncio
import random
import socket
import struct
from pathlib import Path

import numpy as np

from sipgw_codecs.g711 import PCMU
from tests.e2e.phone import HOST, Phone, calling
from tests.e2e.plan import BOTH, ai, plan, to
from tests.e2e.sound import level_at, tone
from tests.fakes.backend import FakeBackend, Voice
from tests.interop.gateway import Gateway, running

RATE_HZ = 24_000
CALLER_HZ, AI_HZ, STRANGER_HZ = 700, 1100, 1500
SECONDS = 2.0


class Stranger:
    """Sockets that have no business with the call."""

    def __init__(self, gateway: Gateway, phone: Phone) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind((HOST, 0))
        self._sip, self._rtp = (HOST, gateway.port), phone.remote
        self._random = random.Random(7)
        self.packets = 0
        """Well-formed RTP packets sent."""

    def close(self) -> None:
        self._sock.close()

    def speaks(self, payload: bytes) -> None:
        """One packet as good as any, but for its source."""
        head = struct.pack("!BBHII", 0x80, 0, self.packets, self.packets * 160, 4711)
        self._sock.sendto(head + payload, self._rtp)
        self.packets += 1

    def babbles(self) -> None:
        """Random bytes to every port, some of them alike to what belongs there."""
        noise = self._random.randbytes(self._random.randrange(200))
        rtcp = self._rtp[0], self._rtp[1] + 1
        for port, begins in (
            *((self._sip, begins) for begins in (b"", b"\r\n\r\n", b"INVITE sip:", b"SIP/2.0 200 ", b"BYE ")),
            *((self._rtp, begins) for begins in (b"", b"\x80\x00", b"\x80\xe5", b"\x80\xc8")),
            *((rtcp, begins) for begins in (b"", b"\x80\xc8\x00\x06", b"\x81\xcb\x00\x01")),
        ):
            self._sock.sendto(begins + noise, port)

    def hangs_up(self, phone: Phone) -> None:
        """A BYE for the call by somebody who knows its Call-ID, but not its tags."""
        assert phone.response is not None
        self._sock.sendto(
            (
                f"BYE sip:{HOST} SIP/2.0\r\nVia: SIP/2.0/UDP {HOST}:{self._sock.getsockname()[1]};branch=z9hG4bKx\r\n"
                f"From: <sip:a@{HOST}>;tag=guess\r\nTo: <sip:b@{HOST}>;tag=guess\r\n"
                f"Call-ID: {phone.response.call_id}\r\nCSeq: 9 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            ).encode(),
            self._sip,
        )


async def pester(gateway: Gateway, phone: Phone) -> int:
    """Everything a stranger can do, for as long as the call's story takes; the RTP packets it sent."""
    stranger = Stranger(gateway, phone)
    voice = PCMU.encode(tone(SECONDS, STRANGER_HZ)).tobytes()
    stranger.hangs_up(phone)
    for at in range(0, len(voice), 160):
        stranger.speaks(voice[at : at + 160])
        stranger.babbles()
        await asyncio.sleep(0.02)
    stranger.close()
    return stranger.packets


@BOTH
async def test_a_stranger_is_neither_heard_nor_obeyed(tmp_path: Path, workers: int) -> None:
    script = {"open": [Voice(tone(SECONDS + 2, AI_HZ, RATE_HZ).tobytes())]}
    async with (
        FakeBackend(script) as backend,
        running(tmp_path, plan(to("ai", ai(backend)), workers=workers)) as gateway,
    ):
        async with calling(f"ai@{gateway.address}") as phone:
            await phone.hears(1)
            phone.say(tone(SECONDS + 2, CALLER_HZ))
            sent = await pester(gateway, phone)
            assert phone.up
        ended = (await gateway.said("call ended"))[0]
    assert (ended["cause"], ended["hung_up_by"], ended["lost_packets"]) == ("normal", "caller", 0)
    dropped = dict(reversed(entry.split(" ", 1)) for entry in ended["drops"].split(", "))
    assert int(dropped["stranger"]) >= sent
    # The AI heard the caller only, and the caller the AI only, without a gap.
    said = np.frombuffer(bytes(backend.last.audio), np.int16)[-RATE_HZ:]
    assert level_at(said, CALLER_HZ, RATE_HZ) > 8000
    assert level_at(said, STRANGER_HZ, RATE_HZ) < 50
    heard = phone.sound()[-8000:]
    assert level_at(heard, AI_HZ) > 8000
    assert set(np.diff([packet.sequence for packet in phone.heard]) % 65_536) == {1}
    assert np.diff([packet.when for packet in phone.heard]).max() < 0.1
    assert not [line for line in gateway.lines if line["level"] == "error"]
