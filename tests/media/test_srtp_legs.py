"""Legs whose RTP is protected: both ways, with other keys in mid-call, and in another worker."""

import pytest

from sipgw.ai.events import AudioFormat
from sipgw.flow import Endpoint
from sipgw.media.batch import Engine
from sipgw.media.continuing import continuation
from sipgw.media.plane import Continuation, CreateSession, Srtp, Stream, UpdateSession
from sipgw.media.table import Table
from sipgw.rtp.packet import pack, parse
from sipgw.rtp.srtp import SUITES, Protection, Resumption
from tests.fakes.engine import PHONE, PHONE_RTCP, Rig, stream

SSRC = 0x5EC0
SPEECH = bytes([0x55]) * 160
EVERY = pytest.mark.parametrize("suite", SUITES)


def srtp(suite: str = "AES_CM_128_HMAC_SHA1_80", seed: int = 0) -> Srtp:
    size = SUITES[suite].key_bytes
    return Srtp(suite, bytes(range(seed, seed + size)), bytes(range(seed + 100, seed + 100 + size)))


def agreed(keys: Srtp, **changes: object) -> Stream:
    return stream("PCMU", srtp=keys, **changes)


class SecurePhone:
    """A phone with the keys; it keeps what it could read."""

    def __init__(self, rig: Rig, slot: int, keys: Srtp) -> None:
        self.rig, self.slot = rig, slot
        self.protection = Protection(keys.suite, keys.theirs, keys.ours, SSRC)
        self.sequence = 65_500
        self.read = 0

    def talk(self, frames: int, payload: bytes = SPEECH) -> None:
        for _ in range(frames):
            number = self.sequence
            packet = pack(0, False, number & 0xFFFF, number * 160 & 0xFFFFFFFF, SSRC) + payload
            self.rig.engine.receive(self.slot, self.protection.protect(packet), PHONE, self.rig.now)
            self.sequence += 1
            self.rig.run(0.02)

    def listen(self) -> list[bytes]:
        """The payloads that came since the last time. Raises BadPacket for what is not protected as agreed."""
        came = self.rig.datagrams[self.slot][self.read :]
        self.read += len(came)
        return [parse(self.protection.unprotect(datagram)).payload for datagram in came]


@EVERY
def test_both_sides_hear_each_other_past_a_wrap_of_their_numbers(suite: str) -> None:
    rig = Rig()
    phone = SecurePhone(rig, rig.session(agreed=agreed(srtp(suite))), srtp(suite))
    rig.engine.playout("s").add(bytes(range(256)) * 100)
    phone.talk(60)
    assert len(rig.pcm()) == 60 * 480
    heard = phone.listen()
    assert len(heard) >= 60
    assert len(set(heard)) > 5  # speech, not only silence
    assert rig.engine.destroy("s", rig.now).drops == {}


def test_what_is_not_protected_or_came_before_is_dropped_by_name_and_latches_nobody() -> None:
    rig = Rig()
    slot = rig.session(agreed=agreed(srtp()))
    plain = pack(0, False, 1, 160, SSRC) + SPEECH
    rig.engine.receive(slot, plain, ("198.51.100.66", 6666), rig.now)
    phone = SecurePhone(rig, slot, srtp())
    secret = phone.protection.protect(pack(0, False, 2, 320, SSRC) + SPEECH)
    rig.engine.receive(slot, secret, PHONE, rig.now)
    rig.engine.receive(slot, secret, PHONE, rig.now)
    rig.run(0.02)
    assert set(rig.destinations[slot]) == {PHONE}
    drops = rig.engine.destroy("s", rig.now).drops
    assert drops == {"srtp_not_authentic": 1, "srtp_replayed": 1}


def test_reports_are_protected_too_and_plain_ones_are_not_believed() -> None:
    rig = Rig()
    slot = rig.session(agreed=agreed(srtp()))
    phone = SecurePhone(rig, slot, srtp())
    phone.talk(400)
    assert rig.rtcp
    for _, datagram, _ in rig.rtcp:
        assert phone.protection.unprotect_rtcp(datagram)[1] == 200
    rig.engine.receive_rtcp(slot, bytes.fromhex("80c9000100005ec0"), PHONE_RTCP, rig.now)
    assert rig.engine.destroy("s", rig.now).drops == {"srtp_unusable": 1}
    _, bye, _ = rig.engine.rtcp_to_send()[-1]
    assert phone.protection.unprotect_rtcp(bye)


def test_keys_change_in_mid_call() -> None:
    rig = Rig()
    phone = SecurePhone(rig, rig.session(agreed=agreed(srtp())), srtp())
    phone.talk(50)
    assert phone.listen()
    fresh = srtp(seed=50)
    rig.engine.update(UpdateSession("s", agreed(fresh)), rig.now)
    after = SecurePhone(rig, phone.slot, fresh)
    after.read = len(rig.datagrams[phone.slot])
    before = len(rig.pcm())
    after.talk(50)
    assert len(after.listen()) >= 49
    assert len(rig.pcm()) - before == 50 * 480


