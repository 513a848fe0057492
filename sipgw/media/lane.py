"""Sessions that send the same codec at the same packet interval in the same phase: one pass makes all their packets.

Sequence numbers and timestamps are counted up in the state table for the whole lane at once. What a packet carries is
the matter of the two kinds: `table_lane` for codecs that are tables, `coder_lane` for those with an encoder a session.
"""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from sipgw.ai.events import AudioFormat
from sipgw.audio.playout import Playout
from sipgw.flow import Endpoint
from sipgw.media.convert import Outward, Pcm, Resamplers
from sipgw.media.cover import FORMAT, covered
from sipgw.media.keys import Keys
from sipgw.media.session import Session
from sipgw.media.table import Table
from sipgw.rtp.packet import pack
from sipgw_codecs.registry import Codec

Departure = tuple[int, memoryview, Endpoint]
"""Slot, datagram and destination. The datagram is overwritten when its lane is due next."""

HEADER = 12
_MARKER = 0x80
_VERSION_2 = 0x80


class _Outlet:
    """What a lane sends of one format: the frames of this tick, and what converts them."""

    __slots__ = ("converter", "frames", "has_tail", "indices", "silence", "size")

    def __init__(self, converter: Outward, size: int) -> None:
        self.converter, self.size, self.silence = converter, size, bytes(size)
        self.has_tail = converter.has_tail
        self.indices: list[int] = []
        """Of the sessions the frames are from."""
        self.frames: list[bytes] = []


