"""What is counted of a stream: numbers, times, clocks, quality, keys."""

import math
import random
from collections.abc import Iterable

import numpy as np
import pytest

from sipgw.rtp.dtmf import press
from sipgw.sdp.model import Sdp
from sipgw.tools.capture.codecs import Meaning, meanings_of
from sipgw.tools.capture.level import Level
from sipgw.tools.capture.numbers import Numbers
from sipgw.tools.capture.stream import StreamBuilder
from sipgw.tools.capture.timing import Jitter, Skew
from sipgw_codecs.registry import LAWS
from tests.fakes.capture_file import sdp

PCMU = Meaning("PCMU", 8000)
EVENT = Meaning("TELEPHONE-EVENT", 8000)
NOISE = Meaning("CN", 8000)
SOURCE, DESTINATION = ("192.0.2.1", 20_000), ("192.0.2.2", 30_000)


def counted(sequences: Iterable[int]) -> tuple[int, int, int, int]:
    """Lost, missing, repeated, out of order."""
    numbers = Numbers()
    for sequence in sequences:
        numbers.receive(sequence % 65_536)
    return numbers.lost, numbers.missing, numbers.duplicates, numbers.reordered


@pytest.mark.parametrize(
    ("sequences", "expected"),
    [
        ([*range(65_530, 65_550)], (0, 0, 0, 0)),
        ([1, 2, 5, 6], (2, 2, 0, 0)),
        ([1, 2, 4, 3, 5], (0, 0, 0, 1)),
        ([1, 2, 2, 3], (-1, 0, 1, 0)),
        ([1, 2, 3, 5, 4, 4, 6], (-1, 0, 1, 1)),
        ([1, 2, 3, 30_000, 30_001], (0, 0, 0, 0)),
        ([30_000, 30_001, 5, 6, 8], (1, 1, 0, 0)),
    ],
)
def test_losses_repetitions_and_order_are_counted(sequences: list[int], expected: tuple[int, int, int, int]) -> None:
    assert counted(sequences) == expected


def test_losses_in_a_row_are_one_burst() -> None:
    numbers = Numbers()
    for sequence in [1, 2, 6, 7, 9]:
        numbers.receive(sequence)
    assert (numbers.bursts, numbers.missing) == (2, 4)


def test_jitter_is_rfc_3550_s_and_its_mean_is_over_the_packets_that_count() -> None:
    jitter = Jitter()
    jitter.receive(0.000, 0, PCMU, True)
    jitter.receive(0.036, 160, PCMU, False)  # 16 ms late
    assert jitter.mean_ms == pytest.approx(1.0)
    jitter.receive(0.040, 320, PCMU, False)  # 16 ms less late again
    assert jitter.maximum_ms == pytest.approx(1.9375)
    assert jitter.mean_ms == pytest.approx((1.0 + 1.9375) / 2)


def test_markers_noise_and_keys_do_not_count_as_jitter() -> None:
    jitter = Jitter()
    for when, timestamp, meaning, marker in [
        (0.0, 0, PCMU, False),
        (1.0, 160, PCMU, True),
        (1.5, 320, NOISE, False),
        (2.0, 480, PCMU, False),
        (2.5, 640, EVENT, False),
    ]:
        jitter.receive(when, timestamp, meaning, marker)
    assert (jitter.mean_ms, jitter.maximum_ms) == (0.0, 0.0)


@pytest.mark.parametrize("ppm", [-250.0, 0.0, 100.0])
def test_a_sender_s_clock_is_measured_through_the_jitter(ppm: float) -> None:
    skew, chance = Skew(), random.Random(7)
    for index in range(60 * 50):
        skew.receive(1e9 + index * 0.02 * (1 - ppm / 1e6) + chance.expovariate(200), index * 160 % 2**32, PCMU)
    measured = skew.ppm()
    assert measured is not None
    assert abs(measured - ppm) < 15


def test_no_clock_is_told_from_a_short_or_jumping_stream() -> None:
    short, jumping = Skew(), Skew()
    for index in range(400):
        short.receive(index * 0.02, index * 160, PCMU)
    for index in range(3000):
        jumping.receive(index * 0.02, index * 160 + (8000 if index > 1500 else 0), PCMU)
    assert short.ppm() is None
    assert jumping.ppm() is None


@pytest.mark.parametrize("name", ["PCMU", "PCMA"])
def test_the_level_of_g711_is_that_of_its_sound(name: str) -> None:
    tone = (np.sin(np.arange(8000) * 0.7) * 3276.7).astype(np.int16)
    level = Level()
    for start in range(0, 8000, 160):
        level.receive(name, LAWS[name].encode(tone[start : start + 160]).tobytes())
    level.receive(name, LAWS[name].silence(1000))
    measured = level.finish()
    assert measured is not None
    assert measured[0] == pytest.approx(-20 - 10 * math.log10(2), abs=0.2)
    assert measured[1] == pytest.approx(0.5, abs=0.02)


def test_other_codecs_have_no_level() -> None:
    level = Level()
    level.receive("G729", bytes(20))
    assert level.finish() is None


def test_keys_are_read_once_each_with_their_time() -> None:
    builder = StreamBuilder(SOURCE, DESTINATION, 1, lambda: {101: EVENT, 0: PCMU})
    sequence = 0
    for which, began in (("5", 1.0), ("#", 2.0)):
        for index, packet in enumerate(press(which, 160)):
            timestamp = round(began * 8000) + packet.timestamp
            builder.receive(began + index * 0.02, 101, packet.marker, sequence, timestamp, packet.payload)
            sequence += 1
    stream = builder.finish()
    assert [(key.digit, key.duration_ms, key.how) for key in stream.keys] == [
        ("5", 160, "rfc4733"),
        ("#", 160, "rfc4733"),
    ]
    assert stream.keys[0].when == pytest.approx(1.0, abs=0.03)
    assert stream.codec == "TELEPHONE-EVENT"


def test_a_key_without_description_is_known_by_its_looks() -> None:
    builder = StreamBuilder(SOURCE, DESTINATION, 1, dict)
    for index, packet in enumerate(press("7")):
        builder.receive(index * 0.02, 96, packet.marker, index, packet.timestamp, packet.payload)
    assert "".join(key.digit for key in builder.finish().keys) == "7"


def test_a_stream_s_spans_ptime_and_codec_are_told() -> None:
    builder = StreamBuilder(SOURCE, DESTINATION, 1, lambda: {96: Meaning("OPUS", 48_000)})
    whens = [*(index * 0.04 for index in range(50)), *(10 + index * 0.04 for index in range(25))]
    for index, when in enumerate(whens):
        builder.receive(when, 96, False, index, index * 1920, b"x")
    stream = builder.finish()
    assert [(span.first, span.packets) for span in stream.spans] == [(0.0, 50), (10.0, 25)]
    assert (stream.codec, stream.clock_hz, stream.ptime_ms) == ("OPUS", 48_000, 40.0)


def test_a_description_may_come_later_than_the_first_packet() -> None:
    known: dict[int, Meaning] = {}
    builder = StreamBuilder(SOURCE, DESTINATION, 1, lambda: known)
    builder.receive(0.0, 96, False, 1, 0, b"x")
    known[96] = Meaning("ILBC", 8000)
    builder.receive(0.03, 96, False, 2, 240, b"x")
    assert builder.finish().codec == "ILBC"


def test_payload_types_of_all_codecs_are_understood() -> None:
    media = Sdp.parse(sdp(SOURCE, "96 9 101 77 x 0")).media[0]
    assert meanings_of(media) == {96: ("OPUS", 48_000), 9: ("G722", 8000), 101: EVENT, 0: PCMU}
