"""Whatever is sent to whatever path: an answer that its description knows, and never a defect."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.api_gateway import FakeGateway, view
from tests.ops.api.served import app_of, bearer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ("prompt", "digits", "duration_ms", "gap_ms", "music", "text")
BODY = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON | st.sampled_from(["greeting", "12#", 200])))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
QUERY = st.dictionaries(st.sampled_from(["state", "caller", "target", "after", "limit"]), TEXT, max_size=3)


async def operations(client: httpx.AsyncClient) -> list[tuple[str, str, set[int]]]:
    """Method, path and the statuses it may answer with, of everything that ends by itself."""
    paths: dict[str, Any] = (await client.get("/openapi.json")).json()["paths"]
    return [
        (method.upper(), path, {int(status) for status in operation["responses"]})
        for path, methods in paths.items()
        for method, operation in methods.items()
        if path != "/v1/events"
    ]


@pytest.fixture(params=["", "the call is on hold"])
async def client(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """An admin of a gateway with one call, to which anything can be done, or nothing."""
    gateway = FakeGateway(refusal=request.param)
    gateway.add(view(1))
    with app_of(gateway, tmp_path) as app:
        transport, headers = httpx.ASGITransport(app), bearer("admin")
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as made:
            yield made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_nothing_is_answered_that_is_not_described(client: httpx.AsyncClient, data: st.DataObject) -> None:
    method, path, known = data.draw(st.sampled_from(await operations(client)), "operation")
    call = quote(data.draw(st.just("n1-0001") | TEXT, "call") or "-", safe="")
    response = await client.request(
        method,
        path.replace("{call}", call),
        params=data.draw(QUERY, "query"),
        json=data.draw(BODY | JSON, "body") if method == "POST" else None,
    )
    # A call's id may make another path of it.
    assert response.status_code in known | {404, 405}, response.text
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"
