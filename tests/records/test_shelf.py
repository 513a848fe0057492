"""Where phones are registered, kept: the newest of each, whatever becomes of the database."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from sipgw.errors import Unavailable
from sipgw.options import RecordOptions
from sipgw.records.keeper import Keeper
from sipgw.records.shelf import KeptBinding, Shelf

DESK = KeptBinding(
    contact="<sip:200@192.0.2.7>;q=0.5",
    transport="udp",
    local=("127.0.0.1", 5060),
    remote=("192.0.2.7", 5060),
    source=("192.0.2.7", 40_000),
    registered=1_700_000_000.25,
    expires=1_700_003_600.5,
    call_id="register-1",
    cseq=7,
    path=("<sip:edge.example;lr>",),
    direct=False,
    natted=True,
    user_agent="Desk 1.0",
)
ELSEWHERE = replace(DESK, contact="<sip:200@192.0.2.8>", path=(), user_agent="a NUL \0 in it")


def keeper(folder: Path, url: str = "") -> Keeper:
    log = structlog.wrap_logger(structlog.ReturnLogger())
    return Keeper(RecordOptions(url=url), folder, lambda name, detail: None, log)


async def until(one: Keeper, *, down: bool) -> None:
    """Wait until its database is down, or works again."""
    async with asyncio.timeout(5):
        while one.counts.down is not down:
            await asyncio.sleep(0.01)


async def test_what_was_kept_comes_back_and_of_other_nodes_nothing(tmp_path: Path) -> None:
    one = keeper(tmp_path)
    one.start()
    one.keep_bindings("n1", "desk", [ELSEWHERE])
    one.keep_bindings("n1", "desk", [DESK, ELSEWHERE])
    one.keep_bindings("n1", "lobby", [DESK])
    one.keep_bindings("n2", "desk", [replace(DESK, cseq=1)])
    await one.close()
    two = keeper(tmp_path)
    two.start()
    clean = replace(ELSEWHERE, user_agent="a NUL \ufffd in it")
    assert await two.bindings("n1") == {"desk": [DESK, clean], "lobby": [DESK]}
    two.keep_bindings("n1", "desk", [])
    await two.close()
    three = keeper(tmp_path)
    three.start()
    assert await three.bindings("n1") == {"lobby": [DESK]}
    await three.close()
    with pytest.raises(Unavailable):
        await three.bindings("n1")


async def test_without_a_database_nothing_is_lost_but_what_it_would_have_kept(tmp_path: Path) -> None:
    one = keeper(tmp_path, f"sqlite:///{tmp_path}/none/records.db")
    one.start()
    one.keep_bindings("n1", "desk", [DESK])
    with pytest.raises(OSError, match="No such file"):
        await one.bindings("n1")
    await until(one, down=True)
    # Once it is there, it gets the newest.
    one.keep_bindings("n1", "desk", [ELSEWHERE, DESK])
    (tmp_path / "none").mkdir()
    await until(one, down=False)
    assert [kept.contact for kept in (await one.bindings("n1"))["desk"]] == [ELSEWHERE.contact, DESK.contact]
    await one.close()


def test_what_came_meanwhile_is_newer_than_what_could_not_be_written() -> None:
    shelf = Shelf()
    shelf.put("n1", "desk", [DESK])
    shelf.put("n1", "lobby", [DESK])
    taken = shelf.take()
    assert shelf.take() == {}
    shelf.put("n1", "desk", [])
    shelf.put_back(taken)
    assert {key: len(rows) for key, rows in shelf.take().items()} == {("n1", "desk"): 0, ("n1", "lobby"): 1}
