"""The gateway as a whole: health, counters, prompts, draining, reloading; and the description of it all."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sipgw.ops.api.gateway import BanView, Reload
from tests.fakes.api_gateway import view
from tests.ops.api.served import Served, served


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path) as made:
        yield made


async def test_alive_and_ready(api: Served) -> None:
    assert (await api.client.get("/healthz")).json() == {"alive": True}
    assert (await api.client.get("/readyz")).json() == {"ready": True, "reasons": []}
    api.gateway.reasons = ["draining"]
    response = await api.client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"ready": False, "reasons": ["draining"]})
    # It lives as before.
    assert (await api.client.get("/healthz")).status_code == 200


async def test_counters(api: Served) -> None:
    api.gateway.metrics.call_began()
    response = await api.client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert "sipgw_calls_active 1.0" in response.text


async def test_bans_are_listed_and_lifted(api: Served) -> None:
    ban = BanView("192.0.2.7", "wrong_credentials", 1.0, 601.0, datagrams_only=True)
    api.gateway.banned = [ban]
    assert (await api.client.get("/v1/bans")).json() == {"bans": [asdict(ban)]}
    assert (await api.client.delete("/v1/bans/192.0.2.7")).json() == {"source": "192.0.2.7"}
    assert (await api.client.get("/v1/bans")).json() == {"bans": []}
    again = await api.client.delete("/v1/bans/192.0.2.7")
    assert (again.status_code, again.json()["type"].rpartition("/")[2].rpartition(":")[2]) == (404, "no-such-ban")


async def test_prompts(api: Served) -> None:
    assert (await api.client.get("/v1/prompts")).json() == [
        {"name": "greeting", "seconds": 4.1},
        {"name": "hold", "seconds": 8.0},
    ]


async def test_draining(api: Served) -> None:
    api.gateway.add(view(1))
    response = await api.client.post("/v1/drain")
    assert (response.status_code, response.json()) == (202, {"calls": 1})
    assert api.gateway.draining


async def test_reloading(api: Served) -> None:
    api.gateway.reloaded = Reload(taken=("calls.max_calls",), restart=("sip.port",), warnings=("think",))
    assert (await api.client.post("/v1/reload")).json() == {
        "taken": ["calls.max_calls"],
        "restart": ["sip.port"],
        "warnings": ["think"],
    }


async def test_a_bad_configuration_is_told_with_its_line(api: Served) -> None:
    api.gateway.reloaded = Reload(problems=("my.yaml:3: sip.prot: unknown key; port?",))
    response = await api.client.post("/v1/reload")
    assert response.status_code == 422
    assert "my.yaml:3" in response.json()["detail"]


async def test_the_description_fits_what_is_sent(api: Served) -> None:
    api.client.headers.pop("authorization")
    description = (await api.client.get("/openapi.json")).json()
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], f"{method} {path} says nothing of itself"
            assert operation["tags"]
            if path in ("/healthz", "/readyz"):
                assert "security" not in operation
                continue
            assert operation["security"] == [{"HTTPBearer": []}], path
            for status in ("401", "403", "422"):
                assert list(operation["responses"][status]["content"]) == ["application/problem+json"], (path, status)
    assert "HTTPValidationError" not in description["components"]["schemas"]


class Links(HTMLParser):
    """Everything a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.found += [value or "" for name, value in attrs if name in ("href", "src")]
        self.ids |= {value or "" for name, value in attrs if name == "id"}


async def test_the_page_needs_no_network(api: Served) -> None:
    api.client.headers.pop("authorization")
    response = await api.client.get("/docs")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    links = Links()
    links.feed(response.text)
    assert not links.tags & {"script", "link", "img"}
    assert all(link == "openapi.json" or link.removeprefix("#") in links.ids for link in links.found), links.found
    for path in ("/v1/calls/{call}/hold", "/v1/events", "/readyz"):
        assert f"<code>{path}</code>" in response.text
