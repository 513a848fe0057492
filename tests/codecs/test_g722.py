"""G.722 against the ITU's vectors, bit by bit."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sipgw_codecs.framed import Decoder, Shaping
from sipgw_codecs.g722 import G722_64
from tests.shared import shared

FRAME = 320


def vector(name: str) -> NDArray[np.int16]:
    return np.fromfile(shared(f"vectors/g722-itu-stl/{name}"), "<i2")


def coded() -> bytes:
    """The ITU's code words; its tool has written them two a word, the first in the upper half."""
    return vector("codsp.cod").byteswap().tobytes()


def test_speech_is_coded_as_the_itu_does_whatever_the_packets() -> None:
    spoken, encoder = vector("inpsp.bin"), G722_64.encoder(Shaping())
    packets = [encoder.encode(spoken[at : at + FRAME].tobytes()) for at in range(0, len(spoken), FRAME)]
    assert b"".join(packets) == coded()


def test_it_is_decoded_as_the_itu_does() -> None:
    decoder, codes = G722_64.decoder(), coded()
    heard = b"".join(decoder.decode(codes[at : at + FRAME // 2]) for at in range(0, len(codes), FRAME // 2))
    assert np.frombuffer(heard, np.int16).tolist() == vector("outsp1.bin").tolist()


@pytest.mark.parametrize("ms", [10, 20, 30, 60])
def test_a_packet_lasts_as_long_as_its_clock_says_which_is_half_its_samples(ms: int) -> None:
    payload = G722_64.silence(ms)
    assert G722_64.units(payload) == 8 * ms
    heard = np.frombuffer(G722_64.decoder().decode(payload), np.int16)
    assert len(heard) == 16 * ms
    assert np.abs(heard).max() < 32


def test_a_reset_encoder_is_a_new_one() -> None:
    spoken = vector("inpsp.bin")[20_000:20_320].tobytes()
    encoder = G722_64.encoder(Shaping())
    first = encoder.encode(spoken)
    assert encoder.encode(spoken) != first
    encoder.reset()
    assert encoder.encode(spoken) == first


def test_losses_are_hidden_by_others_and_it_is_always_there() -> None:
    decoder: Decoder = G722_64.decoder()
    assert decoder.conceal(320, None) is None
    assert G722_64.available() == ""
