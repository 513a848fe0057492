"""Losses, fractions and jitter as a report tells them."""

from sipgw.rtp.sequence import Seen
from sipgw.rtp.stats import ReceiveStats


def paced(stats: ReceiveStats, sequences: list[int], start: float = 0.0) -> None:
    """Packets at exactly 20 ms by their sequence numbers."""
    for sequence in sequences:
        stats.receive(sequence, sequence * 160, start + sequence * 0.02)


def test_a_perfect_stream_has_no_loss_and_no_jitter() -> None:
    stats = ReceiveStats(8000)
    paced(stats, list(range(100)))
    assert (stats.received, stats.expected, stats.lost, stats.late) == (100, 100, 0, 0)
    assert stats.jitter_ms < 1e-6


def test_losses_are_counted_and_told_once_as_a_fraction() -> None:
    stats = ReceiveStats(8000)
    paced(stats, [n for n in range(100) if n % 4])
    paced(stats, [100])
    block = stats.report(ssrc=5)
    assert stats.lost == 24
    assert (block.ssrc, block.lost, block.highest_sequence) == (5, 24, 100)
    assert block.fraction_lost == (24 << 8) // 100
    paced(stats, [101, 102])
    again = stats.report(ssrc=5)
    assert (again.fraction_lost, again.lost) == (0, 24)


def test_a_repeated_packet_makes_the_loss_negative() -> None:
    stats = ReceiveStats(8000)
    paced(stats, [1, 2, 2])
    assert (stats.lost, stats.late) == (-1, 1)
    assert stats.report(1).lost == -1
    assert stats.report(1).fraction_lost == 0


def test_jitter_settles_at_the_mean_step_of_the_transit_time() -> None:
    stats = ReceiveStats(8000)
    for n in range(2000):  # every other packet comes 8 ms late: each step of the transit time is 8 ms
        stats.receive(n, n * 160, n * 0.02 + (0.008 if n % 2 else 0.0))
    assert abs(stats.jitter_ms - 8.0) < 0.01
    assert abs(stats.report(1).jitter - 64) <= 1


def test_jitter_ignores_the_wrap_of_the_timestamp() -> None:
    stats = ReceiveStats(8000)
    for n in range(20):
        stats.receive(n, (0xFFFFFFFF - 500 + n * 160) & 0xFFFFFFFF, n * 0.02)
    assert stats.jitter_ms < 1e-3


def test_packets_of_one_key_press_make_no_jitter() -> None:
    stats = ReceiveStats(8000)
    paced(stats, [0, 1])
    for n in range(2, 12):  # RFC 4733: they share a timestamp
        stats.receive(n, 320, n * 0.02)
    assert stats.jitter_ms < 1e-6


def test_a_restart_of_the_sender_costs_neither_jitter_nor_earlier_losses() -> None:
    stats = ReceiveStats(8000)
    paced(stats, [0, 1, 3])
    assert stats.receive(30_000, 77_000_000, 0.08)[0] is Seen.JUMP
    assert stats.receive(30_001, 77_000_160, 0.10)[0] is Seen.RESTARTED
    assert stats.receive(30_002, 77_000_320, 0.12)[0] is Seen.VALID
    assert (stats.lost, stats.received, stats.expected) == (1, 5, 6)
    assert stats.jitter_ms < 1e-6


def test_a_report_quotes_the_senders_report_and_its_age() -> None:
    stats = ReceiveStats(8000)
    paced(stats, [0])
    block = stats.report(1, last_report=0xABCD0123, delay=1.5)
    assert (block.last_report, block.delay) == (0xABCD0123, 0x18000)
    assert stats.report(1, last_report=0, delay=1.5).delay == 0


def test_before_the_first_packet_a_report_is_all_zero() -> None:
    stats = ReceiveStats(8000)
    block = stats.report(9)
    assert (stats.expected, stats.lost, block.lost, block.highest_sequence, block.fraction_lost) == (0, 0, 0, 0, 0)


def test_a_source_on_probation_is_not_counted() -> None:
    stats = ReceiveStats(8000, probation=2)
    assert stats.receive(5, 0, 0.0)[0] is Seen.PROBATION
    assert stats.received == 0
    stats.receive(6, 160, 0.02)
    assert (stats.received, stats.lost) == (1, 0)
