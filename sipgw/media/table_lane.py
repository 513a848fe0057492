"""A lane of G.711: headers and payloads of all its sessions are rows of one array, written in one go."""

import numpy as np
from numpy.typing import NDArray

from sipgw.media.convert import Pcm, Resamplers
from sipgw.media.lane import HEADER, Lane
from sipgw.media.session import Session
from sipgw.media.table import Table
from sipgw_codecs.g711 import G711


class TableLane(Lane):
    """See `Lane`. All payloads are of one length, so that octets are counted by packets."""

    __slots__ = ("_law", "_payloads", "_rows")

    def __init__(self, codec: G711, ptime_ms: int, table: Table, resamplers: Resamplers) -> None:
        self._law = codec
        super().__init__(codec, ptime_ms, table, resamplers)

    def add(self, session: Session) -> None:
        """See `Lane`."""
        session.octets -= int(self._table.sequence[session.slot]) * self._samples
        super().add(session)

    def remove(self, session: Session) -> None:
        """See `Lane`."""
        session.octets = self.octets(session)
        super().remove(session)

    def octets(self, session: Session) -> int:
        """See `Lane`."""
        return session.octets + int(self._table.sequence[session.slot]) * self._samples

    def _width(self) -> int:
        return self._samples

    def _arrange(self, payloads: NDArray[np.uint8], rows: list[memoryview]) -> None:
        self._payloads, self._rows = payloads, rows
        self._blank()

    def _blank(self) -> None:
        self._payloads[:] = self._law.silence_byte

    def _place(self, indices: list[int], sounds: NDArray[np.uint8] | Pcm) -> None:
        if len(indices) == len(self.sessions):
            self._payloads[:] = sounds
        else:
            self._payloads[np.array(indices)] = sounds

    def _complete(self) -> None:
        """All is in its row."""

    def _payload(self, index: int) -> bytes:
        return bytes(self._rows[index][HEADER:])

    def _sound(self, index: int) -> bytes:
        return self._payload(index)

    def _datagrams(self) -> list[memoryview]:
        return self._rows
