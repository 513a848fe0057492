"""What the test phone says: packets on a time line of their own, from a WAV file, a capture's RTP, or silence.

A sound knows no SSRC, sequence number or payload type: those are the phone's and the negotiation's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sipgw.errors import PeerError
from sipgw.flow import Endpoint
from sipgw.rtp.packet import BadPacket, Packet, is_rtcp, parse
from sipgw.sdp.formats import formats_of
from sipgw.sdp.model import Sdp
from sipgw.tools.capture.datagrams import datagrams
from sipgw.tools.capture.errors import CaptureError
from sipgw.tools.capture.ip import Datagram
from sipgw.tools.wav import Pcm, read_wav
from sipgw_codecs.registry import LAWS

CLOCK_HZ = 8000
TELEPHONE_EVENT = "TELEPHONE-EVENT"
_STATIC = {0: "PCMU", 8: "PCMA"}
_KNOWN = set(LAWS) | {TELEPHONE_EVENT}


@dataclass(frozen=True, slots=True)
class Sounding:
    """One packet to send."""

    delay: float
    """From the beginning of the sound."""
    codec: str
    """Encoding name of the payload, in upper case."""
    payload: bytes
    timestamp: int
    """In units of 1/8000 s from the beginning of the sound."""
    marker: bool = False


@dataclass(frozen=True, slots=True)
class Sound:
    """Packets in the order to send them."""

    packets: tuple[Sounding, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it lasts, up to the last packet."""
        return self.packets[-1].delay if self.packets else 0.0

    @property
    def lead(self) -> float:
        """How far the earliest packet goes ahead of its timestamp: captured speech has jitter."""
        return min((p.delay - p.timestamp / CLOCK_HZ for p in self.packets), default=0.0)

    def pcm(self) -> Pcm:
        """Its speech as samples on its own time line."""
        return placed([(p.timestamp, p.codec, p.payload) for p in self.packets])


def from_pcm(samples: Pcm, name: str = "PCMU", ptime_ms: int = 20) -> Sound:
    """Samples at 8 kHz, cut into packets; the last is filled up with silence."""
    size = CLOCK_HZ * ptime_ms // 1000
    filled = np.concatenate([samples, np.zeros(-len(samples) % size, np.int16)])
    payloads = LAWS[name].encode(filled.reshape(-1, size))
    return Sound(
        tuple(
            Sounding(index * ptime_ms / 1000, name, payload.tobytes(), index * size, marker=index == 0)
            for index, payload in enumerate(payloads)
        )
    )


def from_wav(path: Path, name: str = "PCMU", ptime_ms: int = 20) -> Sound:
    """A WAV file. Raises WavError."""
    return from_pcm(read_wav(path, CLOCK_HZ), name, ptime_ms)


def from_capture(path: Path) -> Sound:
    """What the caller of a capture sent, with its own timing: the RTP that leaves the port its INVITE's SDP names.

    Without an INVITE in it, the first RTP there is.

    Raises:
        CaptureError: it cannot be read, or holds no G.711 speech.
    """
    captured = list(datagrams(path))
    port, names = _caller(captured)
    packets = list(_rtp(captured, port, names))
    if not any(names.get(packet.payload_type) in _KNOWN - {TELEPHONE_EVENT} for _, packet in packets):
        raise CaptureError(f"{path} holds no RTP of a caller in {' or '.join(LAWS)}")
    first = packets[0][0]
    return Sound(tuple(_replayed([(when - first, packet) for when, packet in packets], names)))


def placed(pieces: list[tuple[int, str, bytes]]) -> Pcm:
    """Decoded G.711 payloads, each at its timestamp; what is no G.711 is left out, gaps are silent."""
    spoken = [(at, LAWS[name].decode(np.frombuffer(data, np.uint8))) for at, name, data in pieces if _speech(name)]
    end = max((at + len(samples) for at, samples in spoken), default=0)
    line = np.zeros(end, np.int16)
    for at, samples in spoken:
        line[at : at + len(samples)] = samples
    return line


def transcoded(payload: bytes, have: str, want: str) -> bytes:
    """A payload in the codec that was negotiated."""
    if have == want or not _speech(have):
        return payload
    return LAWS[want].encode(LAWS[have].decode(np.frombuffer(payload, np.uint8))).tobytes()


def _speech(name: str) -> bool:
    return name in LAWS


def _caller(captured: list[Datagram]) -> tuple[int | None, dict[int, str]]:
    """The RTP port in the first INVITE's SDP, and what its payload types mean."""
    for datagram in captured:
        if datagram.payload.startswith(b"INVITE "):
            body = re.split(rb"\r?\n\r?\n", datagram.payload, maxsplit=1)[-1]
            try:
                media = next((line for line in Sdp.parse(body).media if line.kind == "audio"), None)
            except PeerError:
                continue
            if media is not None:
                return media.port, _STATIC | {f.payload_type: f.name for f in formats_of(media)}
    return None, dict(_STATIC)


def _rtp(captured: list[Datagram], port: int | None, names: dict[int, str]) -> Iterator[tuple[float, Packet]]:
    """The RTP packets of known payload types from one source: that port, or the first that sends any."""
    chosen: Endpoint | None = None
    for datagram in captured:
        if is_rtcp(datagram.payload) or (port is not None and datagram.source[1] != port):
            continue
        try:
            packet = parse(datagram.payload)
        except BadPacket:
            continue
        if names.get(packet.payload_type) in _KNOWN and chosen in (None, datagram.source):
            chosen = datagram.source
            yield datagram.when, packet


def _replayed(packets: list[tuple[float, Packet]], names: dict[int, str]) -> Iterator[Sounding]:
    """One time line for all: a stream under another SSRC is put where it began on the clock."""
    bases: dict[int, int] = {}
    for delay, packet in packets:
        base = bases.setdefault(packet.ssrc, packet.timestamp - round(delay * CLOCK_HZ))
        at = (packet.timestamp - base) % (1 << 32)
        yield Sounding(delay, names[packet.payload_type], packet.payload, at, packet.marker)