class Lane(ABC):
    """One codec, packet interval and phase.

    Args:
        ptime_ms: packet interval.
    """

    __slots__ = (
        "_dirty", "_one", "_outlets", "_pressing", "_ptime", "_resamplers", "_samples", "_sealed", "_second",
        "_sequence", "_sequences", "_slots", "_speaking", "_step", "_table", "_tapped", "_timestamp", "_timestamps",
        "_types", "codec", "ptime_ms", "sessions",
    )  # fmt: skip

    def __init__(self, codec: Codec, ptime_ms: int, table: Table, resamplers: Resamplers) -> None:
        self.codec, self.ptime_ms = codec, ptime_ms
        self.sessions: list[Session] = []
        self._table, self._resamplers = table, resamplers
        self._samples = codec.clock_hz * ptime_ms // 1000
        self._outlets: dict[AudioFormat, _Outlet] = {}
        self._one, self._step, self._ptime = np.uint64(1), np.uint32(self._samples), np.uint64(ptime_ms)
        self._speaking: list[int] = []
        self._pressing: list[tuple[int, Keys]] = []
        """Sessions that send keys at this tick, and have no sound to send."""
        self._rebuild()

    # --- who sends ----------------------------------------------------------------------------------------------

    def add(self, session: Session) -> None:
        """A session sends here from the next tick on."""
        self.sessions.append(session)
        self._rebuild()

    def remove(self, session: Session) -> None:
        """A session sends here no longer."""
        self.sessions.remove(session)
        self._rebuild()

    def retap(self) -> None:
        """A session's tap was opened or closed."""
        self._tapped = [index for index, session in enumerate(self.sessions) if session.tap is not None]

    def octets(self, session: Session) -> int:
        """Payload octets a session has sent in all."""
        return session.octets

    def _rebuild(self) -> None:
        """Arrays for the sessions there are now; only marker, numbers and payload change from tick to tick."""
        count, width = len(self.sessions), self._width()
        row = np.dtype(
            [("first", "u1"), ("second", "u1"), ("sequence", ">u2"), ("timestamp", ">u4"), ("ssrc", ">u4"),
             ("payload", "u1", (width,))]
        )  # fmt: skip
        rows = np.zeros(count, row)
        self._slots: NDArray[np.intp] = np.array([session.slot for session in self.sessions], np.intp)
        self._types = np.array([session.stream.send_type for session in self.sessions], np.uint8)
        rows["first"], rows["second"], rows["ssrc"] = _VERSION_2, self._types, self._table.ssrc[self._slots]
        self._second, self._sequence, self._timestamp = rows["second"], rows["sequence"], rows["timestamp"]
        self._sequences, self._timestamps = self._table.sequence[self._slots], self._table.timestamp[self._slots]
        view, size = rows.view(np.uint8).data, HEADER + width
        self._arrange(rows["payload"], [view[at : at + size] for at in range(0, count * size, size)])
        self._dirty = False
        self._sealed = [index for index, session in enumerate(self.sessions) if session.protection is not None]
        self.retap()

    # --- what the kinds differ in -------------------------------------------------------------------------------

    @abstractmethod
    def _width(self) -> int:
        """Octets of payload in each row, behind the header."""

    @abstractmethod
    def _arrange(self, payloads: NDArray[np.uint8], rows: list[memoryview]) -> None:
        """Take new rows: their payloads, as an array, and each with its header."""

    @abstractmethod
    def _blank(self) -> None:
        """Silence for everybody, over what the last tick wrote."""

    @abstractmethod
    def _place(self, indices: list[int], sounds: "NDArray[np.uint8] | Pcm") -> None:
        """What these sessions say at this tick, a row a session, as the codec's sound."""

    @abstractmethod
    def _complete(self) -> None:
        """Everything that is said at this tick was placed."""

    @abstractmethod
    def _payload(self, index: int) -> bytes:
        """What a session's packet of this tick carries."""

    @abstractmethod
    def _sound(self, index: int) -> bytes:
        """The same as the codec's sound; empty where nothing is said."""

    @abstractmethod
    def _datagrams(self) -> list[memoryview]:
        """The packets of this tick, one a session."""

    # --- sending ------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> list[Departure]:
        """The packets that are due."""
        if not self.sessions:
            return []
        self._write_payloads(now)
        if self._tapped:
            self._keep(now)
        self._number()
        departures = [
            (session.slot, datagram, session.destination)
            for session, datagram in zip(self.sessions, self._datagrams(), strict=True)
        ]
        if self._pressing:
            self._press(departures)
        if self._sealed:
            self._seal(departures)
        return departures

    def skip(self, ticks: int) -> None:
        """Ticks were missed: time has passed, and packets that were not sent are not sent later."""
        self._timestamps += np.uint32(ticks * self._samples & 0xFFFFFFFF)
        self._table.timestamp[self._slots] = self._timestamps
        for session in self.sessions:
            session.marker = True
            playout, audio = session.playout, session.audio
            if playout is not None and audio is not None:
                playout.skip(ticks * audio.bytes_of(self.ptime_ms))

    def _seal(self, departures: list[Departure]) -> None:
        """Packets of sessions with SRTP are protected."""
        for index in self._sealed:
            slot, datagram, destination = departures[index]
            departures[index] = slot, memoryview(self.sessions[index].sealed(bytes(datagram))), destination

    def _press(self, departures: list[Departure]) -> None:
        """Keys in place of sound: packets of the same stream, by number and source (RFC 4733 section 2.5)."""
        for index, keys in self._pressing:
            session, timestamp = self.sessions[index], int(self._timestamp[index])
            packet = keys.next(timestamp)
            if not keys.left:
                session.keys = None
            kind = session.stream.dtmf_send_type
            if packet is None or kind is None:
                continue
            numbers = int(self._sequence[index]), packet.timestamp, int(self._table.ssrc[session.slot])
            datagram = memoryview(pack(kind, packet.marker, *numbers) + packet.payload)
            session.octets -= len(self._payload(index)) - len(packet.payload)
            departures[index] = session.slot, datagram, session.destination
        self._pressing.clear()

    def _keep(self, now: float) -> None:
        """What leaves goes to recordings, too."""
        name, timestamps = self.codec.name, self._timestamps.tolist()
        for index in self._tapped:
            tap = self.sessions[index].tap
            if tap is not None:
                tap.sent((now, timestamps[index], self._payload(index), name))

    def _number(self) -> None:
        """The next sequence number and timestamp of every session."""
        table, slots = self._table, self._slots
        self._sequence[:] = self._sequences  # its low 16 bits
        self._timestamp[:] = self._timestamps
        self._sequences += self._one
        self._timestamps += self._step
        table.sequence[slots] = self._sequences
        table.timestamp[slots] = self._timestamps

    def _write_payloads(self, now: float) -> None:
        """Speech where there is some; whatever the last tick wrote elsewhere becomes silence again."""
        if self._dirty:
            self._blank()
            self._second[:] = self._types
            self._dirty = False
        listening: list[int] = []
        for index, session in enumerate(self.sessions):
            cover = session.cover
            playout = session.playout if cover is None else covered(session, cover)
            if session.keys is not None:
                self._pressing.append((index, session.keys))
            elif playout is not None and (playout.active or session.tail):
                self._take(index, session, playout, now)
            if session.marker:
                session.marker, self._dirty = False, True
                self._second[index] |= _MARKER
            if session.hearing is not None or session.hush is not None:
                listening.append(index)
        for outlet in self._outlets.values():
            if outlet.indices:
                self._convert(outlet)
        self._complete()
        if self._speaking:
            self._table.sent_ms[self._speaking] += self._ptime
            self._speaking.clear()
        for index in listening:
            self._show(self.sessions[index], index, now)

    def _show(self, session: Session, index: int, now: float) -> None:
        """What we send comes back as echo; and it may be silence."""
        if session.hearing is not None:
            session.hearing.played(self._sound(index) if session.talking else b"")
        if session.hush is not None and session.talking:
            session.hush.said(self._sound(index), now)

    def _take(self, index: int, session: Session, playout: Playout, now: float) -> None:
        """Add a session's next frame, or the one that lets the filter's tail out, to those of its format."""
        audio = FORMAT if playout is session.cover else session.audio
        if audio is None:
            return
        outlet = self._outlets.get(audio) or self._open(audio)
        frame = playout.take(outlet.size)
        if frame is not None:
            if not session.talking:
                session.begin_talking(now)
            session.tail = outlet.has_tail
            self._speaking.append(session.slot)
        else:
            session.talking = False
            if not session.tail:
                return
            session.tail, frame = False, outlet.silence
        outlet.indices.append(index)
        outlet.frames.append(frame)

    def _open(self, audio: AudioFormat) -> _Outlet:
        outlet = _Outlet(Outward(self.codec.sound, audio, self._resamplers), audio.bytes_of(self.ptime_ms))
        return self._outlets.setdefault(audio, outlet)

    def _convert(self, outlet: _Outlet) -> None:
        """Place what an outlet's frames are in the codec's sound."""
        self._dirty = True
        indices, frames = outlet.indices, outlet.frames
        outlet.indices, outlet.frames = [], []
        slots = self._slots if len(indices) == len(self.sessions) else self._slots[np.array(indices)]
        self._place(indices, outlet.converter.convert(slots, frames))
