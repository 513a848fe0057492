"""Lines of the journal."""

import pytest

from sipgw.records.entry import BadEntry, Entry, decode, encode
from tests.records.records import record, refused

FIRST_VERSION = (
    b'{"call":{"call":"n1-9","node":"n1","sip_call_id":"x","caller":"a","caller_name":"","called":"b",'
    b'"source":"192.0.2.7","trunk":"","route":"*","targets":[{"target":"demo","when":1.5,"dialect":"demo",'
    b'"ready":2.0,"ended":9.0,"failure":""}],"started":1.0,"ringing":null,"answered":2.0,"ended":9.0,'
    b'"cause":"normal","status":200,"q850":16,"hung_up_by":"caller","reason":"","codec":"PCMU","digits":0,'
    b'"stats":{"sent_packets":5},"turns_ms":[400]}}'
)


@pytest.mark.parametrize("one", [record(), refused()])
def test_an_entry_comes_back_as_it_was(one: object) -> None:
    line = encode(Entry(one))  # type: ignore[arg-type]
    assert b"\n" not in line
    assert decode(line).call == one


def test_a_line_break_in_a_name_does_not_end_the_line() -> None:
    assert b"\n" not in encode(Entry(record(caller_name="Ann\nBob")))


def test_half_a_character_is_replaced() -> None:
    assert decode(encode(Entry(record(caller_name="Ann\ud800")))).call.caller_name == "Ann?"


def test_what_the_first_version_left_behind_is_still_read() -> None:
    call = decode(FIRST_VERSION).call
    assert (call.call, call.turns_ms, call.targets[0].ready) == ("n1-9", (400,), 2.0)
    assert call.stats is not None
    assert call.stats.sent_packets == 5


@pytest.mark.parametrize("line", [b"", b"{", b"{}", b'{"call":{"call":"n1-1"}}', b"\xff\xfe", FIRST_VERSION[:300]])
def test_anything_else_is_no_entry(line: bytes) -> None:
    with pytest.raises(BadEntry):
        decode(line)
