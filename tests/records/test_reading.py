"""Reading records."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from sipgw.errors import Unavailable
from sipgw.records import reading as module
from sipgw.records.engine import file_url
from sipgw.records.migrate import migrate
from sipgw.records.reading import Filter, Reader
from sipgw.records.rows import moment
from sipgw.records.store import Store
from tests.records.contract import connected
from tests.records.reading import FOUND, FilterCase, filled, ids
from tests.records.records import NOON, record


@pytest.fixture
async def url(tmp_path: Path) -> URL:
    """A database with calls in it."""
    return await filled(file_url(tmp_path / "records.db"))


@pytest.mark.parametrize("case", FOUND, ids=lambda case: case.name)
async def test_a_filter_finds_its_calls_the_newest_first(url: URL, case: FilterCase) -> None:
    reader = Reader(url)
    assert ids(await reader.newest(case.wanted, 50)) == case.calls
    assert await reader.count(case.wanted) == len(case.calls)
    await reader.close()


async def test_pages_follow_one_another_also_among_calls_that_began_together(tmp_path: Path) -> None:
    url = file_url(tmp_path / "records.db")
    store = Store(url)
    await store.migrate()
    await store.write([record(f"n1-{number:02}", started=NOON + number // 5) for number in range(23)])
    await store.close()
    reader = Reader(url)
    seen: list[str] = []
    place = None
    while page := await reader.newest(Filter(), 4, place):
        seen += ids(page)
        place = page[-1]["started"], page[-1]["call"]
    assert seen == [f"n1-{number:02}" for number in reversed(range(23))]
    await reader.close()


async def test_all_calls_come_in_the_order_they_began_page_by_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", 4)
    url = file_url(tmp_path / "records.db")
    store = Store(url)
    await store.migrate()
    await store.write([record(f"n1-{number:02}", started=NOON + number // 5) for number in range(12)])
    await store.close()
    reader = Reader(url)
    pages = [[story.call["call"] for story in page] async for page in reader.stories(Filter())]
    assert [call for page in pages for call in page] == [f"n1-{number:02}" for number in range(12)]
    assert [len(page) for page in pages] == [4, 4, 4]
    await reader.close()


async def test_a_call_whole_by_its_id_or_its_sip_call_id(url: URL) -> None:
    reader = Reader(url)
    story = await reader.story("n1-1")
    assert story == await reader.story("n1-1@phone")
    assert story is not None
    assert story.call["started"] == moment(NOON)
    assert [(leg["number"], leg["kind"], leg["name"]) for leg in story.legs] == [
        (0, "caller", "+4930123"), (1, "ai", "first"), (2, "ai", "second"),
    ]  # fmt: skip
    assert [one["text"] for one in story.utterances] == ["Harbour office, good morning.", "Moin!"]
    assert [one["path"] for one in story.recordings] == ["/var/lib/sipgw/n1-1.wav"]
    document = story.document()
    assert document["transcript"][0] == {
        "at": moment(NOON + 2), "who": "agent", "text": "Harbour office, good morning.",
    }  # fmt: skip
    assert "number" not in document["recordings"][0]
    assert await reader.story("n1-none") is None
    await reader.close()


async def test_what_is_written_meanwhile_is_read_without_waiting_for_it(url: URL) -> None:
    reader = Reader(url)
    async with connected(url, writing=True) as connection:
        await connection.exec_driver_sql("DELETE FROM calls WHERE call = 'n1-1'")
        assert len(await reader.newest(Filter(), 50)) == 4
    assert len(await reader.newest(Filter(), 50)) == 3
    await reader.close()


async def test_a_database_that_is_not_there_is_said_so_and_not_made(tmp_path: Path) -> None:
    reader = Reader(file_url(tmp_path / "records.db"))
    with pytest.raises(Unavailable, match="cannot be read: OperationalError: unable to open database file"):
        await reader.newest(Filter(), 1)
    await reader.close()
    assert list(tmp_path.iterdir()) == []


async def test_tables_of_another_version_are_named_with_what_to_do(tmp_path: Path) -> None:
    url = file_url(tmp_path / "records.db")
    async with connected(url, writing=True):
        pass
    await _refused(url, "there are no records yet")
    async with connected(url, writing=True) as connection:
        await connection.run_sync(migrate, "0001")
    await _refused(url, "version 0001, this program wants .*sipgw cdr migrate")
    async with connected(url, writing=True) as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await _refused(url, "version 9999: a newer sipgw")


async def _refused(url: URL, why: str) -> None:
    reader = Reader(url)
    with pytest.raises(Unavailable, match=why):
        await reader.newest(Filter(), 1)
    await reader.close()


async def test_ten_thousand_calls_are_listed_and_read_through(tmp_path: Path) -> None:
    url = file_url(tmp_path / "records.db")
    store = Store(url)
    await store.migrate()
    for start in range(0, 10_000, 500):
        await store.write(
            [record(f"n1-{start + one:05}", started=NOON + start + one, transcript=()) for one in range(500)]
        )
    await store.close()
    reader = Reader(url)
    lately = Filter(since=moment(NOON) + timedelta(seconds=9_990))
    assert await reader.count(Filter()) == 10_000
    assert len(await reader.newest(lately, 50)) == 10
    assert sum([len(page) async for page in reader.stories(Filter(backend="second"))]) == 10_000
    await reader.close()
