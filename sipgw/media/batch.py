"""The batch engine: all sessions of a worker, 50 times a second, in a few numpy passes.

Datagrams in, audio for the AIs out (`receive`, `decode`); AI audio in, datagrams out (`playout`, `tick`). It does no
I/O and reads no clock. Its counters are the state table's.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random, SystemRandom

import numpy as np

from sipgw.ai.events import AudioFormat, CallerSpeech
from sipgw.audio.level import fade_out
from sipgw.audio.playout import Cleared, MarkReached, Playout, PlayoutEvent
from sipgw.errors import UsageError
from sipgw.flow import Endpoint, is_nowhere
from sipgw.media import plane
from sipgw.media.convert import LAWS, Inward, Resamplers
from sipgw.media.cover import FORMAT, PromptEnded
from sipgw.media.hearing import Hearing
from sipgw.media.held import Held
from sipgw.media.hush import Hush
from sipgw.media.lane import Departure
from sipgw.media.reports import Reports
from sipgw.media.session import Session
from sipgw.media.table import Table
from sipgw.media.tally import kept, summary
from sipgw.media.tap import Tap
from sipgw.media.wheel import Wheel
from sipgw.media.wiring import Wiring
from sipgw.options import MediaOptions
from sipgw.rtp.srtp import Resumption
from sipgw.trace import Mark, Note, Trace, silent

_NEVER = float("inf")
_REPORT_LEAST = 1.0
"""Seconds between two RTCP packets of ours, at least."""
_REPORTS_AHEAD = 16


@dataclass(frozen=True, slots=True)
class Happened:
    """Something a session's conversation wants to know; it does not cross the seam."""

    session: str
    event: PlayoutEvent | CallerSpeech | PromptEnded


Receive = Callable[[bytes, Endpoint, float], None]
"""Takes a datagram, its source and the time."""
EngineEvent = plane.Event | Happened


