"""A session whose engine is gone goes on in another one: to its far end it is the same stream."""

import pytest

from sipgw.media.continuing import AHEAD, continuation, last_counters
from sipgw.media.plane import Continuation, CreateSession, FirstPacket
from sipgw.media.table import Table
from sipgw.rtp import rtcp
from tests.fakes.engine import PHONE, Phone, Rig, stream

ELSEWHERE = ("192.0.2.9", 7000)


class Death:
    """An engine that dies after a while, and what its table says."""

    def __init__(self) -> None:
        self.table = Table.of(4)
        self.rig = Rig(table=self.table)
        self.rig.session("other")
        self.slot = self.rig.session("s")
        self.phone = Phone(self.rig, self.slot, ELSEWHERE)

    def read(self, elapsed: float = 0.3) -> Continuation:
        return continuation(self.table, self.table.slots()["s"], stream(), elapsed)


def born(after: Continuation, now: float) -> tuple[Rig, int]:
    """Another engine that goes on, at another slot."""
    rig = Rig()
    rig.now = now
    return rig, rig.engine.create(CreateSession("s", "call-s", stream(), after), now)


def test_one_stream_goes_on_and_its_numbers_never_go_back() -> None:
    died = Death()
    died.phone.talk(100)
    died.rig.engine.playout("s").add(bytes(960 * 10))
    died.rig.run(0.1)
    last = died.rig.sent[died.slot][-1]
    rig, slot = born(died.read(elapsed=0.3), died.rig.now + 0.3)
    rig.run(0.1)
    first, second = rig.sent[slot][:2]
    assert first.ssrc == last.ssrc
    jump = 1 + 15 + AHEAD
    assert (first.sequence - last.sequence) & 0xFFFF == jump
    assert (first.timestamp - last.timestamp) & 0xFFFFFFFF == jump * 160
    assert (first.marker, second.marker, second.sequence) == (True, False, first.sequence + 1)
    assert rig.times[slot][0] <= died.rig.now + 0.3 + 0.02


def test_it_sends_to_the_source_it_had_latched_and_still_believes_no_stranger() -> None:
    died = Death()
    died.phone.talk(2)
    rig, slot = born(died.read(), died.rig.now)
    Phone(rig, slot, PHONE, ssrc=9).talk(5)
    assert set(rig.destinations[slot]) == {ELSEWHERE}
    died.phone.rig, died.phone.slot = rig, slot
    died.phone.talk(5)
    stats = rig.engine.destroy("s", rig.now)
    assert stats.drops == {"stranger": 5}
    assert FirstPacket("s") not in rig.events, "the call has heard of it"


def test_what_it_carried_counts() -> None:
    died = Death()
    died.phone.talk(50)
    died.phone.sequence += 3
    died.rig.engine.playout("s").add(bytes(960 * 10))
    died.phone.talk(150)
    after = died.read()
    rig, slot = born(after, died.rig.now)
    died.phone.rig, died.phone.slot = rig, slot
    died.phone.talk(100)
    sent = len(died.rig.sent[died.slot]) + len(rig.sent[slot])
    stats = rig.engine.destroy("s", rig.now)
    assert stats.sent_packets == sent
    assert stats.received_packets == pytest.approx(300, abs=50), "the last second was not written down"
    assert stats.lost_packets == 3
    assert stats.first_audio_ms == pytest.approx(1000, abs=50)
    report, description, _ = rtcp.parse(rig.engine.rtcp_to_send()[-1][1])
    assert isinstance(report, rtcp.SenderReport)
    assert report.packets == sent
    assert report.octets == pytest.approx(sent * 160, abs=50 * 160)
    assert description == rtcp.SourceDescription(report.ssrc, after.cname)
    counters = last_counters(after, stream())
    assert (counters.sent_packets, counters.first_audio_ms) == (len(died.rig.sent[died.slot]), stats.first_audio_ms)


def test_numbers_wrap_as_ever() -> None:
    died = Death()
    died.table.sequence[died.slot] = 0x1FFFE
    died.table.timestamp[died.slot] = 0xFFFFFFF0
    rig, slot = born(died.read(elapsed=0.0), died.rig.now)
    rig.run(0.02)
    (packet,) = rig.sent[slot]
    assert packet.sequence == (0xFFFE + AHEAD) & 0xFFFF
    assert packet.timestamp == (0xFFFFFFF0 + AHEAD * 160) & 0xFFFFFFFF


def test_a_session_that_had_not_started_begins_with_its_numbers_when_it_does() -> None:
    table = Table.of(1)
    died = Rig(table=table)
    died.engine.create(CreateSession("s", "c", stream()), died.now)
    after = continuation(table, 0, stream(), 5.0)
    rig, slot = born(after, died.now + 5)
    rig.run(0.1)
    assert not rig.sent
    rig.engine.start("s", rig.now)
    rig.run(0.02)
    assert (rig.sent[slot][0].ssrc, rig.sent[slot][0].sequence) == (int(table.ssrc[0]), int(table.sequence[0]))
    assert last_counters(after, stream()).first_audio_ms is None
