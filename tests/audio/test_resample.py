"""The batch resampler against convolution, and what it does to tones."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sipgw.audio.resample import Resampler, low_pass, to_int16

RATIOS = [(3, 1), (2, 1), (1, 3), (1, 2)]
Signal = NDArray[np.float64]


def offline(resampler: Resampler, up: int, down: int, signal: NDArray[np.float32]) -> Signal:
    """What a streaming resampler must yield: zeros stuffed, convolved, thinned out."""
    stuffed = np.zeros(len(signal) * up)
    stuffed[::up] = signal
    return np.convolve(stuffed, resampler.taps)[: len(stuffed)][down - 1 :: down]


def stream(resampler: Resampler, signal: Signal, length: int) -> Signal:
    """One stream in slot 0, chunk by chunk."""
    slots = np.array([0])
    chunks = signal.astype(np.float32).reshape(-1, 1, length)
    return np.concatenate([resampler.process(slots, chunk)[0].copy() for chunk in chunks]).astype(np.float64)


def tone(hz: float, rate_hz: int, seconds: float = 0.48) -> Signal:
    return np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz)


def gain_db(signal: Signal) -> float:
    """Level against a full-scale tone, without the ends."""
    return float(20 * np.log10(np.sqrt(2 * np.mean(signal[1000:-1000] ** 2)) + 1e-12))


@pytest.mark.parametrize(("up", "down"), RATIOS)
@pytest.mark.parametrize("ms", [10, 20, 60])
def test_chunked_output_equals_offline_convolution(up: int, down: int, ms: int) -> None:
    resampler = Resampler(up, down, 1)
    signal = np.random.default_rng(1).uniform(-1, 1, 8 * down * 480).astype(np.float32)
    out = stream(resampler, signal.astype(np.float64), 8 * down * ms)
    assert np.abs(out - offline(resampler, up, down, signal)).max() < 1e-6


@pytest.mark.parametrize(("up", "down"), RATIOS)
def test_streams_keep_apart_whatever_rows_they_share_a_batch_with(up: int, down: int) -> None:
    random = np.random.default_rng(2)
    resampler, alone = Resampler(up, down, 5), [Resampler(up, down, 1) for _ in range(5)]
    for _ in range(20):
        slots = random.permutation(5)[: random.integers(1, 6)]
        frames = random.uniform(-1, 1, (len(slots), 160 * down)).astype(np.float32)
        rows = resampler.process(slots, frames)
        for slot, frame, row in zip(slots, frames, rows, strict=True):
            assert np.abs(alone[slot].process(np.array([0]), frame[None])[0] - row).max() < 1e-6


def test_packets_of_changing_length_make_one_stream() -> None:
    resampler = Resampler(3, 1, 1)
    signal = np.random.default_rng(3).uniform(-1, 1, 16 * 40).astype(np.float32)
    parts, at = [], 0
    for length in (160, 80, 16, 240, 144):
        parts.append(resampler.process(np.array([0]), signal[None, at : at + length])[0].copy())
        at += length
    assert np.abs(np.concatenate(parts) - offline(resampler, 3, 1, signal)).max() < 1e-6


def test_a_reset_slot_remembers_nothing() -> None:
    resampler = Resampler(1, 3, 1)
    resampler.process(np.array([0]), np.ones((1, 480), np.float32))
    resampler.reset(0)
    assert not resampler.process(np.array([0]), np.zeros((1, 480), np.float32)).any()


@pytest.mark.parametrize(("up", "down"), RATIOS)
def test_the_delay_is_below_two_milliseconds_and_as_stated(up: int, down: int) -> None:
    resampler = Resampler(up, down, 1)
    assert resampler.delay_ms <= 1.9
    out_hz, in_hz = 8000 * up, 8000 * down
    out = stream(resampler, tone(1000, in_hz), 160 * down)
    time = np.arange(len(out)) / out_hz
    # An output sample stands for the moment its last input came, hence the part of a period between them.
    late = time + (down - 1) / in_hz if down > 1 else time
    expected = np.sin(2 * np.pi * 1000 * (late - (len(resampler.taps) - 1) / 2 / (8000 * max(up, down))))
    assert np.abs(out - expected)[200:].max() < 0.01


@pytest.mark.parametrize(("up", "down"), RATIOS)
@pytest.mark.parametrize(("hz", "loss_db"), [(300, 0.05), (1000, 0.05), (3000, 0.1), (3400, 1.2)])
def test_speech_passes(up: int, down: int, hz: float, loss_db: float) -> None:
    out = stream(Resampler(up, down, 1), tone(hz, 8000 * down), 160 * down)
    assert -loss_db <= gain_db(out) <= 0.05


@pytest.mark.parametrize("down", [2, 3])
@pytest.mark.parametrize(("hz", "db"), [(4600, -60), (5000, -60), (7000, -70)])
def test_what_would_alias_does_not_pass(down: int, hz: float, db: float) -> None:
    assert gain_db(stream(Resampler(1, down, 1), tone(hz, 8000 * down), 160 * down)) < db


@pytest.mark.parametrize("up", [2, 3])
def test_images_are_suppressed(up: int) -> None:
    out = stream(Resampler(up, 1, 1), tone(3000, 8000), 160)[960:]
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    image = round(5000 * len(out) / (8000 * up))
    assert 20 * np.log10(spectrum[image - 3 : image + 4].max() / spectrum.max()) < -60


def test_a_constant_comes_out_constant() -> None:
    assert np.abs(stream(Resampler(3, 1, 1), np.ones(1600), 160)[480:] - 1).max() < 1e-6


def test_low_pass_has_unit_gain_and_linear_phase() -> None:
    taps = low_pass(91, 3700, 24000)
    assert taps.sum() == pytest.approx(1)
    assert np.allclose(taps, taps[::-1])


def test_samples_are_rounded_and_limited() -> None:
    out = to_int16(np.array([0.6, -0.6, 40000, -40000, 32767.4], np.float32))
    assert out.tolist() == [1, -1, 32767, -32768, 32767]


@pytest.mark.parametrize(("up", "down"), [(2, 3), (3, 2)])
def test_between_16_and_24_khz_all_that_the_lower_can_hold_passes(up: int, down: int) -> None:
    rate_hz = 8000 * down

    def passed(hz: float) -> float:
        return gain_db(stream(Resampler(up, down, 1, 16_000), tone(hz, rate_hz), rate_hz // 50))

    assert passed(1000) == pytest.approx(0, abs=0.05)
    assert passed(6500) == pytest.approx(0, abs=0.3)
    if down > up:
        assert passed(9200) < -60
    assert Resampler(up, down, 1, 16_000).delay_ms < 1


@pytest.mark.parametrize(("up", "down"), [(2, 3), (3, 2)])
@pytest.mark.parametrize("ms", [10, 20, 60])
def test_any_ratio_equals_offline_convolution(up: int, down: int, ms: int) -> None:
    resampler = Resampler(up, down, 1, 16_000)
    signal = np.random.default_rng(1).uniform(-1, 1, 8 * down * 480).astype(np.float32)
    out = stream(resampler, signal.astype(np.float64), 8 * down * ms)
    assert np.abs(out - offline(resampler, up, down, signal)).max() < 1e-6
