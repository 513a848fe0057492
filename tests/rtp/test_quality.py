"""The E-model."""

import pytest

from sipgw.rtp.quality import burst_ratio, mos


def score(percent: float, run: int = 1) -> float:
    """Of G.711 that loses so much, so many packets at a time."""
    missing = round(percent * 10)
    ratio = burst_ratio(missing, missing // run, percent / 100)
    return mos("PCMU", percent / 100, burst_ratio=ratio) or 0


def test_the_score_falls_with_loss_and_falls_more_with_bursts() -> None:
    assert mos("PCMU", 0) == pytest.approx(4.37, abs=0.01)
    assert score(1) == pytest.approx(4.3, abs=0.05)
    assert score(5) == pytest.approx(3.9, abs=0.1)
    assert score(5, 5) < score(5) < score(1)
    assert mos("PCMU", 0.9, burst_ratio=burst_ratio(900, 1, 0.9), jitter_ms=500) == 1.0


def test_losses_one_by_one_or_none_are_no_bursts() -> None:
    assert burst_ratio(0, 0, 0.0) == 1.0
    assert burst_ratio(50, 50, 0.05) == 1.0
    assert burst_ratio(50, 10, 0.05) == pytest.approx(4.75)


def test_the_score_falls_with_delay_and_jitter() -> None:
    near, far = mos("PCMA", 0, round_trip_ms=10), mos("PCMA", 0, round_trip_ms=600)
    assert near is not None
    assert far is not None
    assert near > 4.38
    assert far == pytest.approx(3.6, abs=0.1)
    assert (mos("PCMA", 0, jitter_ms=100) or 0) < near


def test_the_score_of_g729_is_known_from_the_literature() -> None:
    assert mos("G729", 0) == pytest.approx(4.04, abs=0.05)


@pytest.mark.parametrize("name", ["PCMU", "pcma", "opus", "G722"])
def test_our_own_codecs_have_a_score_however_they_are_written(name: str) -> None:
    assert mos(name, 0) == mos("PCMU", 0)
    assert 3.0 < (mos(name, 0.05) or 0) < 4.0


def test_a_codec_without_figures_has_no_score() -> None:
    assert mos("SPEEX", 0) is None
