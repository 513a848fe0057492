"""One Unix SEQPACKET connection between control and a worker: messages in order, with descriptors beside them.

Sending never blocks: what the kernel does not take waits here. A message too long for the socket travels as a memfd.
"""

import asyncio
import errno
import os
import socket
from array import array
from collections import deque
from collections.abc import Callable, Sequence

LONGEST_BYTES = 60_000
"""Of a message in the socket itself; the kernel takes about 200 kB, but that much only when nothing else waits."""
_INLINE, _IN_A_FILE = b"i", b"f"
_PASSING = {errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.ETOOMANYREFS, errno.EMFILE, errno.ENFILE}
"""Errors of sending that pass: when the other side reads, or somebody closes a file."""
_GONE = {errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN}
"""The other side is; reading tells so, in order."""
_MOST_DESCRIPTORS = 4
_BATCH = 64
"""Messages read in a turn of the loop: a flood of them does not hold up everything else."""
_TRY_AGAIN = 0.005

Take = Callable[[bytes, list[int]], None]
"""Takes a message and the descriptors that came with it, which are its own from then on."""


class Link:
    """Our end of a connection. Make it inside a running loop.

    Args:
        sock: a connected SEQPACKET socket; it is ours from now on.
        take: takes messages. Must not raise.
        ended: called once, when the other side is gone and all it said has been taken; not after `close`.
    """

    def __init__(self, sock: socket.socket, take: Take, ended: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock, self._take, self._ended = sock, take, ended
        self._waiting: deque[tuple[bytes, tuple[int, ...]]] = deque()
        self._retry: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        self._empty.set()
        self.open = True
        sock.setblocking(False)
        self._loop.add_reader(sock.fileno(), self._read)

    @property
    def backlog(self) -> int:
        """Messages the kernel has not taken yet."""
        return len(self._waiting)

    # --- sending ----------------------------------------------------------------------------------------------

    def send(self, message: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send a message; the descriptors are duplicated on the way and stay the caller's, once this returns."""
        if not self.open:
            return
        if self._waiting or not self._passes(message, descriptors):
            self._waiting.append((message, tuple(map(os.dup, descriptors))))
            self._empty.clear()
            if self._retry is None:
                self._wait()

    def _passes(self, message: bytes, descriptors: Sequence[int]) -> bool:
        """Whether the message is dealt with."""
        try:
            _put(self._sock, message, descriptors)
        except OSError as error:
            if error.errno not in _PASSING | _GONE:
                raise
            return error.errno in _GONE
        return True

    def _wait(self) -> None:
        # A full receiver of descriptors (ETOOMANYREFS) leaves the socket writable: so by time.
        self._retry = self._loop.call_later(_TRY_AGAIN, self._flush)

    def _flush(self) -> None:
        self._retry = None
        while self._waiting:
            message, descriptors = self._waiting[0]
            if not self._passes(message, descriptors):
                self._wait()
                return
            self._waiting.popleft()
            _close(descriptors)
        self._empty.set()

    # --- receiving --------------------------------------------------------------------------------------------

    def _read(self) -> None:
        for _ in range(_BATCH):
            try:
                received = _get(self._sock)
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionResetError:
                continue  # it died without reading everything; what it said itself still comes
            except OSError:
                received = None
            if received is None:
                self.close()
                self._ended()
                return
            self._take(*received)
            if not self.open:
                return

    # --- the end ----------------------------------------------------------------------------------------------

    async def drained(self) -> None:
        """Return once the kernel has everything, or nobody takes it any more."""
        await self._empty.wait()

    def close(self) -> None:
        """Close the connection; what still waits is dropped."""
        if not self.open:
            return
        self.open = False
        self._loop.remove_reader(self._sock.fileno())
        if self._retry is not None:
            self._retry.cancel()
        for _, descriptors in self._waiting:
            _close(descriptors)
        self._waiting.clear()
        self._empty.set()
        self._sock.close()


def _put(sock: socket.socket, message: bytes, descriptors: Sequence[int]) -> None:
    """Send one message, all of it or nothing. Raises OSError."""
    if len(message) <= LONGEST_BYTES:
        _send(sock, [_INLINE, message], descriptors)
        return
    file = os.memfd_create("message", os.MFD_CLOEXEC)
    try:
        view = memoryview(message)
        while view:
            view = view[os.write(file, view) :]
        _send(sock, [_IN_A_FILE], [file, *descriptors])
    finally:
        os.close(file)


def _send(sock: socket.socket, parts: Sequence[bytes], descriptors: Sequence[int]) -> None:
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))] if descriptors else []
    sock.sendmsg(parts, ancillary, socket.MSG_NOSIGNAL)


def _get(sock: socket.socket) -> tuple[bytes, list[int]] | None:
    """The next message and its descriptors, None at the end. Raises OSError."""
    size = array("i").itemsize * _MOST_DESCRIPTORS
    data, ancillary, _, _ = sock.recvmsg(LONGEST_BYTES + 1, socket.CMSG_SPACE(size), socket.MSG_CMSG_CLOEXEC)
    descriptors = array("i")
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(content[: len(content) // descriptors.itemsize * descriptors.itemsize])
    if not data:
        return None
    if data[:1] == _INLINE:
        return data[1:], list(descriptors)
    file, *others = descriptors
    with open(file, "rb") as opened:
        opened.seek(0)
        return opened.read(), others


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
