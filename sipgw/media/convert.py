"""Converts frames of many sessions at once between what a leg's codec carries and what its AI speaks.

Either side is a sound: a law of G.711 at 8 kHz, or linear PCM at some rate. What both have goes straight through, the
other law by one table of 256 bytes; the rest by table and FIR.
"""

from collections import defaultdict
from collections.abc import Sequence
from math import gcd

import numpy as np
from numpy.typing import NDArray

from sipgw.ai.events import AudioFormat
from sipgw.audio.resample import Resampler, Slots, to_int16
from sipgw_codecs.g711 import G711, PCMA, PCMA_TO_PCMU, PCMU, PCMU_TO_PCMA
from sipgw_codecs.linear import Linear
from sipgw_codecs.registry import Sound

Bytes = NDArray[np.uint8]
Pcm = NDArray[np.int16]

LAWS: dict[AudioFormat, G711] = {AudioFormat.PCMU_8K: PCMU, AudioFormat.PCMA_8K: PCMA}
_TRANSCODING = {(PCMU.name, PCMA.name): PCMU_TO_PCMA.tobytes(), (PCMA.name, PCMU.name): PCMA_TO_PCMU.tobytes()}


def sound_of(audio: AudioFormat) -> Sound:
    """What an AI's format is."""
    return LAWS.get(audio) or Linear(audio.rate_hz)


class Resamplers:
    """The resamplers of all sessions: one for each ratio in use, with a slot for every session."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._made: dict[tuple[int, int], Resampler] = {}

    def get(self, source_hz: int, target_hz: int) -> Resampler | None:
        """From one rate to another; None where they are the same."""
        if source_hz == target_hz:
            return None
        key = source_hz, target_hz
        if key not in self._made:
            common = gcd(*key)
            self._made[key] = Resampler(target_hz // common, source_hz // common, self._slots, min(key))
        return self._made[key]

    def reset(self, slot: int) -> None:
        """Forget a session's audio."""
        for resampler in self._made.values():
            resampler.reset(slot)


class _Conversion:
    """From one sound to another."""

    def __init__(self, source: Sound, target: Sound, resamplers: Resamplers) -> None:
        self._source, self._target = source, target
        self._same = source.name == target.name
        self._table = _TRANSCODING.get((source.name, target.name))
        self._resampler = resamplers.get(source.sample_rate_hz, target.sample_rate_hz)

    def _straight(self, data: bytes) -> bytes | None:
        """What can be had of `data` without a look at its samples."""
        if self._same:
            return data
        return data.translate(self._table) if self._table else None

    def _convert(self, slots: Slots, joined: bytes, rows: int) -> Bytes | Pcm:
        """Rows of samples, as the target has them."""
        if self._resampler is None:
            pcm = self._source.pcm(joined).reshape(rows, -1)
        else:
            pcm = to_int16(self._resampler.process(slots, self._source.pcm_f32(joined).reshape(rows, -1)))
        return self._target.encode(pcm)


class Inward(_Conversion):
    """From what a leg carries to one audio format of the AI's side."""

    def __init__(self, sound: Sound, audio: AudioFormat, resamplers: Resamplers) -> None:
        super().__init__(sound, sound_of(audio), resamplers)
        self._remainders: dict[int, bytes] = {}
        self._block = self._resampler.block * sound.sample_bytes if self._resampler else 1
        """Bytes the resampler takes at a time; a packet that is no multiple leaves a remainder for the next."""

    def convert(self, slots: Sequence[int], payloads: Sequence[bytes]) -> list[bytes]:
        """Audio for the AI, a piece a payload, in the same order; one may be empty."""
        if self._same:
            return list(payloads)
        if self._table:
            return [payload.translate(self._table) for payload in payloads]
        lengths = set(map(len, payloads))
        if self._resampler is not None and (self._remainders or any(length % self._block for length in lengths)):
            payloads = [self._cut(slot, payload) for slot, payload in zip(slots, payloads, strict=True)]
            lengths = set(map(len, payloads))
        if len(lengths) == 1 and 0 not in lengths:
            return self._batch(slots, payloads)
        return self._by_length(slots, payloads)

    def forget(self, slot: int) -> None:
        """The session has gone, or speaks another format."""
        self._remainders.pop(slot, None)

    def _cut(self, slot: int, payload: bytes) -> bytes:
        """What can be resampled now; the rest, a few milliseconds at most, goes before the next payload."""
        payload = self._remainders.pop(slot, b"") + payload
        whole = len(payload) - len(payload) % self._block
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
        samples = self._convert(np.array(slots), b"".join(payloads), len(payloads))
        audio, size = samples.tobytes(), samples.shape[1] * self._target.sample_bytes
        return [audio[at : at + size] for at in range(0, len(audio), size)]


class Outward(_Conversion):
    """From one audio format of the AI's side to what a leg carries."""

    def __init__(self, sound: Sound, audio: AudioFormat, resamplers: Resamplers) -> None:
        super().__init__(sound_of(audio), sound, resamplers)

    @property
    def has_tail(self) -> bool:
        """Whether the frame after the last one still carries the filter's tail."""
        return self._resampler is not None

    def convert(self, slots: Slots, frames: Sequence[bytes]) -> Bytes | Pcm:
        """Samples of the leg, one row a frame; all frames are of one length."""
        joined = b"".join(frames)
        straight = self._straight(joined)
        if straight is not None:
            return self._target.view(straight).reshape(len(frames), -1)
        return self._convert(slots, joined, len(frames))
