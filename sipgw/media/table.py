"""The state table: what it takes to go on with a session elsewhere, in one array over any buffer.

The engine counts in the table itself, column by column, for all sessions of a tick at once. So the table is the
snapshot: it is as new as the last packet when the process is killed, and its memory (a memfd, say) outlives it. What
would cost a tick too much (receiver's counters) is written down once a second.
"""

from ipaddress import IPv6Address, ip_address

import numpy as np
from numpy.typing import NDArray

from sipgw.errors import Unavailable
from sipgw.flow import Endpoint

_MAPPED = 0xFFFF << 32
"""An IPv4 address in an IPv6 one (RFC 4291 section 2.5.5.2)."""
_HEAD_BYTES = 64
"""Before the rows: when the engine beat last."""
_CALL_BYTES, _SESSION_BYTES = 40, 64

ROW = np.dtype(
    [
        ("call", f"S{_CALL_BYTES}"),
        ("session", f"S{_SESSION_BYTES}"),
        ("cname", "S16"),
        ("source", "V16"),
        ("source_port", "<u2"),
        ("used", "?"),
        ("ssrc", "<u4"),
        ("sequence", "<u8"),  # of the next packet; the bits above the 16 sent are SRTP's rollover counter (RFC 3711)
        ("first_sequence", "<u8"),  # as numbers are unbroken, the difference counts packets
        ("timestamp", "<u4"),  # of the next packet
        ("sent_ms", "<u8"),  # of speech
        ("receive_ssrc", "<u4"),
        ("receive_sequence", "<u8"),  # newest, extended likewise
        # Written down once a second:
        ("octets", "<u8"),
        ("started", "<f8"),  # monotonic time, 0 before it; likewise the next
        ("first_audio", "<f8"),
        ("received", "<u8"),
        ("lost", "<i8"),
        ("loss_bursts", "<u8"),
        ("late", "<u8"),
        ("concealed_ms", "<u8"),
        ("filled_ms", "<u8"),
        ("jitter_ms", "<f8"),
    ],
    align=True,
)


class Table:
    """A row a session.

    Args:
        buffer: writable memory of `Table.bytes_for(slots)`; zeros mean free rows.
        slots: how many sessions there may be.
    """

    def __init__(self, buffer: bytearray | memoryview, slots: int) -> None:
        self.rows: NDArray[np.void] = np.frombuffer(buffer, ROW, slots, _HEAD_BYTES)
        self.ssrc: NDArray[np.uint32] = self.rows["ssrc"]
        self.sequence: NDArray[np.uint64] = self.rows["sequence"]
        self.timestamp: NDArray[np.uint32] = self.rows["timestamp"]
        self.sent_ms: NDArray[np.uint64] = self.rows["sent_ms"]
        self._head = memoryview(buffer)[:_HEAD_BYTES].cast("d")
        self._free: list[int] = np.flatnonzero(~self.rows["used"])[::-1].tolist()

    @staticmethod
    def bytes_for(slots: int) -> int:
        """How much memory a table of so many rows takes."""
        return _HEAD_BYTES + ROW.itemsize * slots

    @staticmethod
    def of(slots: int) -> "Table":
        """A table in this process's own memory."""
        return Table(bytearray(Table.bytes_for(slots)), slots)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def beaten(self) -> float:
        """When the engine gave a sign of life last, on the machine's monotonic clock; 0 before the first."""
        return self._head[0]

    def beat(self, now: float) -> None:
        """The engine is alive, and what the table says is true of `now`."""
        self._head[0] = now

    # --- rows ---------------------------------------------------------------------------------------------------

    def claim(self, call: str, session: str, ssrc: int, sequence: int, timestamp: int, cname: str = "") -> int:
        """A free row for a session that begins with these numbers.

        Raises:
            Unavailable: there is none.
        """
        if not self._free:
            raise Unavailable(f"all {len(self)} sessions of this worker are taken")
        slot = self._free.pop()
        row = np.zeros((), ROW)
        row["used"], row["call"], row["session"] = True, call.encode()[:_CALL_BYTES], _key(session)
        row["cname"] = cname.encode()
        row["ssrc"], row["sequence"], row["timestamp"] = ssrc, sequence, timestamp
        row["first_sequence"] = sequence
        self.rows[slot] = row
        return slot

    def release(self, slot: int) -> None:
        """Free a row."""
        self.rows[slot] = np.zeros((), ROW)
        self._free.append(slot)

    def slots(self) -> dict[str, int]:
        """The rows in use, by session."""
        return {self.rows[slot]["session"].decode(): slot for slot in np.flatnonzero(self.rows["used"]).tolist()}

    # --- what is written down -----------------------------------------------------------------------------------

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

    def write(self, slot: int, **values: float) -> None:
        """Write down columns by name."""
        row = self.rows[slot]
        for name, value in values.items():
            row[name] = value


def _key(session: str) -> bytes:
    return session.encode()[:_SESSION_BYTES]
