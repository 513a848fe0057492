"""Makes G.711 of one direction's packets, whatever their codec, for a recording: it has 8,000 samples a second.

Decoding is not repeated for it in the engine: the writer's thread does it here, at its own pace.
"""

import numpy as np

from sipgw.audio.resample import Resampler, to_int16
from sipgw.media.tap import Passed
from sipgw.rtp.stamps import MODULUS, step
from sipgw_codecs.framed import BadPayload, Framed
from sipgw_codecs.g711 import G711, PCMU
from sipgw_codecs.registry import codec

_SLOT = np.zeros(1, np.intp)


class Narrower:
    """One direction. Packets of G.711 are passed as they are."""

    __slots__ = ("_chosen", "_decoder", "_place", "_resampler", "_rest", "_stamp")

    def __init__(self) -> None:
        self._chosen: Framed | None = None

    def packets(self, passed: list[Passed]) -> list[Passed]:
        """The packets as G.711 at a clock of 8 kHz; what cannot be decoded is left out."""
        return [narrow for one in passed if (narrow := self._packet(one)) is not None]

    def _packet(self, passed: Passed) -> Passed | None:
        now, stamp, payload, name = passed
        if self._chosen is None or self._chosen.name != name:
            found = codec(name)
            if isinstance(found, G711):
                self._chosen = None
                return passed
            self._begin(found, stamp)
            self._chosen = found
        return self._decoded(self._chosen, now, stamp, payload)

    def _begin(self, chosen: Framed, stamp: int) -> None:
        self._decoder = chosen.decoder()
        times = chosen.sound.sample_rate_hz // PCMU.sample_rate_hz
        self._resampler = Resampler(1, times, 1)
        self._rest = np.zeros(0, np.int16)
        self._stamp, self._place = stamp, stamp % MODULUS

    def _decoded(self, chosen: Framed, now: float, stamp: int, payload: bytes) -> Passed | None:
        gone = step(self._stamp, stamp) * PCMU.clock_hz // chosen.clock_hz
        self._stamp, self._place = stamp, self._place + gone
        try:
            pcm = np.frombuffer(self._decoder.decode(payload), np.int16)
        except BadPayload:
            return None
        pcm = np.concatenate((self._rest, pcm))
        whole = len(pcm) - len(pcm) % self._resampler.block
        self._rest = pcm[whole:]
        if not whole:
            return None
        sound = PCMU.encode(to_int16(self._resampler.process(_SLOT, pcm[None, :whole]))).tobytes()
        return now, self._place % MODULUS, sound, PCMU.name
