"""What the test phone makes of what it heard."""

import numpy as np
import pytest

from sipgw.tools.listening import Heard, Hearing, echo_delay, hearing, match
from sipgw.tools.wav import Pcm
from sipgw_codecs.g711 import PCMU

NAMES = {0: "PCMU"}
NOISE: Pcm = np.asarray(np.random.default_rng(7).normal(0, 4000, 8000), np.int16)


def heard(pcm: Pcm, began: float = 100.0, first: int = 0, skip: tuple[int, ...] = ()) -> list[Heard]:
    """The packets of a sound, each 20 ms after the other."""
    return [
        Heard(
            began + index * 0.02,
            0,
            (65_534 + index) % 65_536,
            (first + index * 160) % (1 << 32),
            PCMU.encode(pcm[index * 160 : (index + 1) * 160]).tobytes(),
        )
        for index in range(len(pcm) // 160)
        if index not in skip
    ]


def test_packets_become_sound_again_over_wraps_of_sequence_and_timestamp() -> None:
    result = hearing(heard(NOISE, first=(1 << 32) - 480), NAMES)
    assert result.pcm is not None
    assert np.array_equal(result.pcm, PCMU.decode(PCMU.encode(NOISE)))
    assert (result.packets, result.lost) == (50, 0)
    assert result.jitter_ms < 0.01
    assert result.began == pytest.approx(100.0)


def test_a_lost_packet_is_counted_and_is_silence() -> None:
    result = hearing(heard(NOISE, skip=(10, 11)), NAMES)
    assert result.pcm is not None
    assert result.lost == 2
    assert not result.pcm[1600:1920].any()
    assert result.pcm[1920:2080].any()


def test_the_first_sound_is_the_first_packet_that_is_no_silence() -> None:
    pcm = np.concatenate([np.zeros(1600, np.int16), np.full(160, 20, np.int16), NOISE[:320]])
    assert hearing(heard(pcm), NAMES).first_sound == pytest.approx(100.22)
    assert hearing(heard(np.zeros(1600, np.int16)), NAMES).first_sound is None


def test_packets_of_other_types_are_not_heard() -> None:
    assert hearing([Heard(1.0, 101, 1, 1, b"\5\x80\0\xa0")], NAMES) == Hearing()


def test_one_late_packet_does_not_move_the_beginning() -> None:
    packets = heard(NOISE)
    packets[0] = Heard(100.2, *[getattr(packets[0], name) for name in Heard.__slots__[1:]])
    assert hearing(packets, NAMES).began == pytest.approx(100.0)


@pytest.mark.parametrize("delay", [0.0, 0.053, 2.5])
def test_an_echo_is_found_with_its_delay(delay: float) -> None:
    back = np.concatenate([np.zeros(round(delay * 8000), np.int16), NOISE // 2])
    assert echo_delay(NOISE, 100.0, back, 100.0) == pytest.approx(delay, abs=0.0002)
    assert echo_delay(NOISE, 100.0, NOISE, 100.0 + delay) == pytest.approx(delay, abs=0.0002)


def test_another_sound_is_no_echo() -> None:
    other = np.asarray(np.random.default_rng(8).normal(0, 4000, 16_000), np.int16)
    assert echo_delay(NOISE, 100.0, other, 100.0) is None
    assert echo_delay(NOISE, 100.0, np.zeros(8000, np.int16), 100.0) is None
    assert echo_delay(np.zeros(0, np.int16), 100.0, NOISE, 100.0) is None


def test_a_sound_is_found_in_another_with_how_alike_they_are() -> None:
    lag, likeness = match(NOISE, NOISE[400:])
    assert lag == pytest.approx(-0.05)
    assert likeness == pytest.approx(0.97, abs=0.03)
    other = np.asarray(np.random.default_rng(8).normal(0, 4000, 16_000), np.int16)
    assert match(NOISE, other)[1] < 0.1
    assert match(NOISE, np.zeros(100, np.int16)) == (0.0, 0.0)


def test_what_is_heard_before_it_was_said_is_no_echo() -> None:
    assert echo_delay(NOISE, 100.0, NOISE, 99.0) is None
