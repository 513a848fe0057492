"""Which role may do what: every path there is, with every token, and what the audit log says of it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sipgw.ops.api.gateway import BanView
from sipgw.records.engine import file_url
from tests.fakes.api_gateway import view
from tests.ops.api.served import ROLES, Served, bearer, served
from tests.records.reading import filled
from tests.records.records import record

OPEN = {"GET /healthz", "GET /readyz"}
READ = {
    *("GET /v1/calls", "GET /v1/calls/{call}", "GET /v1/events", "GET /v1/prompts", "GET /metrics"),
    *("GET /v1/phones", "GET /v1/records", "GET /v1/records/{call}", "GET /v1/bans"),
}
ACTS = ("hangup", "play", "stop", "dtmf", "hold", "resume", "say")
RECORDING = ("recording/start", "recording/stop", "recording/pause", "recording/resume")
OPERATE = {f"POST /v1/calls/{{call}}/{act}" for act in ACTS + RECORDING} | {"DELETE /v1/bans/{source}"}
ADMIN = {"POST /v1/drain", "POST /v1/reload", "GET /v1/audit"}
BAN = BanView("2001:db8::/64", "not_sip", 1.0, 2.0, True)
BODIES: dict[str, object] = {"play": {"prompt": "greeting"}, "dtmf": {"digits": "1"}, "say": {"text": "Hello."}}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path) as made:
        made.gateway.add(view(1))
        made.gateway.records.url = await filled(file_url(tmp_path / "records.db"), record("n1-0001"))
        made.client.headers.pop("authorization")
        yield made


async def status(api: Served, path: str, headers: dict[str, str]) -> int:
    """What a path answers; of a stream only the beginning."""
    method, _, where = path.partition(" ")
    body = BODIES.get(where.rpartition("/")[2])
    url = where.replace("{call}", "n1-0001").replace("{source}", BAN.source)
    api.gateway.banned = [BAN]
    async with api.client.stream(method, url, headers=headers, json=body) as response:
        return response.status_code


async def test_the_table_below_is_all_there_is(api: Served) -> None:
    paths = (await api.client.get("/openapi.json")).json()["paths"]
    assert {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods} == (
        OPEN | READ | OPERATE | ADMIN
    )


@pytest.mark.parametrize("path", sorted(OPEN | READ | OPERATE | ADMIN))
async def test_every_path_with_every_role(api: Served, path: str) -> None:
    lowest = next((role for role, paths in zip(ROLES, (READ, OPERATE, ADMIN), strict=True) if path in paths), "")
    for role in ROLES:
        allowed = not lowest or ROLES.index(role) >= ROLES.index(lowest)
        answered = await status(api, path, bearer(role))
        assert (answered < 300) if allowed else (answered == 403), f"{role} gets {answered}"
    answered = await status(api, path, {})
    assert (answered == 401) if lowest else (answered == 200)


@pytest.mark.parametrize("header", ["Bearer wrong-token-of-a-test", "Bearer", "Basic cmVhZA==", "read-token-of-a-test"])
async def test_what_is_no_token(api: Served, header: str) -> None:
    response = await api.client.get("/v1/calls", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["detail"]


async def test_a_token_in_the_url_is_none(api: Served) -> None:
    assert (await api.client.get("/v1/calls", params={"token": "admin-token-of-a-test"})).status_code == 401


async def test_guessing_takes_long(api: Served) -> None:
    for _ in range(20):
        await api.client.get("/v1/calls", headers=bearer("wrong"))
    response = await api.client.get("/v1/calls", headers=bearer("read"))
    assert response.status_code == 429
    assert 0 < int(response.headers["retry-after"]) <= 61


# --- what is written down -----------------------------------------------------------------------------------------


async def entries(api: Served) -> list[dict[str, Any]]:
    """The audit log, the oldest first, without the times."""
    page = (await api.client.get("/v1/audit", headers=bearer("admin"))).json()["entries"]
    return [{key: value for key, value in one.items() if key != "when"} for one in reversed(page)]


async def test_what_was_done_and_what_was_not(api: Served) -> None:
    await api.client.post("/v1/calls/n1-0001/dtmf", json={"digits": "4711"}, headers=bearer("operate"))
    await api.client.post("/v1/calls/n1-9999/hangup", headers=bearer("operate"))
    await api.client.post("/v1/drain", headers=bearer("read"))
    await api.client.post("/v1/drain", headers=bearer("admin"))
    await api.client.get("/v1/calls", headers=bearer("wrong"))
    await api.client.get("/v1/calls", headers=bearer("read"))
    common = {"source": "127.0.0.1"}
    assert await entries(api) == [
        {**common, "who": "the-operateer", "what": "POST /v1/calls/n1-0001/dtmf", "call": "n1-0001", "outcome": "done"},
        {
            **common,
            "who": "the-operateer",
            "what": "POST /v1/calls/n1-9999/hangup",
            "call": "n1-9999",
            "outcome": "no-such-call",
        },
        {**common, "who": "the-reader", "what": "POST /v1/drain", "call": "", "outcome": "role-too-low"},
        {**common, "who": "the-adminer", "what": "POST /v1/drain", "call": "", "outcome": "done"},
        {**common, "who": "", "what": "GET /v1/calls", "call": "", "outcome": "bad-token"},
    ]


async def test_the_log_has_it_too_and_neither_has_keys_or_tokens(api: Served, tmp_path: Path) -> None:
    await api.client.post("/v1/calls/n1-0001/dtmf", json={"digits": "4711"}, headers=bearer("operate"))
    assert len(await entries(api)) == 1
    (line,) = [json.loads(one) for one in api.log.getvalue().splitlines()]
    assert (line["event"], line["who"], line["call"], line["outcome"]) == ("audit", "the-operateer", "n1-0001", "done")
    for text in (api.log.getvalue(), (tmp_path / "audit.jsonl").read_text()):
        assert "4711" not in text
        assert "operate-token" not in text