class Engine:
    """Every session of one worker.

    Args:
        options: the media plane's settings.
        table: where the counters live; by default in this process.
        trace: takes the engine's notes.
        random: draws SSRCs and first numbers, which must not be guessed (RFC 3550 section 5.1), and RTCP's intervals.
        unix_offset: seconds to add to `now` for the time of day.
    """

    def __init__(
        self,
        options: MediaOptions,
        *,
        table: Table | None = None,
        trace: Trace = silent,
        random: Random | None = None,
        unix_offset: float = 0.0,
    ) -> None:
        self._options, self._trace = options, trace
        self._table = table or Table.of(options.pairs)
        self._random = random or SystemRandom()
        self._unix_offset = unix_offset
        self._resamplers = Resamplers(len(self._table))
        self._wheel = Wheel(self._table, self._resamplers)
        self._inward: dict[tuple[str, AudioFormat], Inward] = {}
        self._sessions: dict[str, Session] = {}
        self._by_slot: list[Session | None] = [None] * len(self._table)
        self._ready: list[Session] = []
        self._held = Held(self._table)
        self._waiting: dict[int, Session] = {}
        """Who would send if the far end were known, by slot."""
        self._events: list[EngineEvent] = []
        self._rtcp: list[tuple[int, bytes, Endpoint]] = []
        self._talkative: list[Session] = []
        """Whose playout has something to tell."""
        self._wiring = Wiring(
            self._events.append, self._ready.append, self._latched, self._want_timers, self._keep, trace
        )
        self._due = 0.0
        """Before this no session has a timer due."""
        self._now = 0.0

    def __len__(self) -> int:
        return len(self._sessions)

    # --- sessions -----------------------------------------------------------------------------------------------

    def create(self, command: plane.CreateSession, now: float) -> int:
        """A new session, or one that goes on; returns its slot, by which its packets are handed in.

        Raises:
            Unavailable: all slots are taken.
            UsageError: the session is there already, or its codec is unknown.
        """
        if command.session in self._sessions:
            raise UsageError(f"session {command.session!r} exists")
        after = command.after or self._drawn()
        reports = Reports(after.ssrc, after.cname, self._random.random, self._unix_offset)
        slot = self._table.claim(
            command.call, command.session, after.ssrc, after.sequence, after.timestamp, after.cname
        )
        first = after.sequence - after.stats.sent_packets
        try:
            session = Session(slot, command, first, self._options, reports, self._wiring)
        except UsageError:
            self._table.release(slot)
            raise
        self._sessions[command.session] = self._by_slot[slot] = session
        self._table.write(slot, first_sequence=first, sent_ms=after.sent_ms)
        self._now = now
        session.protect(_resumption(command.after, now))
        session.listen(False, now)
        if after.started is not None:
            self._begin(session, now, after.started)
        return slot

    def _drawn(self) -> plane.Continuation:
        """The numbers of a session that begins."""
        draw = self._random.getrandbits
        ssrc, sequence, cname = draw(32), draw(15), f"{draw(64):016x}"
        return plane.Continuation(ssrc, sequence, draw(32), cname)

    def start(self, session: str, now: float) -> None:
        """RTP leaves from now on, the first packet within a packet interval; if it does already, it is waited for."""
        one = self._get(session)
        if one.started is None:
            self._begin(one, now)
        else:
            one.expect(now)

    def _begin(self, session: Session, now: float, since: float | None = None) -> None:
        session.start(now, since)
        self._route(session, now)
        self._keep(session)

    def update(self, command: plane.UpdateSession, now: float) -> None:
        """The stream changed: addresses, types, codec, packet interval or direction. Our numbers go on unbroken."""
        one = self._get(command.session)
        self._unroute(one, now)
        codec, before = one.codec, one.stream
        source, received = one.remote_ssrc, one.received
        one.change(command.stream, now)
        if one.stream.srtp != before.srtp:
            if _begins_anew(before, one.stream):
                self._table.sequence[one.slot] &= 0xFFFF
            sent = int(self._table.sequence[one.slot])
            one.protect(Resumption(sent, 0, source, received, sure=False))
        if one.audio is not None and one.codec is not codec:
            self._attach(one, one.audio)
        if one.started is not None:
            self._route(one, now)

    def destroy(self, session: str, now: float) -> plane.StreamStats:
        """End a session; an RTCP BYE is to be sent (`rtcp_to_send`) before its sockets are closed."""
        one = self._get(session)
        if one.started is not None:
            bye = one.reports.goodbye(one.stats, one.remote_ssrc, self._sent(one, now), now)
            self._post(one, bye)
        stats = summary(one, self._sent(one, now)[1])
        self.set_audio(session, None)
        self._unroute(one, now)
        self._table.release(one.slot)
        self._by_slot[one.slot] = None
        del self._sessions[session]
        return stats

    def _get(self, session: str) -> Session:
        found = self._sessions.get(session)
        if found is None:
            raise UsageError(f"no session {session!r}")
        return found

    def _route(self, session: Session, now: float) -> None:
        """Send in a lane, or only now and then while the far end does not want to hear us, or is nowhere yet."""
        if session.stream.sending and not is_nowhere(session.destination):
            self._wheel.add(session)
            return
        session.stop_keys()
        self._held.add(session, now)
        if session.stream.sending:
            self._waiting[session.slot] = session

    def _unroute(self, session: Session, now: float) -> None:
        self._wheel.remove(session)
        self._held.remove(session, now)
        self._waiting.pop(session.slot, None)

    def _latched(self, slot: int, source: Endpoint, now: float) -> None:
        """A source is believed: who has waited for that may send."""
        self._table.latch(slot, source)
        if session := self._waiting.get(slot):
            self._unroute(session, now)
            self._route(session, now)

    # --- conversations ------------------------------------------------------------------------------------------

    def set_audio(self, session: str, audio: AudioFormat | None, live: bool = False) -> None:
        """Carry audio in this format to and from a conversation; None ends it: nothing is decoded, silence is sent.

        Args:
            live: the AI's audio is paced in real time, so that a standing queue of it is delay.
        """
        one = self._get(session)
        one.talking = one.tail = False
        self._resamplers.reset(one.slot)
        if one.inward is not None:
            one.inward.forget(one.slot)
        if audio is None:
            one.audio = one.playout = one.inward = one.hearing = None
            one.listen(False, self._now)
            return
        self._attach(one, audio)
        one.playout = self._playout(one, audio, live)
        one.listen(True, self._now)

    def _attach(self, session: Session, audio: AudioFormat) -> None:
        """Convert between the session's codec and `audio` from now on."""
        key = session.sound.name, audio
        if key not in self._inward:
            self._inward[key] = Inward(session.sound, audio, self._resamplers)
        session.audio, session.inward = audio, self._inward[key]
        if session.hearing is not None:
            session.hearing = Hearing(session.sound)

    def _playout(self, session: Session, audio: AudioFormat, live: bool) -> Playout:
        notify = partial(self._talkative.append, session)
        law = LAWS.get(audio)
        if law is None:
            return Playout(audio.rate_hz, live=live, notify=notify)

        def fade(payload: bytes) -> bytes:
            pcm = law.decode(np.frombuffer(payload, np.uint8))
            return law.encode(fade_out(pcm, law.sample_rate_hz)).tobytes()

        return Playout(audio.rate_hz, 1, bytes([law.silence_byte]), fade, live=live, notify=notify)

    def playout(self, session: str) -> Playout:
        """What is queued for the far end.

        Raises:
            UsageError: the session has no conversation.
        """
        found = self._get(session).playout
        if found is None:
            raise UsageError(f"session {session!r} has no conversation")
        return found

    def clear(self, session: str) -> Cleared:
        """Drop what is queued: after the next packet, which fades out, no speech leaves."""
        return self.playout(session).clear()

    def cover(self, session: str, prompt: bytes) -> None:
        """Play a prompt, PCM16 at 24 kHz, instead of what the conversation says; `PromptEnded` follows.

        One that plays goes on with this one.
        """
        one = self._get(session)
        if one.cover is None:
            one.cover = Playout(FORMAT.rate_hz, notify=partial(self._talkative.append, one))
        one.cover.add(prompt)
        one.cover.mark("")

    def uncover(self, session: str) -> None:
        """End the prompt: after the next packet, which fades out, nothing of it leaves."""
        cover = self._get(session).cover
        if cover is not None:
            cover.clear()

    def press(self, command: plane.SendDigits) -> None:
        """Send keys in place of sound; `DigitsSent` follows."""
        self._get(command.session).press(command.digits, command.duration_ms, command.gap_ms)

    def note_digit(self, command: plane.NoteDigit, now: float) -> None:
        """The far end pressed a key in signalling; `Digit` follows as for one in RTP."""
        self._get(command.session).key(command.digit, command.duration_ms, now)

    def watch_silence(self, command: plane.WatchSilence, now: float) -> None:
        """Tell when neither side has spoken for so long; `NobodySpeaks` follows."""
        one = self._get(command.session)
        one.hush = Hush(one.sound, command.seconds, now) if command.seconds else None

    def set_vad(self, session: str, on: bool) -> None:
        """Listen for the caller's speech ourselves; `CallerSpeech` follows."""
        one = self._get(session)
        one.hearing = Hearing(one.sound) if on else None

    def tap(self, session: str, tap: Tap | None) -> None:
        """Show a recording what passes both ways from now on; None ends it."""
        one = self._get(session)
        one.tap = tap
        if lane := self._wheel.lane(one):
            lane.retap()

    # --- the far end's packets ----------------------------------------------------------------------------------

    def receivers(self, slot: int) -> tuple[Receive, Receive]:
        """What takes the datagrams of a session's RTP and RTCP sockets: `receive` and `receive_rtcp`, but faster."""
        session = self._by_slot[slot]
        if session is None:
            raise UsageError(f"no session in slot {slot}")
        return session.receive, session.receive_rtcp

    def receive(self, slot: int, data: bytes, source: Endpoint, now: float) -> None:
        """Take a datagram that came to a session's RTP socket. Returns for any bytes whatever."""
        session = self._by_slot[slot]
        if session is not None:
            session.receive(data, source, now)

    def receive_rtcp(self, slot: int, data: bytes, source: Endpoint, now: float) -> None:
        """Take a datagram that came to a session's RTCP socket."""
        session = self._by_slot[slot]
        if session is not None:
            session.receive_rtcp(data, source, now)

    def decode(self, now: float) -> list[tuple[str, bytes]]:
        """What the AIs are to hear of everything received since the last time: session and audio."""
        if not self._ready:
            return []
        self._now = now
        groups: dict[Inward, tuple[list[Session], list[bytes]]] = defaultdict(lambda: ([], []))
        for session in self._ready:
            if not session.inbox:
                continue
            sound = session.take_audio(now)
            if session.inward is None:
                continue
            sessions, sounds = groups[session.inward]
            sessions.append(session)
            sounds.append(sound)
            if session.hearing is not None:
                self._hear(session, session.hearing, sound)
        self._ready.clear()
        decoded: list[tuple[str, bytes]] = []
        for inward, (sessions, sounds) in groups.items():
            audio = inward.convert([session.slot for session in sessions], sounds)
            decoded += [(session.id, piece) for session, piece in zip(sessions, audio, strict=True) if piece]
        return decoded

    def _hear(self, session: Session, hearing: Hearing, sound: bytes) -> None:
        for speaking in hearing.heard(sound):
            self._events.append(Happened(session.id, CallerSpeech(speaking)))

    # --- our packets --------------------------------------------------------------------------------------------

    def tick(self, number: int, now: float, missed: int = 0) -> list[Departure]:
        """The packets due at a 5 ms sub-tick: slot, datagram, destination.

        A session with 20 ms packets is due at every fourth. The datagrams are overwritten at a later tick.

        Args:
            number: counts sub-ticks, missed ones too.
            missed: how many before this one were not served. Their packets leave now, but never two of a session:
                beyond one, timestamps go on, with the marker, and live queues are trimmed.
        """
        self._now = now
        if missed:
            self._trace(Note(now, "media", Mark.TIMER, "ticks_missed", detail=str(missed)))
        return self._wheel.tick(number, now, missed) + self._held.tick(now)

    # --- time and events ----------------------------------------------------------------------------------------

    def handle_timers(self, now: float) -> None:
        """Do what is due: concealment, fill, keys without an end, silence of the far end, reports."""
        self._now = now
        if now < self._due:
            return
        due = _NEVER
        for session in self._sessions.values():
            if session.next_timer() <= now:
                if session.reports.due <= now:
                    self._report(session, now)
                session.handle_timers(now)
                session.next_timer()
            if session.due < due:
                due = session.due
        self._due = due

    def _want_timers(self, when: float) -> None:
        if when < self._due:
            self._due = when

    def _report(self, session: Session, now: float) -> None:
        data = session.reports.report(session.stats, session.remote_ssrc, self._sent(session, now), now)
        self._post(session, data)

    def _post(self, session: Session, report: bytes) -> None:
        if not is_nowhere(session.rtcp_destination):
            self._rtcp.append((session.slot, session.sealed_rtcp(report), session.rtcp_destination))

    def _keep(self, session: Session) -> None:
        self._table.write(session.slot, octets=self._octets(session), **kept(session))

    def _sent(self, session: Session, now: float) -> tuple[int, int, int]:
        """RTP timestamp at `now`, packets and octets sent."""
        packets = int(self._table.sequence[session.slot]) - session.first_sequence
        timestamp = int(self._table.timestamp[session.slot]) + self._held.passed(session, now)
        return timestamp, packets, self._octets(session)

    def _octets(self, session: Session) -> int:
        lane = self._wheel.lane(session)
        return lane.octets(session) if lane else session.octets

    def rtcp_to_send(self) -> list[tuple[int, bytes, Endpoint]]:
        """Take the RTCP datagrams to send: slot, datagram, destination."""
        taken, self._rtcp = self._rtcp, []
        return taken

    def events(self) -> list[EngineEvent]:
        """Take what has happened: for control (the seam's events) and for the conversations (`Happened`)."""
        if self._talkative:
            self._ask_playouts()
        if not self._events:
            return []
        taken = self._events.copy()
        self._events.clear()
        return taken

    def _ask_playouts(self) -> None:
        for session in self._talkative:
            if session.playout is not None:
                self._events += [Happened(session.id, event) for event in session.playout.events()]
            if session.cover is not None and any(isinstance(event, MarkReached) for event in session.cover.events()):
                self._events.append(Happened(session.id, PromptEnded()))
        self._talkative.clear()


def _begins_anew(before: plane.Stream, after: plane.Stream) -> bool:
    """Whether our rollover counter begins at 0: who is somewhere else need not know it (RFC 4568 section 7.1.4)."""
    if before.srtp is None or after.srtp is None:
        return True
    return before.srtp.ours != after.srtp.ours and before.remote != after.remote


def _resumption(after: plane.Continuation | None, now: float) -> Resumption | None:
    """Where SRTP goes on that was cut off elsewhere."""
    if after is None:
        return None
    reports = 0 if after.started is None else _REPORTS_AHEAD + int((now - after.started) / _REPORT_LEAST)
    return Resumption(after.sequence, reports, after.receive_ssrc or None, after.receive_sequence)
