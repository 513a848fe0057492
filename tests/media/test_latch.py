"""Whom a session believes."""

from sipgw.media.latch import Latch

PHONE, STRANGER, MOVED = ("192.0.2.1", 4000), ("203.0.113.9", 666), ("192.0.2.1", 4002)


def latched() -> Latch:
    latch = Latch(500)
    assert latch.accepts(PHONE, 0.0)
    return latch


def test_the_first_valid_packet_latches_its_source() -> None:
    assert latched().source == PHONE


def test_a_stranger_is_refused_while_the_phone_talks() -> None:
    latch = latched()
    assert not latch.accepts(STRANGER, 0.1)
    assert latch.accepts(PHONE, 0.2)
    assert not latch.accepts(STRANGER, 0.69)
    assert latch.source == PHONE


def test_after_half_a_second_of_silence_another_source_may_take_over() -> None:
    latch = latched()
    assert latch.accepts(MOVED, 0.5)
    assert latch.source == MOVED
    assert not latch.accepts(PHONE, 0.51)


def test_a_re_invite_lets_the_new_source_take_over_at_once_and_only_one() -> None:
    latch = latched()
    latch.reopen(0.1)
    assert latch.accepts(PHONE, 0.11)  # its last packets
    assert latch.accepts(MOVED, 0.12)
    assert not latch.accepts(PHONE, 0.13)


def test_the_window_of_a_re_invite_closes() -> None:
    latch = latched()
    latch.reopen(0.1)
    latch.accepts(PHONE, 5.0)
    assert not latch.accepts(STRANGER, 5.2)
