"""Opus: what goes in comes out, streams by other encoders, and what a far end may ask for."""

import struct
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sipgw_codecs.framed import BadPayload, Shaping
from sipgw_codecs.opus import OPUS, OpusDecoder, OpusEncoder, units
from tests.shared import missing, shared

RATE_HZ = 24_000
FRAME = 480
Pcm = NDArray[np.int16]


@pytest.fixture(autouse=True)
def library() -> None:
    if why := OPUS.available():
        missing(why)


def voice(seconds: float) -> Pcm:
    """A vowel that swells and fades: 150 Hz with its overtones, below 3 kHz."""
    at = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
    wave = sum(np.sin(2 * np.pi * 150 * n * at) / n for n in range(1, 20))
    return np.asarray(3000 * wave * (1.2 + np.sin(2 * np.pi * 3 * at)), np.int16)


def recorded() -> Pcm:
    """A sentence."""
    with wave.open(str(shared("speech/arctic_a0024.wav"))) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        spoken = soxr.resample(pcm.astype(np.float32), file.getframerate(), RATE_HZ)
    return np.asarray(np.clip(spoken, -32_768, 32_767), np.int16)


def frames(pcm: Pcm, size: int = FRAME) -> Iterator[bytes]:
    return (pcm[at : at + size].tobytes() for at in range(0, len(pcm) - size + 1, size))


def likeness(one: Pcm, other: Pcm) -> float:
    """The best correlation of the second with the first, up to 20 ms later."""
    length = min(len(one), len(other)) - FRAME
    return max(float(np.corrcoef(one[:length], other[late : late + length])[0, 1]) for late in range(FRAME))


def packets_of(path: Path) -> list[bytes]:
    """The packets of an Ogg file (RFC 3533), without the two heads (RFC 7845)."""
    data, at, packets, part = path.read_bytes(), 0, [], b""
    while at < len(data):
        (count,) = struct.unpack_from("B", data, at + 26)
        lacing = data[at + 27 : at + 27 + count]
        at += 27 + count
        for size in lacing:
            part, at = part + data[at : at + size], at + size
            if size < 255:
                packets.append(part)
                part = b""
    return packets[2:]


@pytest.mark.parametrize("low_delay", [False, True])
@pytest.mark.parametrize("ms", [10, 20, 40, 60])
def test_speech_comes_out_as_it_went_in(low_delay: bool, ms: int) -> None:
    spoken, encoder, decoder = voice(1.2), OpusEncoder(Shaping(low_delay, bitrate=32_000)), OpusDecoder()
    packets = [encoder.encode(frame) for frame in frames(spoken, RATE_HZ * ms // 1000)]
    assert {units(packet) for packet in packets} == {48 * ms}
    assert 2000 < sum(map(len, packets)) < 7000  # 13 to 47 kbit/s
    heard = np.frombuffer(b"".join(map(decoder.decode, packets)), np.int16)
    assert likeness(spoken, heard) > (0.97 if low_delay else 0.8)  # the other mode takes out the lowest tones


@pytest.mark.parametrize("name", ["16_bit_48khz_2_4_2.opus", "hi.opus", "test.opus"])
def test_streams_by_other_encoders_are_decoded_mono_or_stereo(name: str) -> None:
    packets, decoder = packets_of(shared(f"vectors/opus/{name}")), OpusDecoder()
    assert len(packets) > 20
    for packet in packets:
        assert len(decoder.decode(packet)) == units(packet)  # two bytes for each two units


def test_what_was_lost_is_made_up_and_the_last_frame_comes_from_the_next_packet() -> None:
    encoder, spoken = OpusEncoder(Shaping(wishes="useinbandfec=1")), recorded()
    encoder.expect_loss(20)
    packets = [encoder.encode(frame) for frame in frames(spoken)]

    def error(protected: bool) -> float:
        """Of the frames that every tenth lost packet held, against a decoder that lost none."""
        whole, lossy, off, power = OpusDecoder(), OpusDecoder(), 0.0, 0.0
        for number, packet in enumerate(packets[:-1]):
            right = np.frombuffer(whole.decode(packet), np.int16).astype(float)
            if number % 10 != 9:
                lossy.decode(packet)
                continue
            made = lossy.conceal(FRAME, packets[number + 1] if protected else None)
            assert len(made) == 2 * FRAME
            off += float(np.sum((np.frombuffer(made, np.int16) - right) ** 2))
            power += float(np.sum(right**2))
        return off / power

    assert error(True) < error(False) / 4


def test_a_longer_loss_is_made_up_in_full_whatever_its_length() -> None:
    decoder = OpusDecoder()
    decoder.decode(OpusEncoder(Shaping()).encode(voice(0.02).tobytes()))
    assert [len(decoder.conceal(samples, None)) for samples in (60, 481, 5000)] == [120, 962, 10_000]


def test_a_far_end_that_plays_at_8_khz_gets_nothing_above() -> None:
    noise = np.asarray(np.random.default_rng(3).normal(0, 3000, RATE_HZ), np.int16)

    def high(wishes: str) -> float:
        """Share of the sound above 5 kHz."""
        encoder, decoder = OpusEncoder(Shaping(low_delay=True, bitrate=64_000, wishes=wishes)), OpusDecoder()
        heard = np.frombuffer(b"".join(decoder.decode(encoder.encode(frame)) for frame in frames(noise)), np.int16)
        power = np.abs(np.fft.rfft(heard)) ** 2
        return float(power[5000:].sum() / power.sum())

    assert high("") > 0.3
    assert high("maxplaybackrate=8000; stereo=0") < 0.01


def test_a_far_end_gets_no_more_bits_than_it_wishes() -> None:
    def size(wishes: str) -> int:
        encoder = OpusEncoder(Shaping(bitrate=64_000, wishes=wishes))
        return sum(len(encoder.encode(frame)) for frame in frames(voice(1.0)))

    assert size("maxaveragebitrate=12000") < size("") / 3
    sizes = {len(OpusEncoder(Shaping(wishes="cbr=1")).encode(frame)) for frame in frames(voice(0.5))}
    assert len(sizes) == 1


@pytest.mark.parametrize("wishes", ["", ";;", "maxplaybackrate=", "maxaveragebitrate=x;cbr", "cbr=99999999999", "é=1"])
def test_wishes_that_make_no_sense_are_none(wishes: str) -> None:
    assert OpusEncoder(Shaping(wishes=wishes)).encode(bytes(2 * FRAME))


def test_silence_fits_after_anything() -> None:
    encoder, decoder = OpusEncoder(Shaping()), OpusDecoder()
    for frame in frames(voice(0.3)):
        decoder.decode(encoder.encode(frame))
    fading = [np.abs(np.frombuffer(decoder.decode(OPUS.silence(20)), np.int16)).max() for _ in range(5)]
    assert fading[-1] < 20


@given(st.binary(max_size=200))
def test_any_bytes_are_a_packet_or_are_refused(data: bytes) -> None:
    length = units(data)
    assert 0 <= length <= 5760
    try:
        pcm = OpusDecoder().decode(data)
    except BadPayload:
        return
    assert len(pcm) == length or not data


def test_a_library_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from sipgw_codecs.libopus import libopus

    monkeypatch.setenv("SIPGW_LIBOPUS", "/no/such/libopus.so")
    libopus.cache_clear()
    try:
        assert "/no/such/libopus.so" in OPUS.available()
        assert "SIPGW_LIBOPUS" in OPUS.available()
    finally:
        libopus.cache_clear()
