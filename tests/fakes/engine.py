"""An engine with phones on it, in simulated time: 5 ms sub-ticks, and phones that keep what they hear."""

from collections import defaultdict
from random import Random

import numpy as np
from numpy.typing import NDArray

from sipgw.ai.events import AudioFormat
from sipgw.flow import Endpoint
from sipgw.media.batch import Engine, EngineEvent
from sipgw.media.plane import CreateSession, Stream
from sipgw.media.table import Table
from sipgw.options import MediaOptions
from sipgw.rtp.packet import Packet, pack, parse
from sipgw.trace import Note
from sipgw_codecs.registry import codec

PHONE: Endpoint = ("192.0.2.1", 4000)
PHONE_RTCP: Endpoint = ("192.0.2.1", 4001)
KEYS_TYPE = 101


def stream(name: str = "PCMU", **changes: object) -> Stream:
    """What offer and answer agree on with a phone."""
    payload_type = codec(name).payload_type
    agreed: dict[str, object] = {
        "codec": name, "remote": PHONE, "remote_rtcp": PHONE_RTCP, "receive_types": (payload_type,),
        "send_type": payload_type, "dtmf_receive_type": KEYS_TYPE,
    }  # fmt: skip
    return Stream(**(agreed | changes))  # type: ignore[arg-type]


class Rig:
    """An engine and its clock. Everything that leaves is kept by slot."""

    def __init__(
        self, options: MediaOptions | None = None, trace: list[Note] | None = None, table: Table | None = None
    ) -> None:
        self.notes: list[Note] = [] if trace is None else trace
        self.options = options or MediaOptions(last_port=20_127)
        self.engine = Engine(self.options, table=table, trace=self.notes.append, random=Random(1))
        self.now, self.number = 100.0, -1
        self.sent: dict[int, list[Packet]] = defaultdict(list)
        self.datagrams: dict[int, list[bytes]] = defaultdict(list)
        """The same as they left."""
        self.times: dict[int, list[float]] = defaultdict(list)
        self.destinations: dict[int, list[Endpoint]] = defaultdict(list)
        self.rtcp: list[tuple[int, bytes, Endpoint]] = []
        self.heard: dict[str, bytes] = defaultdict(bytes)
        self.events: list[EngineEvent] = []

    def session(
        self, name: str = "s", agreed: Stream | None = None, audio: AudioFormat | None = AudioFormat.PCM16_24K
    ) -> int:
        """A started session, with a conversation unless `audio` is None."""
        slot = self.engine.create(CreateSession(name, f"call-{name}", agreed or stream()), self.now)
        self.engine.start(name, self.now)
        if audio is not None:
            self.engine.set_audio(name, audio)
        return slot

    def step(self, missed: int = 0) -> None:
        """One sub-tick of 5 ms, after `missed` that were not served."""
        self.number += 1 + missed
        self.now += 0.005 * (1 + missed)
        for slot, datagram, destination in self.engine.tick(self.number, self.now, missed):
            self.datagrams[slot].append(bytes(datagram))
            self.sent[slot].append(parse(bytes(datagram)))
            self.times[slot].append(self.now)
            self.destinations[slot].append(destination)
        self.serve()

    def serve(self) -> None:
        """Timers, audio and events at this moment."""
        self.engine.handle_timers(self.now)
        for name, audio in self.engine.decode(self.now):
            self.heard[name] += audio
        self.rtcp += self.engine.rtcp_to_send()
        self.events += self.engine.events()

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / 0.005)):
            self.step()

    def pcm(self, name: str = "s") -> NDArray[np.int16]:
        """What a session's AI has heard."""
        return np.frombuffer(self.heard[name], np.int16)


class Phone:
    """A far end that sends 20 ms packets when told to."""

    def __init__(self, rig: Rig, slot: int, source: Endpoint = PHONE, ssrc: int = 5, payload_type: int = 0) -> None:
        self.rig, self.slot, self.source, self.ssrc, self.payload_type = rig, slot, source, ssrc, payload_type
        self.sequence, self.timestamp = 1000, 50_000

    def say(self, payload: bytes = bytes([0x55]) * 160) -> None:
        """Send one packet now."""
        self.send(self.payload_type, self.timestamp, payload)
        self.timestamp += 160

    def send(self, payload_type: int, timestamp: int, payload: bytes, marker: bool = False) -> None:
        """Send any packet now; timestamps go on only by `say`."""
        data = pack(payload_type, marker, self.sequence, timestamp, self.ssrc) + payload
        self.rig.engine.receive(self.slot, data, self.source, self.rig.now)
        self.sequence += 1

    def talk(self, frames: int, payload: bytes = bytes([0x55]) * 160) -> None:
        """Send a packet every 20 ms, while everything else goes on."""
        for _ in range(frames):
            self.say(payload)
            self.rig.run(0.02)

    def listen(self) -> bytes:
        """Everything heard so far."""
        return b"".join(packet.payload for packet in self.rig.sent[self.slot])
