"""The state folder: made for one user, locked by one gateway."""

import os
import re
import stat
from pathlib import Path

import pytest

from sipgw.app.state import StateFolder
from sipgw.errors import Unavailable


def test_it_is_made_for_the_users_eyes_only(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "new" / "state")
    folder.open()
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    folder.close()


def test_a_second_gateway_is_told_who_works_there(tmp_path: Path) -> None:
    first, second = StateFolder(tmp_path), StateFolder(tmp_path)
    first.open()
    with pytest.raises(Unavailable, match=rf"process {os.getpid()}\).*{re.escape(str(tmp_path))}.*SIPGW_STATE"):
        second.open()
    # What failed has not taken the lock from the first one, and gets in after it.
    with pytest.raises(Unavailable):
        second.open()
    first.close()
    second.open()
    second.close()


def test_the_lock_is_not_handed_to_children(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    folder.open()
    assert folder._lock is not None
    assert not os.get_inheritable(folder._lock)
    folder.close()


def test_a_place_that_cannot_be_written_is_named_with_what_moves_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match=r"file/state cannot be used.*SIPGW_STATE"):
        StateFolder(tmp_path / "file" / "state").open()


def test_a_path_is_seen_from_where_the_gateway_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    assert StateFolder(Path(".sipgw")).path == tmp_path / ".sipgw"
    assert StateFolder(Path("~/state")).path == Path("/home/someone/state")
