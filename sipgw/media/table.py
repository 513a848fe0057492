"""The state table: what it takes to go on with a session elsewhere, in one array over any buffer.

The engine counts in the table itself, column by column, for all sessions of a tick at once. So the table is the
snapshot: it is as new as the last packet when the process is killed, and its memory (a memfd, say) outlives it.
"""

from ipaddress import IPv6Address, ip_address

import numpy as np
from numpy.typing import NDArray

from sipgw.errors import Unavailable
from sipgw.flow import Endpoint

_MAPPED = 0xFFFF << 32
"""An IPv4 address in an IPv6 one (RFC 4291 section 2.5.5.2)."""

ROW = np.dtype(
    [
        ("call", "S40"),
        ("session", "S40"),
        ("source", "V16"),
        ("source_port", "<u2"),
        ("used", "?"),
        ("ssrc", "<u4"),
        ("sequence", "<u8"),  # of the next packet; the bits above the 16 sent are SRTP's rollover counter (RFC 3711)
        ("timestamp", "<u4"),  # of the next packet
        ("sent_ms", "<u8"),  # of speech
        ("receive_ssrc", "<u4"),
        ("receive_sequence", "<u8"),  # newest, extended likewise
    ],
    align=True,
)


class Table:
    """A row a session.

    Args:
        buffer: writable memory of at least `slots` rows; zeros mean free rows.
        slots: how many sessions there may be.
    """

    def __init__(self, buffer: bytearray | memoryview, slots: int) -> None:
        self.rows: NDArray[np.void] = np.frombuffer(buffer, ROW, slots)
        self.ssrc: NDArray[np.uint32] = self.rows["ssrc"]
        self.sequence: NDArray[np.uint64] = self.rows["sequence"]
        self.timestamp: NDArray[np.uint32] = self.rows["timestamp"]
        self.sent_ms: NDArray[np.uint64] = self.rows["sent_ms"]
        self._free = [slot for slot in range(slots - 1, -1, -1) if not self.rows[slot]["used"]]

    @staticmethod
    def of(slots: int) -> "Table":
        """A table in this process's own memory."""
        return Table(bytearray(ROW.itemsize * slots), slots)

    def __len__(self) -> int:
        return len(self.rows)

    def claim(self, call: str, session: str, ssrc: int, sequence: int, timestamp: int) -> int:
        """A free row for a session that begins with these numbers.

        Raises:
            Unavailable: there is none.
        """
        if not self._free:
            raise Unavailable(f"all {len(self)} sessions of this worker are taken")
        slot = self._free.pop()
        row = np.zeros((), ROW)
        row["used"], row["call"], row["session"] = True, call.encode()[:40], session.encode()[:40]
        row["ssrc"], row["sequence"], row["timestamp"] = ssrc, sequence, timestamp
        self.rows[slot] = row
        return slot

    def release(self, slot: int) -> None:
        """Free a row."""
        self.rows[slot] = np.zeros((), ROW)
        self._free.append(slot)

    def latch(self, slot: int, source: Endpoint) -> None:
        """Write down the source that is believed."""
        address = int(ip_address(source[0].partition("%")[0]))
        mapped = address if ":" in source[0] else _MAPPED | address
        self.rows[slot]["source"] = np.void(mapped.to_bytes(16, "big"))
        self.rows[slot]["source_port"] = source[1]

    def latched(self, slot: int) -> Endpoint | None:
        """The source that was believed last."""
        row = self.rows[slot]
        if not row["source_port"]:
            return None
        address = IPv6Address(row["source"].tobytes())
        return str(address.ipv4_mapped or address), int(row["source_port"])

    def received(self, slot: int, ssrc: int, extended: int) -> None:
        """Write down how far the far end's stream has come."""
        row = self.rows[slot]
        row["receive_ssrc"], row["receive_sequence"] = ssrc, extended
