"""The state table: what is written there can be read by another process."""

import pytest

from sipgw.errors import Unavailable
from sipgw.media.table import Table


def test_rows_are_claimed_released_and_claimed_again() -> None:
    table = Table.of(2)
    first, second = (table.claim("call", name, 1, 2, 3) for name in "ab")
    assert {first, second} == {0, 1}
    with pytest.raises(Unavailable):
        table.claim("call", "c", 1, 2, 3)
    table.release(first)
    assert table.claim("call", "c", 4, 5, 6) == first
    assert (table.ssrc[first], table.sequence[first], table.timestamp[first]) == (4, 5, 6)


def test_another_table_over_the_same_memory_sees_the_sessions() -> None:
    memory = bytearray(Table.bytes_for(4))
    slot = Table(memory, 4).claim("call-1", "session-1", 0xFFFFFFFF, 70_000, 0xFFFFFFFE)
    other = Table(memory, 4)
    assert other.rows[slot]["call"] == b"call-1"
    assert other.rows[slot]["session"] == b"session-1"
    assert other.sequence[slot] == 70_000
    assert other.claim("x", "y", 1, 1, 1) != slot


@pytest.mark.parametrize("source", [("192.0.2.1", 4000), ("2001:db8::1", 65_535)])
def test_the_latched_source_is_kept(source: tuple[str, int]) -> None:
    table = Table.of(1)
    slot = table.claim("c", "s", 1, 1, 1)
    assert table.latched(slot) is None
    table.latch(slot, source)
    assert table.latched(slot) == source
    table.release(slot)
    assert table.latched(slot) is None


def test_a_source_with_a_zone_is_kept_without_it() -> None:
    table = Table.of(1)
    table.latch(0, ("fe80::1%eth0", 4000))
    assert table.latched(0) == ("fe80::1", 4000)


def test_what_is_written_down_is_kept_by_column_and_forgotten_with_its_row() -> None:
    table = Table.of(1)
    slot = table.claim("c", "s", 1, 2, 3, "cname")
    table.write(slot, receive_ssrc=77, receive_sequence=65_536 + 9, lost=-1)
    row = table.rows[slot]
    assert (row["receive_ssrc"], row["receive_sequence"], row["lost"]) == (77, 65_545, -1)
    assert table.slots() == {"s": slot}
    table.release(slot)
    assert (table.rows[slot]["lost"], table.slots()) == (0, {})


def test_the_engines_sign_of_life_is_seen_through_the_same_memory() -> None:
    memory = bytearray(Table.bytes_for(1))
    writer, reader = Table(memory, 1), Table(memory, 1)
    assert reader.beaten == 0
    writer.beat(1234.5)
    assert reader.beaten == 1234.5
