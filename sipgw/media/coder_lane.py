"""A lane of a codec with state: each session has its encoder, and packets are of any length."""

import numpy as np
from numpy.typing import NDArray

from sipgw.media.convert import Pcm
from sipgw.media.lane import Lane


class CoderLane(Lane):
    """See `Lane`. The rows hold headers only; octets are counted as they leave."""

    __slots__ = ("_payloads", "_rows", "_sounds")

    def _width(self) -> int:
        return 0

    def _arrange(self, payloads: NDArray[np.uint8], rows: list[memoryview]) -> None:
        self._rows = rows
        self._sounds: dict[int, bytes] = {}
        self._payloads: list[bytes] = []

    def _blank(self) -> None:
        """What is said is taken anew at every tick."""

    def _place(self, indices: list[int], sounds: NDArray[np.uint8] | Pcm) -> None:
        self._sounds.update(zip(indices, map(bytes, sounds), strict=True))

    def _complete(self) -> None:
        payloads = []
        for index, session in enumerate(self.sessions):
            assert session.outgoing is not None  # its codec has an encoder
            sound = self._sounds.get(index)
            payload = session.outgoing.pause() if sound is None else session.outgoing.speak(sound)
            session.octets += len(payload)
            payloads.append(payload)
        self._payloads = payloads

    def _payload(self, index: int) -> bytes:
        return self._payloads[index]

    def _sound(self, index: int) -> bytes:
        return self._sounds.get(index, b"")

    def _datagrams(self) -> list[memoryview]:
        self._sounds.clear()
        return [memoryview(bytes(row) + payload) for row, payload in zip(self._rows, self._payloads, strict=True)]
