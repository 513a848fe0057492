"""TCP streams put together: in order, out of it, repeated, with holes, around the wrap."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sipgw.tools.capture.ip import Segment
from sipgw.tools.capture.tcp import Chunk, Flows
from tests.fakes.capture_file import CALLEE, CALLER

TEXT = bytes(range(256)) * 8
START = 2**32 - 700


def segment(at: int, size: int = 100, when: float = 0.0, *, syn: bool = False, closing: bool = False) -> Segment:
    payload = b"" if syn else TEXT[at : at + size]
    sequence = (START + at + (0 if syn else 1)) % 2**32
    return Segment(when, CALLER, CALLEE, payload, sequence, syn, closing)


def joined(*segments: Segment) -> tuple[bytes, int]:
    """What came out, and how many holes it has."""
    flows = Flows()
    chunks = [chunk for one in segments for chunk in flows.receive(one)[1]]
    chunks += [chunk for _, chunk in flows.finish()]
    return b"".join(chunk.data for chunk in chunks), sum(chunk.hole for chunk in chunks)


SYN = segment(0, syn=True)


def test_segments_in_order_pass_through_across_the_wrap() -> None:
    assert joined(SYN, *(segment(at) for at in range(0, 2000, 100))) == (TEXT[:2000], 0)


def test_out_of_order_and_repeated_and_overlapping_segments_are_put_right() -> None:
    assert joined(SYN, segment(100), segment(0), segment(0), segment(150, 200), segment(350)) == (TEXT[:450], 0)


def test_a_capture_may_begin_in_the_middle() -> None:
    assert joined(segment(500), segment(600)) == (TEXT[500:700], 0)


def test_what_never_came_is_skipped_after_a_while_and_the_hole_is_told() -> None:
    flows = Flows()
    flows.receive(SYN)
    assert flows.receive(segment(0))[1] == [Chunk(TEXT[:100])]
    assert flows.receive(segment(200, when=1.0))[1] == []
    assert flows.receive(segment(300, when=2.0))[1] == []
    late = flows.receive(segment(400, when=9.0))[1]
    assert late == [Chunk(TEXT[200:300], hole=True), Chunk(TEXT[300:400]), Chunk(TEXT[400:500])]


def test_the_end_of_a_stream_and_of_the_capture_give_up_waiting() -> None:
    flows = Flows()
    flows.receive(SYN)
    flows.receive(segment(200))
    assert flows.receive(segment(300, 0, closing=True))[1] == [Chunk(TEXT[200:300], hole=True)]
    assert joined(SYN, segment(0), segment(500)) == (TEXT[:100] + TEXT[500:600], 1)


def test_a_new_connection_on_the_same_ports_begins_anew() -> None:
    flows = Flows()
    assert flows.receive(SYN) == (True, [])
    flows.receive(segment(0))
    assert flows.receive(SYN._replace(sequence=5)) == (True, [])
    assert flows.receive(Segment(1.0, CALLER, CALLEE, b"new", 6, False, False)) == (False, [Chunk(b"new")])


def test_what_is_held_is_bounded() -> None:
    flows = Flows()
    flows.receive(SYN)
    held = 0
    for index in range(400):
        chunks = flows.receive(Segment(0.0, CALLER, CALLEE, bytes(1400), START + 5000 + index * 2000, False, False))[1]
        held = 0 if chunks else held + 1400
        assert held < 1 << 19


@given(st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=8))
@settings(max_examples=80, deadline=None)
def test_any_order_with_any_repetition_gives_the_same_bytes(order: list[int], again: list[int]) -> None:
    segments = [segment(index * 100, 150) for index in [*order, *again]]
    assert joined(SYN, *segments) == (TEXT[: 11 * 100 + 150], 0)
