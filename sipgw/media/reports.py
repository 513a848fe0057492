"""One session's RTCP: when to report, what, and what the far end's reports tell (RFC 3550 section 6)."""

from collections.abc import Callable

from sipgw.rtp import rtcp
from sipgw.rtp.packet import Data
from sipgw.rtp.rtcp import Goodbye, ReceiverReport, ReportBlock, SenderReport, SourceDescription
from sipgw.rtp.stats import ReceiveStats


class Reports:
    """RTCP state of one session.

    Args:
        ssrc: ours.
        cname: names this endpoint for as long as the session lasts (RFC 7022).
        random: from 0 to 1, drawn for each interval.
        unix_offset: seconds to add to `now` for the time of day.
    """

    __slots__ = ("_came", "_cname", "_offset", "_quoted", "_random", "due", "heard", "round_trip", "ssrc")

    def __init__(self, ssrc: int, cname: str, random: Callable[[], float], unix_offset: float) -> None:
        self._cname, self._random, self._offset = cname, random, unix_offset
        self.ssrc = ssrc
        """Ours."""
        self._quoted, self._came = 0, 0.0
        self.due = float("inf")
        """When the next report is to be sent."""
        self.round_trip: float | None = None
        """Seconds, as last measured."""
        self.heard: ReportBlock | None = None
        """What the far end said last of our stream."""

    def start(self, now: float) -> None:
        """Reports are due from now on."""
        self.due = now + rtcp.report_interval(self._random(), first=True)

    def receive(self, data: Data, now: float) -> None:
        """Take a datagram of the far end.

        Raises:
            BadPacket: it is not RTCP.
        """
        for packet in rtcp.parse(data):
            if isinstance(packet, SenderReport):
                self._quoted, self._came = rtcp.middle(packet.ntp), now
            if isinstance(packet, SenderReport | ReceiverReport):
                self._measure(packet.blocks, now)

    def _measure(self, blocks: tuple[ReportBlock, ...], now: float) -> None:
        for block in blocks:
            if block.ssrc == self.ssrc:
                self.heard = block
                measured = rtcp.round_trip(block, rtcp.ntp_time(now + self._offset))
                self.round_trip = self.round_trip if measured is None else measured

    def report(self, stats: ReceiveStats, source: int | None, sent: tuple[int, int, int], now: float) -> bytes:
        """The report that is due.

        Args:
            stats: of the far end's stream.
            source: its SSRC, None before its first packet.
            sent: our RTP timestamp at `now`, packets and octets sent.
        """
        self.due = now + rtcp.report_interval(self._random())
        return rtcp.compound(self._packets(stats, source, sent, now))

    def goodbye(self, stats: ReceiveStats, source: int | None, sent: tuple[int, int, int], now: float) -> bytes:
        """The last report: the stream ends (RFC 3550 section 6.3.7)."""
        return rtcp.compound((*self._packets(stats, source, sent, now), Goodbye((self.ssrc,))))

    def _packets(
        self, stats: ReceiveStats, source: int | None, sent: tuple[int, int, int], now: float
    ) -> tuple[SenderReport | ReceiverReport, SourceDescription]:
        blocks = () if source is None else (stats.report(source, self._quoted, now - self._came),)
        timestamp, packets, octets = sent
        report: SenderReport | ReceiverReport = ReceiverReport(self.ssrc, blocks)
        if packets:
            ntp = rtcp.ntp_time(now + self._offset)
            report = SenderReport(self.ssrc, ntp, timestamp & 0xFFFFFFFF, packets, octets, blocks)
        return report, SourceDescription(self.ssrc, self._cname)
