"""The engine's sockets on loopback: real datagrams, a clock we turn ourselves."""

import os
import socket
from collections.abc import Iterator

import pytest

from sipgw.ai.events import AudioFormat
from sipgw.errors import Unavailable, UsageError
from sipgw.media.batch import Engine, EngineEvent
from sipgw.media.plane import CreateSession, FirstPacket, StreamStats
from sipgw.options import MediaOptions
from sipgw.rtp import rtcp
from sipgw.rtp.packet import pack, parse
from sipgw.worker.media_io import MediaIo
from tests.fakes.engine import stream


def bound() -> socket.socket:
    endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    endpoint.bind(("127.0.0.1", 0))
    endpoint.settimeout(2.0)
    return endpoint


class Place:
    """A `MediaIo` with one phone."""

    def __init__(self) -> None:
        self.engine = Engine(MediaOptions(last_port=20_007))
        self.audio: list[tuple[str, bytes]] = []
        self.events: list[EngineEvent] = []
        self.io = MediaIo(self.engine, lambda session, audio: self.audio.append((session, audio)), self.events.append)
        self.phone, self.phone_rtcp = bound(), bound()
        self.rtp, self.rtcp = bound(), bound()
        self.now, self.number = 10.0, -1

    def open(self, session: str = "s", audio: AudioFormat | None = AudioFormat.PCM16_24K) -> None:
        remote, remote_rtcp = self.phone.getsockname(), self.phone_rtcp.getsockname()
        command = CreateSession(session, "c", stream(remote=remote, remote_rtcp=remote_rtcp))
        self.io.open(command, (os.dup(self.rtp.fileno()), os.dup(self.rtcp.fileno())), self.now)
        self.engine.start(session, self.now)
        if audio is not None:
            self.engine.set_audio(session, audio)

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            self.number += 1
            self.now += 0.005
            self.io.serve(self.number, self.now)

    def say(self, sequence: int) -> None:
        self.phone.sendto(pack(0, False, sequence, 160 * sequence, 9) + bytes(160), self.rtp.getsockname())

    def close(self) -> None:
        self.io.shut(self.now)
        for endpoint in (self.phone, self.phone_rtcp, self.rtp, self.rtcp):
            endpoint.close()


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    yield made
    made.close()


def test_packets_go_out_and_come_in_on_the_sockets_handed_over(place: Place) -> None:
    place.open()
    place.say(1)
    place.say(2)
    place.step(4)
    packet, source = place.phone.recvfrom(2048)
    assert source == place.rtp.getsockname()
    assert parse(packet).payload == b"\xff" * 160
    assert [(session, len(audio)) for session, audio in place.audio] == [("s", 2 * 960)]
    assert place.events[0] == FirstPacket("s")


def test_rtcp_comes_in_and_goes_out_on_its_own_socket(place: Place) -> None:
    place.open()
    place.say(1)
    place.phone_rtcp.sendto(bytes(rtcp.SenderReport(9, 5 << 32, 0, 1, 160)), place.rtcp.getsockname())
    place.step(1000)
    data, source = place.phone_rtcp.recvfrom(2048)
    assert source == place.rtcp.getsockname()
    report = rtcp.parse(data)[0]
    assert isinstance(report, rtcp.SenderReport)
    assert report.blocks[0].last_report == 5 << 16


def test_the_end_is_told_by_rtcp_and_the_sockets_are_closed(place: Place) -> None:
    place.open()
    place.step(8)
    stats = place.io.close("s", place.now)
    assert isinstance(stats, StreamStats)
    assert stats.sent_packets == 2
    assert any(isinstance(packet, rtcp.Goodbye) for packet in rtcp.parse(place.phone_rtcp.recv(2048)))
    # Our own copies still get what comes; the epoll does not fire for them.
    place.say(3)
    place.step(8)
    assert not place.audio
    assert place.rtp.recv(2048)


def test_a_session_can_be_opened_again_on_the_same_port(place: Place) -> None:
    place.open()
    place.io.close("s", place.now)
    place.open()
    place.say(1)
    place.step()
    assert len(place.audio) == 1


def test_a_closed_port_of_a_far_end_costs_nobody_elses_packet(place: Place) -> None:
    place.open("s")
    place.phone.close()
    for endpoint in (place.rtp, place.rtcp):
        endpoint.close()  # the session has its own
    place.phone, place.rtp, place.rtcp = bound(), bound(), bound()
    place.open("t")
    place.step(40)
    assert len([place.phone.recv(2048) for _ in range(10)]) == 10


def test_failed_sends_are_counted_by_name(place: Place) -> None:
    elsewhere = ("198.51.100.1", 4000)  # a socket on the loopback cannot send there
    unreachable = stream(remote=elsewhere, remote_rtcp=elsewhere)
    command = CreateSession("u", "c", unreachable)
    place.io.open(command, (os.dup(place.rtp.fileno()), os.dup(place.rtcp.fileno())), place.now)
    place.engine.start("u", place.now)
    place.step(8)
    assert place.io.failures == {"send_EINVAL": 2}


def test_a_flood_on_one_socket_is_read_a_bit_at_a_time(place: Place) -> None:
    place.open()
    for sequence in range(40):
        place.say(sequence)
    place.step()
    assert sum(len(audio) for _, audio in place.audio) == 16 * 960


def test_descriptors_that_are_no_sockets_are_refused_and_closed(place: Place) -> None:
    reading, writing = os.pipe()
    with pytest.raises(Unavailable):
        place.io.open(CreateSession("s", "c", stream()), (os.dup(place.rtp.fileno()), reading), place.now)
    os.close(writing)


def test_a_session_that_cannot_be_made_leaves_no_socket_behind(place: Place) -> None:
    place.open()
    pair = os.dup(place.rtp.fileno()), os.dup(place.rtcp.fileno())
    with pytest.raises(UsageError):
        place.io.open(CreateSession("s", "c", stream()), pair, place.now)
    for descriptor in pair:
        with pytest.raises(OSError):
            os.fstat(descriptor)
