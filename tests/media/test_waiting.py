"""Media whose far end is nowhere yet, or says that it is elsewhere than its packets come from."""

from sipgw.flow import nowhere
from sipgw.media.plane import UpdateSession
from tests.fakes.engine import PHONE, Phone, Rig, stream
from tests.media.test_batch import tone

NOWHERE = nowhere("")
NAT = ("203.0.113.5", 9000)
UNKNOWN = stream(remote=NOWHERE, remote_rtcp=NOWHERE)


def update(rig: Rig, **changes: object) -> None:
    rig.engine.update(UpdateSession("s", stream("PCMU", **changes)), rig.now)


def test_nothing_leaves_before_the_far_end_shows_where_it_is_and_then_all_that_was_to_be_said() -> None:
    rig = Rig()
    slot = rig.session(agreed=UNKNOWN)
    rig.engine.playout("s").add(tone(1000, 24_000, 1.0).tobytes())
    rig.run(30.0)
    assert (rig.sent[slot], rig.rtcp) == ([], [])
    phone = Phone(rig, slot, source=NAT)
    phone.talk(2)
    assert rig.destinations[slot] == [NAT]
    phone.talk(60)
    spoken = [packet for packet in rig.sent[slot] if packet.payload != bytes([0xFF]) * 160]
    assert len(spoken) in (50, 51)
    assert rig.engine.playout("s").queued_ms == 0
    stats = rig.engine.destroy("s", rig.now)
    assert stats.sent_packets == len(rig.sent[slot])


def test_timestamps_tell_how_long_it_waited() -> None:
    rig = Rig()
    slot = rig.session(agreed=UNKNOWN)
    first = rig.engine._table.timestamp[slot]
    rig.run(2.0)
    Phone(rig, slot, source=NAT).talk(2)
    assert (rig.sent[slot][0].timestamp - int(first)) & 0xFFFFFFFF in range(15_900, 16_400)
    assert rig.sent[slot][0].marker


def test_a_session_that_ends_while_it_waits_is_forgotten() -> None:
    rig = Rig()
    slot = rig.session(agreed=UNKNOWN)
    assert rig.engine.destroy("s", rig.now).sent_packets == 0
    assert (rig.rtcp, rig.engine._waiting) == ([], {})
    assert rig.session("next") == slot


def test_a_hold_by_an_address_of_zero_keeps_the_path_and_a_resume_goes_on_with_it() -> None:
    """The far end is behind a NAT: the address that its SDP names leads nowhere."""
    rig = Rig()
    slot = rig.session()
    phone = Phone(rig, slot, source=NAT)
    phone.talk(10)
    update(rig, remote=NOWHERE, remote_rtcp=NOWHERE, sending=False, receiving=False)
    held = len(rig.sent[slot])
    rig.run(31.0)
    assert rig.destinations[slot][held:] == [NAT, NAT]
    assert {destination for _, _, destination in rig.rtcp} == {(NAT[0], NAT[1] + 1)}
    update(rig)
    rig.run(0.1)
    assert rig.destinations[slot][-1] == NAT
    phone.talk(10)
    assert set(rig.destinations[slot]) == {PHONE, NAT}
    assert rig.engine.destroy("s", rig.now).drops == {"unproven": 1}


def test_who_names_another_private_address_and_goes_on_as_before_is_followed_back() -> None:
    rig = Rig()
    slot = rig.session()
    phone = Phone(rig, slot, source=NAT)
    phone.talk(10)
    update(rig, remote=("192.0.2.1", 4002), remote_rtcp=("192.0.2.1", 4003))
    phone.talk(10)
    assert rig.destinations[slot][-1] == ("192.0.2.1", 4002)
    phone.talk(20)
    assert rig.destinations[slot][-1] == NAT
    assert rig.engine.destroy("s", rig.now).drops == {"unproven": 2}


def test_a_nat_that_gives_another_port_loses_no_packet() -> None:
    rig = Rig()
    slot = rig.session()
    phone = Phone(rig, slot, source=NAT)
    phone.talk(10)
    rig.run(0.6)
    phone.source = ("203.0.113.5", 9001)
    phone.talk(1)
    assert rig.destinations[slot][-1] == phone.source
    assert rig.engine.destroy("s", rig.now).drops == {"unproven": 1}


def test_reports_to_the_last_port_there_is_stay_within_what_a_port_can_be() -> None:
    rig = Rig()
    slot = rig.session()
    Phone(rig, slot, source=("203.0.113.5", 65_535)).talk(500)
    assert {destination for _, _, destination in rig.rtcp} == {("203.0.113.5", 65_535)}
