"""The API over a real socket, for a gateway on paper."""

import contextlib
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import structlog
from starlette.types import ASGIApp

from sipgw.flow import Endpoint
from sipgw.ops.api.access import Access
from sipgw.ops.api.audit import AuditLog
from sipgw.ops.api.build import build
from sipgw.ops.api.desk import Desk
from sipgw.ops.api.server import ApiServer
from sipgw.ops.api.stream import Streams
from sipgw.options import ApiOptions, TokenOptions
from tests.fakes.api_gateway import FakeGateway

ROLES = ("read", "operate", "admin")
TOKENS = tuple(TokenOptions(f"the-{role}er", role, f"{role}-token-of-a-test") for role in ROLES)


def bearer(role: str) -> dict[str, str]:
    """The header of whoever has this role."""
    return {"Authorization": f"Bearer {role}-token-of-a-test"}


@dataclass
class Served:
    """A running API and its client, who is an admin unless a request says otherwise."""

    gateway: FakeGateway
    client: httpx.AsyncClient
    address: Endpoint
    streams: Streams
    audit: AuditLog
    log: io.StringIO


def logger(stream: io.StringIO) -> structlog.typing.FilteringBoundLogger:
    """Writes JSON lines."""
    made: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(20),
    )
    return made


@contextlib.contextmanager
def app_of(gateway: FakeGateway, folder: Path) -> Iterator[ASGIApp]:
    """The API without a server."""
    audit = AuditLog(folder / "audit.jsonl", logger(io.StringIO()))
    yield build(Desk(gateway, Access(TOKENS), audit, Streams(gateway.feed, "run1")), ApiOptions())
    audit.close()


@contextlib.asynccontextmanager
async def served(folder: Path, **options: object) -> AsyncIterator[Served]:
    """Serves on a free port until the end of the block."""
    gateway, log = FakeGateway(), io.StringIO()
    streams, audit = Streams(gateway.feed, "run1"), AuditLog(folder / "audit.jsonl", logger(log))
    desk = Desk(gateway, Access(TOKENS), audit, streams)
    server = ApiServer(build(desk, ApiOptions(**options)), streams)  # type: ignore[arg-type]
    await server.open("127.0.0.1", 0)
    host, port = server.address
    try:
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", headers=bearer("admin"), timeout=5.0) as client:
            yield Served(gateway, client, (host, port), streams, audit, log)
    finally:
        await server.close()
        audit.close()
