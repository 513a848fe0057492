"""Converts frames of many sessions at once between what a leg's codec carries and what its AI speaks.

G.711 towards an AI that takes the same law goes straight through, the other law by one table of 256 bytes; PCM16 by
table and FIR.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sipgw.ai.events import AudioFormat
from sipgw.audio.resample import Resampler, Slots, to_int16
from sipgw_codecs.g711 import PCMA, PCMA_TO_PCMU, PCMU, PCMU_TO_PCMA
from sipgw_codecs.registry import Codec

Bytes = NDArray[np.uint8]
Pcm = NDArray[np.int16]

_NARROW_HZ = 8000
_PARAGRAPH = 16
"""Samples the resampler takes at a time; a packet that is no multiple leaves a remainder for the next."""

LAWS: dict[AudioFormat, Codec] = {AudioFormat.PCMU_8K: PCMU, AudioFormat.PCMA_8K: PCMA}
_TRANSCODING = {(PCMU.name, PCMA.name): PCMU_TO_PCMA.tobytes(), (PCMA.name, PCMU.name): PCMA_TO_PCMU.tobytes()}


def transcoding(source: Codec, target: Codec) -> bytes | None:
    """The table for `bytes.translate`, or None where both are the same."""
    return None if source.name == target.name else _TRANSCODING[source.name, target.name]


class Resamplers:
    """The resamplers of all sessions: one for each ratio in use, with a slot for every session."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._made: dict[tuple[int, int], Resampler] = {}

    def up(self, rate_hz: int) -> Resampler:
        """From 8 kHz to `rate_hz`."""
        return self._get(rate_hz // _NARROW_HZ, 1)

    def down(self, rate_hz: int) -> Resampler:
        """From `rate_hz` to 8 kHz."""
        return self._get(1, rate_hz // _NARROW_HZ)

    def reset(self, slot: int) -> None:
        """Forget a session's audio."""
        for resampler in self._made.values():
            resampler.reset(slot)

    def _get(self, up: int, down: int) -> Resampler:
        if (up, down) not in self._made:
            self._made[up, down] = Resampler(up, down, self._slots)
        return self._made[up, down]


class Inward:
    """From one codec to one audio format of the AI's side."""

    def __init__(self, codec: Codec, audio: AudioFormat, resamplers: Resamplers) -> None:
        self._codec = codec
        self._is_law = audio in LAWS
        self._translation = transcoding(codec, LAWS[audio]) if self._is_law else None
        self._resampler = resamplers.up(audio.rate_hz) if audio.rate_hz > _NARROW_HZ else None
        self._remainders: dict[int, bytes] = {}

    def convert(self, slots: Sequence[int], payloads: Sequence[bytes]) -> list[bytes]:
        """Audio for the AI, a piece a payload, in the same order; one may be empty."""
        if self._is_law:
            table = self._translation
            return [payload.translate(table) for payload in payloads] if table else list(payloads)
        lengths = set(map(len, payloads))
        if self._resampler is not None and (self._remainders or any(length % _PARAGRAPH for length in lengths)):
            payloads = [self._cut(slot, payload) for slot, payload in zip(slots, payloads, strict=True)]
            lengths = set(map(len, payloads))
        if len(lengths) == 1 and 0 not in lengths:
            return self._batch(slots, payloads)
        return self._by_length(slots, payloads)

    def forget(self, slot: int) -> None:
        """The session has gone, or speaks another format."""
        self._remainders.pop(slot, None)

    def _cut(self, slot: int, payload: bytes) -> bytes:
        """What can be resampled now; the rest, less than 2 ms, goes before the next payload."""
        payload = self._remainders.pop(slot, b"") + payload
        whole = len(payload) - len(payload) % _PARAGRAPH
        if whole < len(payload):
            self._remainders[slot] = payload[whole:]
        return payload[:whole]

    def _by_length(self, slots: Sequence[int], payloads: Sequence[bytes]) -> list[bytes]:
        groups: dict[int, list[int]] = defaultdict(list)
        for index, payload in enumerate(payloads):
            groups[len(payload)].append(index)
        converted = [b""] * len(payloads)
        for length, indices in groups.items():
            if length:
                batch = self._batch([slots[i] for i in indices], [payloads[i] for i in indices])
                for index, audio in zip(indices, batch, strict=True):
                    converted[index] = audio
        return converted

    def _batch(self, slots: Sequence[int], payloads: Sequence[bytes]) -> list[bytes]:
        codes = np.frombuffer(b"".join(payloads), np.uint8).reshape(len(payloads), -1)
        if self._resampler is None:
            pcm = self._codec.decode(codes)
        else:
            pcm = to_int16(self._resampler.process(np.array(slots), self._codec.decode_f32(codes)))
        audio, size = pcm.tobytes(), pcm.shape[1] * 2
        return [audio[at : at + size] for at in range(0, len(audio), size)]


class Outward:
    """From one audio format of the AI's side to one codec."""

    def __init__(self, codec: Codec, audio: AudioFormat, resamplers: Resamplers) -> None:
        self._codec = codec
        self._translation = transcoding(LAWS[audio], codec) if audio in LAWS else None
        self._is_law = audio in LAWS
        self._resampler = resamplers.down(audio.rate_hz) if audio.rate_hz > _NARROW_HZ else None

    @property
    def has_tail(self) -> bool:
        """Whether the frame after the last one still carries the filter's tail."""
        return self._resampler is not None

    def convert(self, slots: Slots, frames: Sequence[bytes]) -> Bytes:
        """Payloads, one row a frame; all frames are of one length."""
        joined = b"".join(frames)
        if self._is_law:
            if self._translation:
                joined = joined.translate(self._translation)
            return np.frombuffer(joined, np.uint8).reshape(len(frames), -1)
        pcm: Pcm = np.frombuffer(joined, np.int16).reshape(len(frames), -1)
        if self._resampler is not None:
            pcm = to_int16(self._resampler.process(slots, pcm))
        return self._codec.encode(pcm)
