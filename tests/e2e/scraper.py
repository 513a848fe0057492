"""Reads a gateway's metrics."""

import asyncio

from tests.e2e.phone import HOST


async def scrape(port: int) -> dict[str, float]:
    """Every sample by its name and labels, as written."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: gateway\r\n\r\n")
    head, _, body = (await asyncio.wait_for(reader.read(), 5)).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    assert head.startswith("HTTP/1.1 200 OK")
    rows = (line.rpartition(" ") for line in body.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}