@pytest.mark.parametrize("keeps", [True, False], ids=["its counter goes on", "it begins anew"])
@pytest.mark.parametrize("place", [PHONE, ("192.0.2.99", 7000)], ids=["the same place", "another place"])
def test_with_a_new_key_either_idea_of_the_rollover_counter_is_understood(keeps: bool, place: Endpoint) -> None:
    rig = Rig()
    near_the_end = Continuation(0xCAFE, 65_500, 0, "c")
    slot = rig.engine.create(CreateSession("s", "call-s", agreed(srtp()), near_the_end), rig.now)
    rig.engine.start("s", rig.now)
    phone = SecurePhone(rig, slot, srtp())
    phone.talk(100)  # past a wrap, both ways
    fresh = srtp(seed=50)
    rig.engine.update(UpdateSession("s", agreed(fresh, remote=place)), rig.now)
    after = SecurePhone(rig, slot, fresh)
    after.read, after.sequence = len(rig.datagrams[slot]), phone.sequence
    theirs, ours = int(keeps), int(place == PHONE)
    after.protection = Protection(
        fresh.suite, fresh.theirs, fresh.ours, SSRC,
        Resumption(theirs << 16, source=0xCAFE, received=ours << 16),
    )  # fmt: skip
    rig.engine.update(UpdateSession("s", agreed(fresh, remote=place)), rig.now)  # said again: nothing begins anew
    after.talk(100)
    assert len(after.listen()) >= 90
    assert not [name for name in rig.engine.destroy("s", rig.now).drops if "srtp" in name]


def test_where_the_far_end_alone_changes_its_key_ours_goes_on_counting() -> None:
    """An index that a key has seen, of a report too, must not come again."""
    rig = Rig()
    phone = SecurePhone(rig, rig.session(agreed=agreed(srtp())), srtp())
    phone.sequence = 1000
    phone.talk(400)
    first = [datagram for _, datagram, _ in rig.rtcp]
    keys = Srtp(srtp().suite, srtp().ours, srtp(seed=50).theirs)
    rig.engine.update(UpdateSession("s", agreed(keys)), rig.now)
    after = SecurePhone(rig, phone.slot, keys)
    after.read, after.sequence = len(rig.datagrams[phone.slot]), phone.sequence
    after.talk(400)
    later = [datagram for _, datagram, _ in rig.rtcp[len(first) :]]
    assert first
    assert later
    for datagram in first + later:  # with one and the same counter of what came
        phone.protection.unprotect_rtcp(datagram)
    assert rig.engine.destroy("s", rig.now).drops == {}


def test_a_refresh_with_the_same_keys_goes_on_counting() -> None:
    rig = Rig()
    phone = SecurePhone(rig, rig.session(agreed=agreed(srtp())), srtp())
    phone.talk(50)
    rig.engine.update(UpdateSession("s", agreed(srtp())), rig.now)
    phone.talk(50)
    assert len(phone.listen()) >= 99


def test_a_held_leg_keeps_its_path_open_with_protected_packets() -> None:
    rig = Rig()
    phone = SecurePhone(rig, rig.session(agreed=agreed(srtp(), sending=False)), srtp())
    rig.run(31.0)
    assert len(phone.listen()) >= 2


@EVERY
def test_another_worker_goes_on_with_the_same_counters(suite: str) -> None:
    table = Table.of(64)
    rig = Rig(table=table)
    near_the_end = Continuation(0xCAFE, 65_500, 0, "c")  # of the first round of sequence numbers
    slot = rig.engine.create(CreateSession("s", "call-s", agreed(srtp(suite)), near_the_end), rig.now)
    rig.engine.start("s", rig.now)
    rig.engine.set_audio("s", AudioFormat.PCM16_24K)
    phone = SecurePhone(rig, slot, srtp(suite))
    phone.talk(150)
    reports = [datagram for _, datagram, _ in rig.rtcp]
    for datagram in rig.datagrams[slot]:
        phone.protection.unprotect(datagram)
    for datagram in reports:
        phone.protection.unprotect_rtcp(datagram)
    after = continuation(table, slot, agreed(srtp(suite)), 0.2)
    assert after.sequence >> 16 == 1
    assert after.receive_sequence >> 16 == 1

    rig.engine = Engine(rig.options, trace=rig.notes.append)
    there = rig.engine.create(CreateSession("s", "call-s", agreed(srtp(suite)), after), rig.now)
    rig.engine.start("s", rig.now)
    rig.datagrams.clear()
    rig.rtcp.clear()
    moved = SecurePhone(rig, there, srtp(suite))
    moved.protection, moved.sequence = phone.protection, phone.sequence + 10
    moved.talk(400)
    assert len(moved.listen()) > 390
    stats = rig.engine.destroy("s", rig.now)
    assert stats.drops == {}
    assert stats.received_packets >= 500  # what was written down of the first worker's, and all of the second's
    assert rig.rtcp
    for _, datagram, _ in rig.rtcp:
        moved.protection.unprotect_rtcp(datagram)
