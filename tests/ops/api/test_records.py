"""Records of calls over the API."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipgw.ops.api.record_models import Record, RecordingFile, RecordLeg, Words
from sipgw.records.engine import file_url
from sipgw.records.schema import calls, legs, recordings, utterances
from tests.ops.api.served import Served, served
from tests.records.reading import filled


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path) as made:
        made.gateway.records.url = await filled(file_url(tmp_path / "records.db"))
        yield made


async def test_calls_that_are_over_the_newest_first(api: Served) -> None:
    page = (await api.client.get("/v1/records")).json()
    assert [one["call"] for one in page["records"]] == ["n1-4", "n1-3", "n1-2", "n1-1"]
    assert page["next"] is None
    one = page["records"][3]
    assert (one["caller"], one["started"], one["turn_p50_ms"]) == ("+4930123", "2023-11-15T12:00:00Z", 500)


async def test_pages(api: Served) -> None:
    first = (await api.client.get("/v1/records?limit=3")).json()
    assert [one["call"] for one in first["records"]] == ["n1-4", "n1-3", "n1-2"]
    second = (await api.client.get("/v1/records", params={"limit": 3, "before": first["next"]})).json()
    assert ([one["call"] for one in second["records"]], second["next"]) == (["n1-1"], None)
    wrong = await api.client.get("/v1/records?before=yesterday")
    assert (wrong.status_code, wrong.json()["type"]) == (422, "tag:sipgw,2026:bad-request")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"since": "2023-11-15T12:00:20Z"}, ["n1-4", "n1-3"]),
        ({"since": "2023-11-15T12:00:20"}, ["n1-4", "n1-3"]),
        ({"until": "2023-11-15T13:00:20+01:00"}, ["n1-2", "n1-1"]),
        ({"number": "+49*", "cause": "normal"}, ["n1-1"]),
        ({"trunk": "carrier"}, ["n1-4"]),
        ({"route": "1*", "backend": "first", "limit": 1}, ["n1-3"]),
    ],
)
async def test_filters(api: Served, asked: dict[str, str | int], found: list[str]) -> None:
    page = (await api.client.get("/v1/records", params=asked)).json()
    assert [one["call"] for one in page["records"]] == found


async def test_one_call_whole(api: Served) -> None:
    for name in ("n1-1", "n1-1@phone"):
        told = (await api.client.get(f"/v1/records/{name}")).json()
        assert told["call"] == "n1-1"
        assert [leg["name"] for leg in told["legs"]] == ["+4930123", "first", "second"]
        assert told["transcript"][1] == {"at": "2023-11-15T12:00:05Z", "who": "caller", "text": "Moin!"}
        assert told["recordings"][0]["paused"] == [[3.0, 7.5]]


async def test_what_is_not_there_and_a_database_that_is_not(api: Served) -> None:
    none = await api.client.get("/v1/records/n1-99")
    assert (none.status_code, none.json()["type"]) == (404, "tag:sipgw,2026:no-such-record")
    api.gateway.records.url = None
    for path in ("/v1/records", "/v1/records/n1-1"):
        gone = await api.client.get(path)
        assert (gone.status_code, gone.json()["type"]) == (503, "tag:sipgw,2026:unavailable")
        assert gone.json()["detail"] == "the records cannot be read: it is gone"


def test_every_column_has_its_field() -> None:
    for model, table in ((Record, calls), (RecordLeg, legs), (Words, utterances), (RecordingFile, recordings)):
        below = () if model is Record else ("call",)
        columns = {column.name for column in table.columns} - set(below)
        assert set(model.model_fields) | ({"number"} & columns) == columns, table.name
