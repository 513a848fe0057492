"""How good a stream sounds: a mean opinion score by the E-model (ITU-T G.107), from what is counted of it.

The scale is the narrow-band one, on which 4.4 is an undisturbed telephone call: a wideband codec gets no more for its
width, and only loses by loss. What cannot be known is taken in the call's favour: no echo, no noise, concealment.
"""

from collections.abc import Mapping

ASSUMED_DELAY_MS = 50.0
"""One way through the network, where nobody measured it."""
_BASE = 93.2
"""R of an undisturbed narrow-band call with G.107's default values."""
_IMPAIRMENTS: Mapping[str, tuple[float, float]] = {
    "PCMU": (0.0, 25.1),
    "PCMA": (0.0, 25.1),
    "G729": (11.0, 19.0),
    "G723": (15.0, 16.1),
    # No narrow-band figure is published. Undisturbed it is no worse than G.711; it is taken to stand loss as that does.
    "G722": (0.0, 25.1),
    # At telephone bit rates no worse than G.711 either; how it stands loss was measured by M. Al-Ahmadi (2021), for
    # 11 kbit/s narrow-band.
    "OPUS": (0.0, 16.0),
}
"""Ie and Bpl (ITU-T G.113 appendix I): how a codec sounds, and how it stands loss. G.711 with concealment."""


def mos(
    codec: str,
    loss: float,
    *,
    burst_ratio: float = 1.0,
    jitter_ms: float = 0.0,
    ptime_ms: float = 20.0,
    round_trip_ms: float | None = None,
) -> float | None:
    """The score of one direction, 1 to 4.5; None for a codec without figures.

    The delay is that of the network, of a packet, and of a jitter buffer of twice the mean jitter.

    Args:
        codec: encoding name.
        loss: share of the packets that are missing, 0 to 1.
        burst_ratio: see `burst_ratio`; 1 where it is unknown.
        jitter_ms: mean.
        ptime_ms: length of a packet.
        round_trip_ms: through the network and back; None where nobody measured it.
    """
    figures = _IMPAIRMENTS.get(codec.upper())
    if figures is None:
        return None
    impairment, robustness = figures
    percent = loss * 100
    impairment += (95 - impairment) * percent / (percent / burst_ratio + robustness)
    way_ms = ASSUMED_DELAY_MS if round_trip_ms is None else round_trip_ms / 2
    return _score(_BASE - impairment - _delay_impairment(way_ms + ptime_ms + 2 * jitter_ms))


def burst_ratio(missing: int, bursts: int, loss: float) -> float:
    """How much longer losses last than they would if each packet were lost by itself (BurstR of G.107); at least 1.

    Args:
        missing: how many packets are.
        bursts: how often packets were missing, one or more in a row.
        loss: share of the packets that are missing, 0 to 1.
    """
    return max(missing / bursts * (1 - loss), 1.0) if bursts else 1.0


def _delay_impairment(delay_ms: float) -> float:
    """Id, by the usual simplification of G.107 for a connection without echo."""
    return 0.024 * delay_ms + (0.11 * (delay_ms - 177.3) if delay_ms > 177.3 else 0.0)


def _score(rating: float) -> float:
    """From R to MOS (G.107 annex B)."""
    if rating <= 0:
        return 1.0
    if rating >= 100:
        return 4.5
    return max(1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6, 1.0)
