"""The folder in which workers listen."""

import os
import socket
from pathlib import Path

import pytest

from sipgw.errors import Unavailable
from sipgw.worker.folder import SocketFolder


def test_a_socket_is_found_by_its_process_however_long_the_path_is(tmp_path: Path) -> None:
    path = tmp_path / ("long" * 50)
    folder = SocketFolder(path)
    folder.open()
    with folder.listen() as listener:
        folder.give(4711)
        assert folder.processes() == [4711]
        with folder.connect(4711) as ours:
            theirs, _ = listener.accept()
            with theirs:
                ours.send(b"hello")
                assert theirs.recv(100) == b"hello"
    assert path.stat().st_mode & 0o777 == 0o700
    folder.close()
    assert path.is_dir(), "the next control looks there"


def test_what_nobody_listens_at_any_more_can_be_told_and_removed(tmp_path: Path) -> None:
    folder = SocketFolder(tmp_path)
    folder.open()
    folder.open()
    for pid in (2, 10):
        folder.listen().close()
        folder.give(pid)
    (tmp_path / "note.worker").touch()
    assert folder.processes() == [2, 10]
    with pytest.raises(ConnectionRefusedError):
        folder.connect(2)
    folder.remove(2)
    folder.remove(2)
    assert folder.processes() == [10]
    folder.close()


def test_a_start_that_failed_leaves_the_place_for_the_next(tmp_path: Path) -> None:
    folder = SocketFolder(tmp_path)
    folder.open()
    folder.listen().close()
    with folder.listen() as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    folder.close()


def test_a_passing_folder_is_gone_afterwards() -> None:
    before = set(os.listdir("/proc/self/fd"))
    folder = SocketFolder()
    folder.open()
    with folder.listen() as listener:
        path = Path(os.readlink(Path(listener.getsockname()).parent))
    assert path.is_dir()
    folder.close()
    folder.close()
    assert not path.exists()
    assert set(os.listdir("/proc/self/fd")) <= before


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="no folder for the media workers"):
        SocketFolder(tmp_path / "file" / "below").open()
