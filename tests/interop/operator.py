"""Whoever steers the calls of a running gateway through its API."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from tests.interop.gateway import LIMIT, Gateway, running
from tests.ports import free_port

_TOKEN = "a-token-of-a-test"


class Operator:
    """An admin of the gateway."""

    def __init__(self, gateway: Gateway, client: httpx.AsyncClient) -> None:
        self.gateway, self.client = gateway, client
        self._cursor = ""

    async def talking(self) -> str:
        """The id of the one call there is, once its conversation is open."""
        async with asyncio.timeout(LIMIT):
            while True:
                calls = (await self.client.get("/v1/calls", params={"state": "talking"})).json()["calls"]
                if calls:
                    return str(calls[0]["id"])
                await asyncio.sleep(0.05)

    async def does(self, call: str, act: str, **body: object) -> None:
        """Has something done."""
        response = await self.client.post(f"/v1/calls/{call}/{act}", json=body or None)
        assert response.status_code == 202, response.text
        self._cursor = response.json()["cursor"]

    async def sees(self, kind: str) -> dict[str, Any]:
        """What came of the last one: the first event of a kind since then."""
        query = {"cursor": self._cursor, "kind": kind}
        async with asyncio.timeout(LIMIT), self.client.stream("GET", "/v1/events", params=query) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    data: dict[str, Any] = json.loads(line.removeprefix("data: "))["data"]
                    return data
        raise AssertionError(f"no {kind}")


@contextlib.asynccontextmanager
async def operated(folder: Path, settings: dict[str, Any] | None = None) -> AsyncIterator[Operator]:
    """A gateway with an API, and its operator."""
    port = free_port()
    api = {"port": port, "tokens": [{"name": "operator", "role": "admin", "token": _TOKEN}]}
    async with (
        running(folder, {"api": api, **(settings or {})}) as gateway,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {_TOKEN}"}, timeout=LIMIT
        ) as client,
    ):
        yield Operator(gateway, client)
