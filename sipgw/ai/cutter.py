"""Cuts a stream of audio into pieces of one length and keeps what remains."""

from collections.abc import Sequence

from sipgw.errors import UsageError

Piece = bytes | memoryview


class Cutter:
    """Takes audio as it comes and hands it out in pieces of `size` bytes."""

    __slots__ = ("_rest", "size")

    def __init__(self, size: int) -> None:
        if size < 1:
            raise UsageError(f"pieces of {size} bytes")
        self.size = size
        self._rest = b""

    def cut(self, audio: Piece) -> Sequence[Piece]:
        """The whole pieces there are now. One that arrives whole, as nearly all do, is handed on without a copy."""
        if not self._rest and len(audio) == self.size:
            return (audio,)
        joined = self._rest + bytes(audio)
        whole = len(joined) - len(joined) % self.size
        self._rest = joined[whole:]
        return [joined[at : at + self.size] for at in range(0, whole, self.size)]

    def reset(self) -> None:
        """Forget what remained."""
        self._rest = b""
