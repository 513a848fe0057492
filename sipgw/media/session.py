"""One session of the engine: what comes from the far end, and the timers; sending is the lanes' work.

`receive` runs for every packet of every call: it makes no objects beyond the payload's bytes and takes the long way
only where something is out of the ordinary.
"""

from collections import Counter
from math import ceil

from sipgw.flow import Endpoint, is_nowhere
from sipgw.media import plane
from sipgw.media.agreed import AUDIO, KEYS
from sipgw.media.convert import Inward
from sipgw.media.hearing import Hearing
from sipgw.media.hush import Hush
from sipgw.media.latch import Latch, Sent
from sipgw.media.repair import Repair, repair
from sipgw.media.reports import Reports
from sipgw.media.sending import Sending
from sipgw.media.tally import added
from sipgw.media.tap import Tap
from sipgw.media.vigil import Vigil
from sipgw.media.wiring import Wiring
from sipgw.options import MediaOptions
from sipgw.rtp.dtmf import Digit, DtmfReceiver
from sipgw.rtp.packet import HEADER_BYTES, PLAIN, BadPacket, fields, header, is_rtcp
from sipgw.rtp.sequence import Seen
from sipgw.rtp.stats import ReceiveStats
from sipgw.rtp.timeline import Piece, Timeline
from sipgw.trace import Mark, Note

_NEVER = float("inf")
_LOOK_AGAIN = 1.0
_COARSE = 0.05
"""What has time is looked after at whole multiples of this, so that one look at all sessions serves many of them."""


_MAX_GAP = 1000
"""Packets that may be lost while a far end changes its address."""
_VALID = Seen.VALID  # looking a member up in its class takes as long as parsing a header (Python 3.11)


