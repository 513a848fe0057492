"""Writes the sound of a capture's calls as WAV files: one a party, in step with each other, gaps true to time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct
from typing import BinaryIO

import numpy as np

from sipgw.flow import Endpoint
from sipgw.rtp.packet import BadPacket, header, is_rtcp
from sipgw.rtp.stamps import step
from sipgw.tools.capture.codecs import BESIDE_SPEECH, STATIC, readable
from sipgw.tools.capture.datagrams import datagrams
from sipgw.tools.capture.model import Capture, Stream
from sipgw.tools.wav import Pcm, WavError
from sipgw_codecs.g711 import G711
from sipgw_codecs.registry import LAWS

RATE_HZ = 8000
_HEADER = Struct("<4sI4s4sIHHIIHH4sI")
_MOST_SAMPLES = 6 * 3600 * RATE_HZ
"""Six hours; what comes later is left out."""
_MOST_OPEN = 128
"""Files open at the same time."""
_OFF = 0.5
"""Seconds the sender's timestamps may stray from the clock before they are laid anew."""
_StreamKey = tuple[Endpoint, Endpoint, int]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the streams."""

    files: tuple[Path, ...]
    not_decodable: tuple[str, ...]
    """Codecs that we have no decoder for, and `SRTP`."""


@dataclass(slots=True)
class _Track:
    """One WAV file that is being written; between what is put into it, it holds zeros, which are silence."""

    path: Path
    began: float
    """Seconds since 1970 of its first sample."""
    samples: int = 0


@dataclass(slots=True)
class _Files:
    """Writes tracks, with a bounded number of files open."""

    _open: dict[Path, BinaryIO] = field(default_factory=dict)

    def write(self, track: _Track, start: int, pcm: Pcm) -> None:
        """Put samples in their place."""
        if start < 0 or start + len(pcm) > _MOST_SAMPLES:
            return
        file = self._of(track)
        file.seek(_HEADER.size + 2 * start)
        file.write(pcm.astype("<i2").tobytes())
        track.samples = max(track.samples, start + len(pcm))

    def finish(self, tracks: Sequence[_Track]) -> Iterator[Path]:
        """Write the headers; gives the files that have any sound."""
        for track in tracks:
            if track.samples:
                file = self._of(track)
                file.seek(0)
                file.write(_wav_header(track.samples))
                yield track.path
        self.close()

    def close(self) -> None:
        """Close what is open."""
        while self._open:
            self._open.popitem()[1].close()

    def _of(self, track: _Track) -> BinaryIO:
        file = self._open.get(track.path)
        if file is None:
            if len(self._open) >= _MOST_OPEN:
                self._open.pop(next(iter(self._open))).close()
            file = self._open[track.path] = track.path.open("r+b" if track.samples else "wb")
        return file


@dataclass(slots=True)
class _Placing:
    """Where the samples of one stream go."""

    track: _Track
    decoders: dict[int, G711]
    """By payload type."""
    _origin: float | None = None
    """Seconds in the file at which the unwrapped timestamp was 0."""
    _timestamp: int = 0
    _unwrapped: int = 0

    def place(self, when: float, timestamp: int) -> int:
        """The sample of the file at which a packet belongs.

        The sender's timestamps say so, from where the stream began on the clock; once they have strayed from the clock
        (a jump, a pause that they do not count), they are laid anew.
        """
        self._unwrapped += step(self._timestamp, timestamp)
        self._timestamp = timestamp
        at, said = when - self.track.began, self._unwrapped / RATE_HZ
        if self._origin is None or abs(self._origin + said - at) > _OFF:
            self._origin = at - said
        return round((self._origin + said) * RATE_HZ)


def write_wavs(capture: Capture, folder: Path) -> Written:
    """Write `call-1-caller.wav`, `call-1-callee.wav`, …, and `rtp-1.wav` for streams of no call, in a second pass.

    Both files of a call begin at the same time, with its first packet of sound, so that they play in step.

    Raises:
        WavError: a file cannot be written.
        CaptureError: the capture cannot be read again.
    """
    placings: dict[_StreamKey, _Placing] = {}
    tracks: list[_Track] = []
    for names, streams in _groups(capture):
        _plan(folder, names, [s for s in streams if _decoders(s)], placings, tracks)
    files = _Files()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _copy(capture.path, placings, files)
        return Written(tuple(files.finish(tracks)), _not_decodable(capture))
    except OSError as error:
        raise WavError(f"{folder} cannot be written to: {error.strerror or error}") from None
    finally:
        files.close()


def _groups(capture: Capture) -> Iterator[tuple[str, Sequence[Stream]]]:
    """What plays together, with the beginning of its files' names."""
    for number, call in enumerate(capture.calls, 1):
        yield f"call-{number}", call.streams
    for number, stream in enumerate(capture.streams, 1):
        yield f"rtp-{number}", [stream]


def _plan(
    folder: Path, name: str, streams: Sequence[Stream], placings: dict[_StreamKey, _Placing], tracks: list[_Track]
) -> None:
    """A file for each party that sends; parties that nobody knows are told apart by their endpoints."""
    by_sender: dict[str, _Track] = {}
    for stream in streams:
        endpoint = f"{stream.source[0].replace(':', '_')}-{stream.source[1]}" if len(streams) > 1 else ""
        sender = stream.sender or endpoint
        if sender not in by_sender:
            path = folder / f"{name}{'-' if sender else ''}{sender}.wav"
            by_sender[sender] = _Track(path, min(one.first for one in streams))
            tracks.append(by_sender[sender])
        placings[stream.source, stream.destination, stream.ssrc] = _Placing(by_sender[sender], _decoders(stream))


def _decoders(stream: Stream) -> dict[int, G711]:
    """How to decode each payload type of a stream; empty where we cannot."""
    if stream.encrypted:
        return {}
    main = max(stream.payload_types, key=lambda number: stream.payload_types[number], default=-1)
    names = {number: STATIC[number].name for number in stream.payload_types if number in STATIC}
    if stream.codec not in BESIDE_SPEECH:
        names.setdefault(main, stream.codec)
    return {number: LAWS[name] for number, name in names.items() if name in LAWS}


def _not_decodable(capture: Capture) -> tuple[str, ...]:
    streams = [*capture.streams, *(stream for call in capture.calls for stream in call.streams)]
    speech = [s for s in streams if s.codec not in BESIDE_SPEECH and not _decoders(s)]
    return tuple(sorted({"SRTP" if s.encrypted else readable(s.codec) for s in speech}))


def _copy(path: Path, placings: dict[_StreamKey, _Placing], files: _Files) -> None:
    """Decode every packet of the planned streams into its file."""
    if not placings:
        return
    for when, source, destination, data in datagrams(path):
        if len(data) < 12 or data[0] >> 6 != 2 or is_rtcp(data):
            continue
        placing = placings.get((source, destination, int.from_bytes(data[8:12], "big")))
        if placing is None:
            continue
        try:
            payload_type, _, _, timestamp, _, start, end = header(data)
        except BadPacket:
            continue
        decoder = placing.decoders.get(payload_type)
        if decoder is not None:
            pcm = decoder.decode(np.frombuffer(data[start:end], np.uint8))
            files.write(placing.track, placing.place(when, timestamp), pcm)


def _wav_header(samples: int) -> bytes:
    """Of 16-bit mono PCM."""
    size = 2 * samples
    sizes = (b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16, b"data", size)
    return _HEADER.pack(*sizes)
