"""Whom a session believes."""

import pytest

from sipgw.flow import Endpoint
from sipgw.media.latch import Latch, Sent

PHONE, STRANGER, MOVED = ("192.0.2.1", 4000), ("203.0.113.9", 666), ("192.0.2.1", 4002)
NAT = ("198.51.100.4", 1024)
ONE = Sent(7, 100)


def latched(expected: Endpoint = PHONE) -> Latch:
    """A latch that believes the phone."""
    latch = Latch(expected, 500)
    latch.accepts(PHONE, ONE, 0.0)
    assert latch.accepts(PHONE, ONE.next, 0.0)
    return latch


def proved(latch: Latch, source: Endpoint, now: float) -> bool:
    """Whether it is believed at its second packet, and was not at its first."""
    return not latch.accepts(source, Sent(5, 65_535), now) and latch.accepts(source, Sent(5, 0), now)


def test_what_comes_from_where_the_far_end_says_that_it_is_latches_at_once() -> None:
    latch = Latch(PHONE)
    assert latch.accepts(PHONE, ONE, 0.0)
    assert (latch.source, latch.heard) == (PHONE, 0.0)


def test_a_phone_behind_a_nat_is_believed_at_its_second_packet() -> None:
    latch = Latch(PHONE)
    assert proved(latch, NAT, 0.0)
    assert latch.source == NAT


@pytest.mark.parametrize("second", [Sent(7, 100), Sent(7, 102), Sent(8, 101)], ids=["same", "gap", "other stream"])
def test_two_packets_that_are_not_in_a_row_prove_nothing(second: Sent) -> None:
    latch = Latch(PHONE)
    assert not latch.accepts(NAT, ONE, 0.0)
    assert not latch.accepts(NAT, second, 0.02)
    assert latch.accepts(NAT, second.next, 0.04)


def test_who_sprays_packets_at_a_port_does_not_keep_a_phone_out() -> None:
    latch = Latch(PHONE)
    assert not latch.accepts(NAT, ONE, 0.0)
    for port in range(6):
        assert not latch.accepts(("203.0.113.9", port), ONE, 0.01)
    assert latch.accepts(NAT, ONE.next, 0.02)
    for port in range(1000):
        latch.accepts(("203.0.113.9", port), ONE, 0.03)
    assert (latch.source, len(latch._candidates)) == (NAT, 0)
    silent = Latch(PHONE)
    for port in range(1000):
        silent.accepts(("203.0.113.9", port), ONE, 0.03)
    assert (silent.source, len(silent._candidates)) == (None, 8)


def test_the_far_ends_own_address_wins_once_over_who_was_faster() -> None:
    latch = Latch(PHONE)
    assert proved(latch, STRANGER, 0.0)
    assert latch.accepts(PHONE, ONE, 0.1)
    assert latch.source == PHONE
    assert not latch.accepts(STRANGER, Sent(5, 2), 0.2)


def test_a_stranger_is_refused_while_the_phone_talks() -> None:
    latch = latched()
    assert not proved(latch, STRANGER, 0.1)
    assert latch.accepts(PHONE, ONE, 0.2)
    assert not proved(latch, STRANGER, 0.69)
    assert latch.source == PHONE


def test_after_half_a_second_of_silence_another_source_may_take_over() -> None:
    latch = latched()
    assert proved(latch, MOVED, 0.5)
    assert latch.source == MOVED
    assert not latch.accepts(PHONE, ONE, 0.51)


def test_a_stream_that_goes_on_from_another_address_needs_no_proof() -> None:
    latch = latched()
    assert not latch.accepts(MOVED, ONE, 0.4, goes_on=True)
    assert latch.accepts(MOVED, ONE, 0.5, goes_on=True)


def test_a_re_invite_lets_a_new_source_take_over_at_once_and_only_one() -> None:
    latch = latched()
    latch.reopen(0.1)
    assert latch.accepts(PHONE, ONE, 0.11)  # its last packets
    assert proved(latch, MOVED, 0.12)
    assert not latch.accepts(PHONE, ONE, 0.13)


def test_the_window_of_a_re_invite_closes() -> None:
    latch = latched()
    latch.reopen(0.1)
    latch.accepts(PHONE, ONE, 5.0)
    assert not proved(latch, STRANGER, 5.2)


def test_who_moves_is_heard_for_a_moment_from_where_it_was_and_believed_where_it_is() -> None:
    latch = latched()
    latch.move(MOVED, 1.0)
    assert latch.accepts(PHONE, ONE, 1.1)
    assert latch.accepts(MOVED, ONE, 1.2)
    assert latch.source == MOVED
    assert not latch.accepts(PHONE, ONE, 1.3)


def test_who_says_that_it_moves_and_stays_is_believed_where_it_is() -> None:
    """A phone behind a NAT names another private address; its packets come from where they came from."""
    latch = latched(expected=("10.0.0.9", 4000))
    latch.move(("10.0.0.9", 4002), 1.0)
    assert latch.accepts(PHONE, ONE, 1.4)
    assert proved(latch, PHONE, 1.5)
    assert latch.source == PHONE