class Session(Sending):
    """State of one RTP stream both ways.

    Args:
        slot: its row in the table and its place in every batch.
        command: what created it.
        sequence: of the first packet it will send; as numbers are unbroken, this counts them.
        reports: its RTCP.
    """

    __slots__ = (
        "_digits", "_listening", "_named", "_options", "_rarely_due", "_rtcp_source", "_vigil", "call", "destination",
        "drops", "due", "earlier", "extended", "first_sequence", "hearing", "hush", "inbox", "inward", "latch", "line",
        "remote_ssrc", "repair", "reports", "slot", "started", "stats", "tap",
    )  # fmt: skip

    def __init__(
        self,
        slot: int,
        command: plane.CreateSession,
        sequence: int,
        options: MediaOptions,
        reports: Reports,
        wiring: Wiring,
    ) -> None:
        super().__init__(command.session, command.stream, reports.ssrc, options, wiring)
        self.slot, self.call = slot, command.call
        self.first_sequence = sequence
        self.reports = reports
        self.due = _NEVER
        """What `next_timer` would return, or earlier: packets put timers off without a word."""
        self._rarely_due = _NEVER
        """The same without the time line."""
        # What the far end sends.
        self.latch = Latch(command.stream.remote, options.relatch_after_ms)
        self.remote_ssrc: int | None = None
        self.extended = 0
        self.drops: Counter[str] = Counter()
        self.destination = command.stream.remote
        """Where RTP goes: where it comes from, once it does."""
        self._named = command.stream.remote
        """Where signalling last said that the far end is."""
        self.stats = ReceiveStats(self.codec.clock_hz)
        self.earlier = plane.StreamStats()
        """Of the streams before it."""
        self._rtcp_source: Endpoint | None = None
        # What the AI hears.
        self.line: Timeline | None = None
        self.inbox: list[Piece] = []
        self.inward: Inward | None = None
        self.hearing: Hearing | None = None
        self.hush: Hush | None = None
        """Watches whether anybody speaks."""
        self.tap: Tap | None = None
        """Keeps both directions for a recording."""
        self.started: float | None = None
        self._vigil = Vigil(self.latch, options)
        self._options = options
        self._listening = False
        """A conversation wants to hear the far end."""
        self.repair: Repair = repair(self.codec)
        self._digits = DtmfReceiver(self.codec.clock_hz)
        if command.after is not None:
            self._continue(command.after)

    def _continue(self, after: plane.Continuation) -> None:
        """Be the session that was cut off elsewhere; what it had queued or half heard is lost."""
        self.earlier, self.octets, self.first_audio = after.stats, after.octets, after.first_audio
        samples = self.codec.clock_hz // 1000
        self.repair.concealed = after.stats.concealed_ms * samples
        self.repair.filled = after.stats.filled_ms * samples
        if after.source is not None:
            self.destination = after.source
            self.latch.settle(after.source)
            self._wiring.latched(self.slot, after.source, 0.0)

    def change(self, stream: plane.Stream, now: float) -> None:
        """A re-INVITE: other addresses or types, or hold. A source other than the old one may speak from here on."""
        before, was, interval_ms, self.earlier = self.stream, self.codec, self.interval_ms, self.totals
        self._write(self.line.restart(now) if self.line and stream.codec == before.codec else [])
        self.agree(stream)
        self.stats = ReceiveStats(self.codec.clock_hz)
        if self.codec is not was:
            self._recode(was.clock_hz, now)
        elif interval_ms != self.interval_ms or stream.parameters != before.parameters:
            self.encode_anew()
        self.remote_ssrc = None
        self.latch.reopen(now)
        self._move(stream.remote, now)
        if before.held and not stream.held:
            self._vigil.sign(now)
            if self.hush is not None:
                self.hush.spoke(now)
        self._rarely_due = now
        self._want_timers(now)

    def _recode(self, clock_hz: int, now: float) -> None:
        """Another codec than that with this clock, both ways; what is counted goes on."""
        before, self.repair = self.repair, repair(self.codec)
        self.repair.concealed = before.concealed * self.codec.clock_hz // clock_hz
        self.repair.filled = before.filled * self.codec.clock_hz // clock_hz
        self.encode_anew()
        self._digits = DtmfReceiver(self.codec.clock_hz)
        if self.hush is not None:
            self.hush.change(self.sound)
        self._open_line(now)

    def _move(self, remote: Endpoint, now: float) -> None:
        """Signalling says that the far end is there, or does not say where: then it is where it was.

        So a hold by `c=0.0.0.0` keeps the path open that the far end's NAT knows, and a resume goes on with it.
        """
        if remote != self._named and not is_nowhere(remote):
            self._named = self.destination = remote
            self._rtcp_source = None
            self.latch.move(remote, now)

    # --- packets ------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Endpoint, now: float) -> None:
        """Take a datagram from the RTP socket."""
        if self.protection is not None:
            try:
                data = data if is_rtcp(data) else self.protection.unprotect(data)
            except BadPacket as bad:
                self._drop(bad.reason, now)
                return
        if data[:1] == PLAIN and len(data) >= HEADER_BYTES:  # as `header` does it, without the call
            _, second, sequence, timestamp, ssrc = fields(data)
            payload_type, start, end = second & 0x7F, HEADER_BYTES, len(data)
        else:
            try:
                payload_type, _, sequence, timestamp, ssrc, start, end = header(data)
            except BadPacket as bad:
                self._drop(bad.reason, now)
                return
        kind = self.kinds.get(payload_type)
        if kind is None:
            self._receive_other(data, source, now)
            return
        latch = self.latch
        if source == latch.source:
            latch.heard = now
        elif not self._latches(source, Sent(ssrc, sequence), now):
            return
        if ssrc != self.remote_ssrc:
            self._switch(ssrc, now)
        seen, extended = self.stats.receive(sequence, timestamp, now)
        if seen is not _VALID and not self._believes(seen, now):
            return
        self.extended = extended
        payload = data[start:end] if kind is AUDIO else None
        if kind is KEYS:
            self._key(self._digits.receive(timestamp, data[start:end], now), now)
            self._rarely_due = min(self._rarely_due, self._digits.next_timer() or _NEVER, self.due)
            self._want_timers(self._rarely_due)
        elif payload:
            if self.tap is not None:
                self.tap.heard((now, timestamp, payload, self.codec.name))
            if self.hush is not None and self.outgoing is None:
                self.hush.heard(payload, now)
        line = self.line
        if line is not None:
            pieces = line.receive(extended, timestamp, payload or None, now)
            if pieces:
                if not self.inbox:
                    self._wiring.ready(self)
                self.inbox += pieces
            if line.due < self.due:
                self._want_timers(line.due)

    def _write(self, pieces: list[Piece]) -> None:
        if pieces:
            if not self.inbox:
                self._wiring.ready(self)
            self.inbox += pieces

    def take_audio(self, now: float) -> bytes:
        """What has been written on the time line since the last time: `sound`."""
        pieces, self.inbox = self.inbox, []
        audio = self.repair.join(pieces)
        if self.outgoing is not None:
            if self.hush is not None:
                self.hush.heard(audio, now)
            if self.repair.bad:
                self.repair.bad = 0
                self._drop("bad_payload", now)
        return audio

    def _receive_other(self, data: bytes, source: Endpoint, now: float) -> None:
        """RTCP on the RTP port (RFC 5761), or a payload type nobody agreed to."""
        if is_rtcp(data):
            self.receive_rtcp(data, source, now)
        else:
            self._drop("unknown_payload_type", now)

    def _latches(self, source: Endpoint, sent: Sent, now: float) -> bool:
        """Whether another source than the latched one is believed."""
        latch = self.latch
        never = latch.heard is None
        ahead = (sent.sequence - self.extended) & 0xFFFF
        goes_on = sent.ssrc == self.remote_ssrc and 0 < ahead < _MAX_GAP
        if not latch.accepts(source, sent, now, goes_on=goes_on):
            self._drop("stranger" if latch.source else "unproven", now)
            return False
        if source == latch.source:
            self.destination = source
            self._wiring.latched(self.slot, source, now)
            self._note(Mark.STATE, "latched", now, f"{source[0]}:{source[1]}")
        if never:
            self._wiring.emit(plane.FirstPacket(self.id))
        return True

    def _switch(self, ssrc: int, now: float) -> None:
        """Another stream from the believed source: numbers begin anew."""
        if self.remote_ssrc is not None:
            self._note(Mark.STATE, "ssrc_changed", now)
            self.earlier = self.totals
            self.stats = ReceiveStats(self.codec.clock_hz)
            self._write(self.line.restart(now) if self.line else [])
        self.remote_ssrc = ssrc

    def _believes(self, seen: Seen, now: float) -> bool:
        """Whether a packet that is not simply the next one is of use."""
        if seen is Seen.RESTARTED:
            self._note(Mark.STATE, "sequence_restarted", now)
            self._write(self.line.restart(now) if self.line else [])
        elif seen is not Seen.LATE:
            self._drop(f"sequence_{seen.value}", now)
            return False
        return True

    def receive_rtcp(self, data: bytes, source: Endpoint, now: float) -> None:
        """Take a datagram from the RTCP socket. Only the host the RTP comes from, or should, is believed."""
        expected = self.latch.source or self.stream.remote
        if source[0] not in (expected[0], self.stream.remote_rtcp[0]):
            self._drop("rtcp_stranger", now)
            return
        try:
            self.reports.receive(data if self.protection is None else self.protection.unprotect_rtcp(data), now)
        except BadPacket as bad:
            self._drop(bad.reason, now)
            return
        if self.outgoing is not None and self.reports.heard is not None:
            self.outgoing.expect_loss(self.reports.heard.fraction_lost / 256)
        self._rtcp_source = source
        self._vigil.sign(now)

    def _key(self, digit: Digit | None, now: float) -> None:
        if digit is not None:
            self.key(digit.digit, digit.duration_ms, now)

    def key(self, digit: str, duration_ms: int, now: float) -> None:
        """The far end pressed a key."""
        if self.hush is not None:
            self.hush.spoke(now)
        self._wiring.emit(plane.Digit(self.id, digit, duration_ms))

    # --- addresses ----------------------------------------------------------------------------------------------

    @property
    def rtcp_destination(self) -> Endpoint:
        """Where RTCP goes: back where it came from; before that, where signalling or the latched source say."""
        if self._rtcp_source is not None:
            return self._rtcp_source
        if self.destination == self.stream.remote:
            return self.stream.remote_rtcp
        host, port = self.destination
        return host, min(port + 1, 65_535)

    # --- timers -------------------------------------------------------------------------------------------------

    def start(self, now: float, since: float | None = None) -> None:
        """RTP leaves, and is waited for, from now on; it first left at `since`, where another engine began."""
        self.started = now if since is None else since
        if self.latch.heard is not None:
            self.latch.heard = now  # a stranger does not profit from the moment nobody listened
        self.marker = True
        self._vigil.begin(now)
        self.reports.start(now)
        self._rarely_due = now
        self._want_timers(now)

    def expect(self, now: float) -> None:
        """RTP of the far end is waited for from now on: the call was answered, after early media."""
        self._vigil.begin(now)

    def listen(self, on: bool, now: float) -> None:
        """The AI hears the far end from now on, or no longer."""
        self._listening = on
        self._open_line(now)

    def _open_line(self, now: float) -> None:
        """A new time line, where there is anybody to listen. What has to be decoded to be looked at always has one."""
        self.inbox.clear()
        self.line = None
        if self._listening or self.outgoing is not None:
            options, codec = self._options, self.codec
            self.line = Timeline(now, codec.clock_hz, options.reorder_wait_ms, options.fill_after_ms, codec.units)
            self._want_timers(self.line.due)

    def _want_timers(self, when: float) -> None:
        if when < self.due:
            self.due = when
            self._wiring.due(when)

    def handle_timers(self, now: float) -> None:
        """Do what is due, except for reports, which need the table."""
        line = self.line
        if line is not None and line.due <= now:
            self._write(line.handle_timers(now))
        if self._rarely_due <= now:
            self._handle_rare_timers(now)

    def next_timer(self) -> float:
        """When `handle_timers` is wanted next."""
        line = self.line
        self.due = self._rarely_due if line is None or line.due > self._rarely_due else line.due
        return self.due

    def _handle_rare_timers(self, now: float) -> None:
        """What is not due at every packet."""
        self._key(self._digits.handle_timers(now), now)
        self._wiring.keep(self)
        look_again = now + _LOOK_AGAIN  # packets do not arm timers
        if not self.stream.held:
            silent = self._vigil.handle_timers(now)
            if silent is not None:
                self._wiring.emit(plane.Inactive(self.id, round(silent, 1), self.latch.heard is None))
            look_again = min(self._vigil.next_timer(), look_again)
            if self.hush is not None:
                if silence := self.hush.handle_timers(now):
                    self._wiring.emit(plane.NobodySpeaks(self.id, *(round(seconds, 1) for seconds in silence)))
                look_again = min(self.hush.next_timer(), look_again)
        rarely = ceil(min(look_again, self.reports.due) / _COARSE) * _COARSE
        self._rarely_due = min(self._digits.next_timer() or _NEVER, rarely)

    @property
    def received(self) -> int:
        """The highest sequence number of the far end; with SRTP, its upper bits are the rollover counter."""
        if self.protection is None or self.remote_ssrc is None:
            return self.extended
        return self.protection.received(self.remote_ssrc, self.extended)

    @property
    def totals(self) -> plane.StreamStats:
        """Received over all streams the far end has sent."""
        return added(self.earlier, self.stats)

    def begin_talking(self, now: float) -> bool:
        """See `Sending`; the table is told of the first words."""
        first = super().begin_talking(now)
        if first:
            self._wiring.keep(self)
        return first

    def _drop(self, reason: str, now: float) -> None:
        self.drops[reason] += 1
        self._note(Mark.DROP, reason, now)

    def _note(self, mark: Mark, name: str, now: float, detail: str = "") -> None:
        self._wiring.trace(Note(now, "media", mark, name, self.call, detail))
