"""The folder in which workers listen: a socket each, by which a restarted control process finds them again."""

import contextlib
import os
import shutil
import socket
import tempfile
from pathlib import Path

from sipgw.errors import Unavailable

_SUFFIX = ".worker"
_NEW = "new"


class SocketFolder:
    """Sockets by name, whatever the length of the folder's own path (a socket's is limited to 107 bytes).

    Args:
        path: is made where it is not there, for nobody but us; None makes one that `close` removes. It must be one
            control process's at a time, because a worker obeys whoever connects last.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._passing = ""
        self._descriptor = -1

    def open(self) -> None:
        """Make the folder; nothing happens where that is done.

        Raises:
            Unavailable: it cannot be made.
        """
        if self._descriptor >= 0:
            return
        try:
            if self._path is None:
                self._passing = tempfile.mkdtemp(prefix="sipgw-")
            else:
                self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(self._path or self._passing, os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise Unavailable(f"no folder for the media workers: {error}") from None

    def listen(self) -> socket.socket:
        """A new listening socket, whose name `give` makes that of a process."""
        self._remove(_NEW)  # of a start that failed
        sock = _socket()
        sock.bind(self._address(_NEW))
        sock.listen(1)
        return sock

    def give(self, pid: int) -> None:
        """The new socket is that of a process from now on."""
        os.rename(_NEW, f"{pid}{_SUFFIX}", src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def connect(self, pid: int) -> socket.socket:
        """A connection to a process. Raises OSError."""
        sock = _socket()
        try:
            sock.connect(self._address(f"{pid}{_SUFFIX}"))
        except OSError:
            sock.close()
            raise
        return sock

    def processes(self) -> list[int]:
        """Those that have sockets here, by their ids; some may not be there any more."""
        names = (name.removesuffix(_SUFFIX) for name in os.listdir(self._descriptor) if name.endswith(_SUFFIX))
        return sorted(int(name) for name in names if name.isdecimal())

    def remove(self, pid: int) -> None:
        """Forget a process's socket."""
        self._remove(f"{pid}{_SUFFIX}")

    def _remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    def close(self) -> None:
        """Close the folder, and remove it where it was made for us."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        if self._passing:
            shutil.rmtree(self._passing, ignore_errors=True)

    def _address(self, name: str) -> str:
        return f"/proc/self/fd/{self._descriptor}/{name}"


def _socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
