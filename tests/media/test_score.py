"""What the counters of a session mean to the ear."""

from sipgw.media.plane import Stream, StreamStats
from sipgw.media.score import scored
from sipgw.rtp.quality import mos
from sipgw.rtp.rtcp import ReportBlock

STREAM = Stream("PCMU", ("192.0.2.7", 4000), ("192.0.2.7", 4001), (0,), 0)


def test_each_direction_is_scored_by_its_own_loss() -> None:
    stats = StreamStats(sent_packets=1000, received_packets=950, lost_packets=50, loss_bursts=50, jitter_ms=2.0)
    heard = ReportBlock(7, 0, 10, 1000, jitter=80)
    told = scored(stats, STREAM, 8000, heard)
    assert told.mos == round(mos("PCMU", 0.05, jitter_ms=2.0) or 0, 2) == 3.85
    assert told.far_mos == round(mos("PCMU", 0.01, jitter_ms=10.0) or 0, 2) == 4.27
    assert (told.far_lost_packets, told.far_jitter_ms) == (10, 10.0)


def test_losses_in_a_row_cost_more_than_the_same_one_by_one() -> None:
    stats = StreamStats(received_packets=950, lost_packets=50, loss_bursts=5)
    apart = StreamStats(received_packets=950, lost_packets=50, loss_bursts=50)
    assert (scored(stats, STREAM, 8000, None).mos or 0) < (scored(apart, STREAM, 8000, None).mos or 0)


def test_what_nobody_heard_or_reported_has_no_score() -> None:
    told = scored(StreamStats(sent_packets=500), STREAM, 8000, None)
    assert (told.mos, told.far_mos, told.far_lost_packets, told.far_jitter_ms) == (None, None, None, None)


def test_a_far_end_cannot_have_lost_more_than_left_or_less_than_nothing() -> None:
    for lost, taken in ((9_000_000, 500), (-3, 0)):
        told = scored(StreamStats(sent_packets=500), STREAM, 8000, ReportBlock(7, 0, lost, 0, 0))
        assert told.far_lost_packets == taken
    assert scored(StreamStats(), STREAM, 8000, ReportBlock(7, 0, 5, 0, 0)).far_lost_packets == 0
