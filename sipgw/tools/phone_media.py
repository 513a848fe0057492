"""The test phone's RTP: packets out on absolute deadlines, packets in with the time they came."""

import asyncio
import secrets
from collections.abc import Sequence

from sipgw.flow import Flow
from sipgw.io.clock import Clock
from sipgw.io.udp import UdpListener
from sipgw.rtp.packet import BadPacket, is_rtcp, pack, parse
from sipgw.sdp.audio import AudioStream
from sipgw.tools.listening import Heard
from sipgw.tools.schedule import Key, schedule
from sipgw.tools.sound import TELEPHONE_EVENT, Sound, Sounding, transcoded


class PhoneMedia:
    """One RTP stream each way.

    Args:
        listener: on the RTP port; closed by `stop`.
        clock: for deadlines and arrivals.
    """

    def __init__(self, listener: UdpListener, clock: Clock) -> None:
        self._listener = listener
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(15)
        self._first_timestamp = secrets.randbits(32)
        self.stream: AudioStream | None = None
        """What was negotiated, once it was."""
        self.said = Sound()
        self.began = 0.0
        """When the first packet left."""
        self.sent: list[float] = []
        """When each packet left."""
        self.late_ms = 0.0
        """How far behind its deadline the latest packet left."""
        self.heard: list[Heard] = []
        self.held = False
        """The far end does not want to hear us now; what we would say meanwhile is not said later."""
        self.strange = 0
        """Datagrams that were no RTP."""

    def listen(self, stream: AudioStream) -> None:
        """Begin to listen, unless that has begun."""
        if self.stream is None:
            self._listener.start(self._receive)
        self.stream = stream

    def start(self, stream: AudioStream, sound: Sound, keys: Sequence[Key]) -> None:
        """Begin to speak, and to listen."""
        self.listen(stream)
        self.said, self.began = sound, self._clock.now()
        self._task = asyncio.get_running_loop().create_task(self._speak(stream, sound, keys))

    def stop(self) -> None:
        """End both; may be called again."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._listener.close()

    async def _speak(self, stream: AudioStream, sound: Sound, keys: Sequence[Key]) -> None:
        flow = self._listener.flow(stream.remote)
        for packet in schedule(sound, keys, stream.codec, stream.ptime_ms):
            deadline = self.began + packet.delay
            # Deadlines are absolute: a late packet does not make the following ones late.
            if (delay := deadline - self._clock.now()) > 0:
                await asyncio.sleep(delay)
            self._send(packet, stream, flow)
            self.late_ms = max(self.late_ms, (self._clock.now() - deadline) * 1000)

    def _send(self, packet: Sounding, stream: AudioStream, flow: Flow) -> None:
        payload_type = stream.dtmf_send_type if packet.codec == TELEPHONE_EVENT else stream.send_type
        if payload_type is None or self.held:  # the far end takes no keys, or nothing now
            return
        payload = transcoded(packet.payload, packet.codec, stream.codec)
        timestamp = self._first_timestamp + packet.timestamp
        head = pack(payload_type, packet.marker, self._sequence, timestamp, self._ssrc)
        self._sequence += 1
        self.sent.append(self._clock.now())
        self._listener.send(head + payload, flow)

    def _receive(self, data: bytes, source: Flow) -> None:
        try:
            packet = parse(data)
        except BadPacket:
            self.strange += 1
            return
        if not is_rtcp(data):
            heard = Heard(
                self._clock.now(), packet.payload_type, packet.sequence, packet.timestamp, bytes(packet.payload)
            )
            self.heard.append(heard)
