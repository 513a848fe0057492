"""Bans: after how much, for how long, of whom; and that neither they nor offenders fill the memory."""

from sipgw.options import DefenceOptions
from sipgw.sip.bans import Ban, Bans
from sipgw.sip.source import source_key

OPTIONS = DefenceOptions(offences=3, offence_seconds=10.0, ban_seconds=60.0)
HOST = "192.0.2.7"


def made(options: DefenceOptions = OPTIONS) -> tuple[Bans, list[Ban]]:
    bans, told = Bans(options), list[Ban]()
    bans.told = told.append
    return bans, told


def offend(bans: Bans, *times: float, host: str = HOST, reliable: bool = False) -> None:
    for when in times:
        bans.offence(host, "not_sip", reliable=reliable, now=when)


def test_the_third_offence_in_time_bans_for_a_while() -> None:
    bans, told = made()
    offend(bans, 0.0, 1.0)
    assert not bans.bars(HOST, reliable=False, now=1.0)
    offend(bans, 2.0)
    assert told == [Ban(HOST, "not_sip", 2.0, 62.0, datagrams_only=True)] == bans.now(2.0)
    assert bans.bars(HOST, reliable=False, now=61.9)
    assert not bans.bars(HOST, reliable=False, now=62.0)
    assert bans.now(62.0) == []


def test_offences_far_apart_are_no_habit() -> None:
    bans, told = made()
    offend(bans, 0.0, 1.0, 11.5, 12.0)
    assert told == []


def test_what_came_in_datagrams_bans_datagrams_alone() -> None:
    bans, _ = made()
    offend(bans, 0.0, 0.0, 0.0)
    assert not bans.bars(HOST, reliable=True, now=1.0)
    offend(bans, 2.0, 2.0, 2.0, reliable=True)
    assert bans.bars(HOST, reliable=True, now=3.0)
    assert bans.bars(HOST, reliable=False, now=3.0)
    # And what is sent in its name then does not open them again.
    offend(bans, 4.0, 4.0, 4.0)
    assert bans.bars(HOST, reliable=True, now=5.0)


def test_a_ban_is_lifted_and_begins_at_nothing() -> None:
    bans, told = made()
    offend(bans, 0.0, 0.0, 0.0)
    assert bans.lift(HOST)
    assert not bans.lift(HOST)
    assert not bans.bars(HOST, reliable=False, now=1.0)
    offend(bans, 1.0, 1.0)
    assert len(told) == 1


def test_without_a_number_of_offences_nobody_is_banned() -> None:
    bans, told = made(DefenceOptions(offences=0))
    offend(bans, *[0.0] * 100)
    assert told == []


def test_a_whole_ipv6_network_is_one_source() -> None:
    bans, told = made()
    for number in range(3):
        offend(bans, 0.0, host=f"2001:db8:1:2::{number}")
    assert [ban.source for ban in told] == ["2001:db8:1:2::/64"]
    assert bans.bars("2001:db8:1:2:ffff::1", reliable=False, now=1.0)
    assert not bans.bars("2001:db8:1:3::1", reliable=False, now=1.0)
    assert bans.lift("2001:db8:1:2::/64")


def test_a_source_is_named_in_one_way() -> None:
    assert [source_key(host) for host in (HOST, "::ffff:192.0.2.7", "fe80::1%eth0", "a:b")] == [
        *(HOST, HOST, "fe80::/64", "a:b"),
    ]


def test_a_hundred_thousand_forged_sources_are_forgotten_again() -> None:
    bans, told = made()
    for number in range(100_000):
        offend(bans, *[0.0] * (3 if number % 2 else 1), host=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(told) == 50_000
    assert len(bans.now(0.0)) == len(bans) == 10_000
    assert len(bans._offenders) <= 10_000
