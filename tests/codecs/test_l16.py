"""Linear PCM on the line."""

import pytest

from sipgw_codecs.framed import BadPayload, Shaping
from sipgw_codecs.l16 import L16_16K


def test_samples_are_in_network_byte_order() -> None:
    samples = (0x1234).to_bytes(2, "little") + (-2).to_bytes(2, "little", signed=True)
    assert L16_16K.encoder(Shaping()).encode(samples) == b"\x12\x34\xff\xfe"
    assert L16_16K.decoder().decode(b"\x12\x34\xff\xfe") == samples


def test_half_a_sample_is_no_payload() -> None:
    with pytest.raises(BadPayload, match="3 octets"):
        L16_16K.decoder().decode(b"\x12\x34\xff")


@pytest.mark.parametrize(("wanted", "used"), [(10, 10), (20, 20), (40, 40), (60, 40)])
def test_packets_stay_within_an_ethernet_frame(wanted: int, used: int) -> None:
    assert L16_16K.interval(wanted) == used
    payload = L16_16K.silence(used)
    assert len(payload) <= 1400
    assert L16_16K.units(payload) == 16 * used
