"""Cutting audio into pieces of one length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.ai.cutter import Cutter
from sipgw.errors import UsageError


def test_a_piece_of_the_right_length_is_handed_on_as_it_is() -> None:
    piece = memoryview(b"abcd")
    assert Cutter(4).cut(piece)[0] is piece


@given(st.integers(1, 20), st.lists(st.binary(max_size=50)))
def test_nothing_is_lost_or_changed(size: int, audio: list[bytes]) -> None:
    cutter = Cutter(size)
    pieces = [bytes(piece) for part in audio for piece in cutter.cut(part)]
    assert {len(piece) for piece in pieces} <= {size}
    whole = b"".join(audio)
    assert b"".join(pieces) == whole[: len(whole) // size * size]


def test_a_reset_forgets_the_remainder() -> None:
    cutter = Cutter(4)
    assert cutter.cut(b"abc") == []
    cutter.reset()
    assert cutter.cut(b"1234") == (b"1234",)


def test_pieces_have_a_length() -> None:
    with pytest.raises(UsageError, match="0 bytes"):
        Cutter(0)
