"""The state folder: what has to outlive the process. One gateway at a time works in it."""

import fcntl
import os
from pathlib import Path

from sipgw.errors import Unavailable

_LOCK = "lock"


class StateFolder:
    """A folder for the gateway's user alone, ours from `open` to `close` or to the end of the process.

    Whoever keeps something in it uses a name of its own below `path`, and may count on the folder once `open` was
    called. Files with secrets are made with mode 0600 all the same: a folder that was there before keeps its mode.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._lock: int | None = None

    def open(self) -> None:
        """Make the folder where there is none, and keep other gateways out.

        Raises:
            Unavailable: another gateway works in it, or it cannot be made or written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Never inherited by a child, which would keep the lock beyond our own end.
            self._lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                f"the state folder {self.path} cannot be used: {error.strerror}; SIPGW_STATE or state moves it"
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(self._lock, 20, 0).decode(errors="replace").strip()
            self.close()
            raise Unavailable(
                f"another gateway (process {owner}) works in {self.path}; stop it, "
                "or give this one a folder of its own: SIPGW_STATE or state"
            ) from None
        os.truncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Let the next one in."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
