"""G.711 against the ITU's own vectors and the standard's arithmetic, over every code and every sample."""

import sys
import warnings

import numpy as np
import pytest
from numpy.typing import NDArray

from sipgw_codecs.g711 import G711, PCMA, PCMA_TO_PCMU, PCMU, PCMU_TO_PCMA
from tests.shared import shared

LAWS = pytest.mark.parametrize("law", [PCMU, PCMA], ids=lambda law: law.name)
EVERY_SAMPLE = np.arange(65_536, dtype=np.uint16).view(np.int16)
EVERY_CODE = np.arange(256, dtype=np.uint8)


def vector(name: str) -> NDArray[np.int16]:
    return np.fromfile(shared(f"vectors/g711-itu-stl/{name}"), "<i2")


@pytest.mark.parametrize(("law", "coded", "decoded"), [(PCMU, "u", "u-u"), (PCMA, "a", "a-a")])
def test_every_sample_is_coded_and_decoded_as_the_itu_does(law: G711, coded: str, decoded: str) -> None:
    samples = vector("sweep.src")
    assert len(set(samples.tolist())) == 65_536
    codes = law.encode(samples)
    assert codes.astype(np.int16).tolist() == vector(f"sweep-r.{coded}").tolist()
    assert law.decode(codes).tolist() == vector(f"sweep-r.{decoded}").tolist()


@LAWS
def test_no_sample_is_off_by_more_than_half_a_step_of_its_segment(law: G711) -> None:
    """By the definition alone: sixteen steps to an octave make half a step one 32nd of the magnitude."""
    samples = EVERY_SAMPLE.astype(np.int64)
    error = np.abs(samples - law.DECODE[law.ENCODE_TABLE])
    bias, unused = (132, 3) if law is PCMU else (0, 15)  # of the 16 bits 14 and 13 take part
    in_range = np.abs(samples) <= np.abs(law.DECODE.astype(np.int64)).max()
    assert (error <= np.maximum(8, (np.abs(samples) + bias) / 32) + unused)[in_range].all()


@LAWS
def test_coding_a_decoded_code_gives_the_code_back(law: G711) -> None:
    again = law.encode(law.decode(EVERY_CODE))
    different = EVERY_CODE[again != EVERY_CODE].tolist()
    assert different == ([0x7F] if law is PCMU else [])  # mu-law's negative zero


@LAWS
def test_codes_rise_with_the_samples(law: G711) -> None:
    ramp = np.arange(-32_768, 32_768).astype(np.int16)
    assert (np.diff(law.decode(law.encode(ramp)).astype(np.int32)) >= 0).all()


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="audioop left the standard library with Python 3.13")
def test_audioop_decodes_alike_and_differs_only_where_it_rounds_negative_mu_law_samples_outward() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import audioop
    codes, pcm = EVERY_CODE.tobytes(), EVERY_SAMPLE.tobytes()
    assert audioop.ulaw2lin(codes, 2) == PCMU.DECODE.tobytes()
    assert audioop.alaw2lin(codes, 2) == PCMA.DECODE.tobytes()
    assert audioop.lin2alaw(pcm, 2) == PCMA.ENCODE_TABLE.tobytes()
    theirs = np.frombuffer(audioop.lin2ulaw(pcm, 2), np.uint8)
    different = theirs != PCMU.ENCODE_TABLE
    assert different.sum() == 508
    assert (EVERY_SAMPLE[different] < 0).all()
    assert (PCMU.ENCODE_TABLE[different].astype(int) - theirs[different] == 1).all()


@LAWS
def test_silence_is_the_code_of_zero(law: G711) -> None:
    assert law.encode(np.zeros(1, np.int16))[0] == law.silence_byte
    assert law.silence(20) == bytes([law.silence_byte]) * 160
    assert abs(int(law.DECODE[law.silence_byte])) <= 8


@LAWS
def test_frames_of_many_calls_go_through_at_once(law: G711) -> None:
    payloads = np.random.default_rng(1).integers(0, 256, (50, 160)).astype(np.uint8)
    pcm = law.decode(payloads)
    assert pcm.shape == (50, 160)
    assert pcm.dtype == np.int16
    assert law.encode(pcm).shape == (50, 160)
    assert (law.DECODE_F32[payloads] == pcm).all()
    assert law.DECODE_F32.dtype == np.float32


def test_transcoding_tables_are_decoding_and_coding() -> None:
    assert PCMU_TO_PCMA.tolist() == [int(PCMA.encode(PCMU.decode(EVERY_CODE[i : i + 1]))[0]) for i in range(256)]
    assert PCMA_TO_PCMU.tolist() == [int(PCMU.encode(PCMA.decode(EVERY_CODE[i : i + 1]))[0]) for i in range(256)]
    assert PCMU_TO_PCMA.dtype == PCMA_TO_PCMU.dtype == np.uint8


@LAWS
def test_nobody_can_change_a_table(law: G711) -> None:
    for table in (law.DECODE, law.DECODE_F32, law.ENCODE_TABLE):
        with pytest.raises(ValueError, match="read-only"):
            table[0] = 0


def test_static_payload_types_are_those_of_rfc_3551() -> None:
    assert (PCMU.payload_type, PCMA.payload_type) == (0, 8)
    assert {PCMU.clock_hz, PCMA.clock_hz, PCMU.sample_rate_hz, PCMA.sample_rate_hz} == {8000}
