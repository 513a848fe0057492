"""Puts fragments of IP packets together again (RFC 791 section 3.2, RFC 8200 section 4.5), within bounds."""

from dataclasses import dataclass, field

_MOST_PACKETS = 256
"""Being put together at the same time; beyond that the oldest is given up."""
_MOST_BYTES = 65_535
_MOST_PIECES = 512
_PATIENCE = 30.0
"""Seconds after which another packet may bear the same number (RFC 8200: 60 s; RFC 791: 15 s)."""

Key = tuple[bytes, bytes, bytes, int]
"""Number, source, destination, protocol."""


@dataclass(slots=True)
class _Pieces:
    began: float
    pieces: dict[int, bytes] = field(default_factory=dict)
    held_bytes: int = 0
    total_bytes: int | None = None

    def joined(self) -> bytes | None:
        """All of it, or None where some is missing."""
        if self.total_bytes is None or self.held_bytes < self.total_bytes:
            return None
        whole = bytearray()
        for start, piece in sorted(self.pieces.items()):
            if start > len(whole):
                return None
            whole += piece[len(whole) - start :]  # the first to claim a byte keeps it
        return bytes(whole[: self.total_bytes]) if len(whole) >= self.total_bytes else None


class Fragments:
    """Holds the fragments of packets that are not complete."""

    def __init__(self) -> None:
        self._held: dict[Key, _Pieces] = {}

    def add(self, when: float, key: Key, start: int, piece: bytes, more: bool) -> bytes | None:
        """Take a fragment; returns the payload of the packet it completes.

        Args:
            when: seconds, on the capture's clock.
            key: what its packet's fragments have in common.
            start: its place in the payload, in bytes.
            piece: its bytes.
            more: whether others follow behind it.
        """
        held = self._of(key, when)
        if start + len(piece) > _MOST_BYTES or len(held.pieces) >= _MOST_PIECES:
            del self._held[key]
            return None
        if start not in held.pieces:
            held.pieces[start] = piece
            held.held_bytes += len(piece)
        if not more:
            held.total_bytes = start + len(piece)
        whole = held.joined()
        if whole is not None:
            del self._held[key]
        return whole

    def _of(self, key: Key, when: float) -> _Pieces:
        held = self._held.get(key)
        if held is None or when - held.began > _PATIENCE:
            self._held.pop(key, None)
            if len(self._held) >= _MOST_PACKETS:
                del self._held[next(iter(self._held))]
            held = self._held[key] = _Pieces(when)
        return held
