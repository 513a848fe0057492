"""The ordered registry of codecs."""

import pytest

from sipgw.errors import UsageError
from sipgw.sdp.formats import CLOCK_HZ, STATIC
from sipgw_codecs.g711 import PCMA, PCMU
from sipgw_codecs.registry import CODECS, LAWS, codec


def test_a_codec_is_found_by_its_name_in_any_case() -> None:
    assert codec("PCMU") is PCMU
    assert codec("pcma") is PCMA
    assert codec("opus").name == "OPUS"


def test_an_unknown_codec_is_our_own_mistake_and_says_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"G729.*PCMU, PCMA"):
        codec("G729")


def test_the_order_is_the_order_of_preference() -> None:
    assert [one.name for one in CODECS] == ["OPUS", "G722", "PCMU", "PCMA", "L16"]
    assert LAWS == {"PCMU": PCMU, "PCMA": PCMA}


def test_sdp_knows_exactly_the_codecs_there_are() -> None:
    assert {one.name: one.clock_hz for one in CODECS} == CLOCK_HZ
    assert {one.payload_type: one.name for one in CODECS if one.payload_type is not None} == STATIC
