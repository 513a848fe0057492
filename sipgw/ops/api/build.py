"""Puts the API's parts together into one ASGI app."""

from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Security
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp

from sipgw.ops.api import page, problems
from sipgw.ops.api.admin import admin
from sipgw.ops.api.bans import bans
from sipgw.ops.api.calls import calls
from sipgw.ops.api.desk import BEARER, Desk
from sipgw.ops.api.events import events
from sipgw.ops.api.gate import Gate
from sipgw.ops.api.health import counters, open_to_all
from sipgw.ops.api.phones import phones
from sipgw.ops.api.problems import Problem
from sipgw.ops.api.records import records
from sipgw.options import ApiOptions

_ABOUT = (
    "Calls as they stand, what happens in them, and what may be done with them. Every path but /healthz and /readyz "
    "wants a token: Authorization: Bearer …. One with the role read may look, operate may steer calls, admin may do "
    "all. Whatever goes wrong is told as problem details (RFC 9457)."
)
_STATUSES = {
    401: "No token, or none that is known.",
    403: "The token's role does not allow it, or the page that asks is not allowed to.",
    404: "There is no such call, or no such record.",
    409: "The call is not in a state for it.",
    422: "What was sent makes no sense.",
    429: "Too many bad tokens from this address.",
    503: "What it needs is not there now: the database of records.",
}


def build(desk: Desk, options: ApiOptions) -> ASGIApp:
    """The API."""
    app = FastAPI(title="sipgw", version=version("sipgw"), description=_ABOUT, docs_url=None, redoc_url=None)
    problems.handle_in(app)
    refusals: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": text} for status, text in _STATUSES.items()
    }
    app.include_router(events(desk), responses=refusals)
    for router in (calls(desk), phones(desk), records(desk), bans(desk), admin(desk), counters(desk)):
        app.include_router(router, responses=refusals, dependencies=[Security(BEARER)])
    app.include_router(open_to_all(desk))

    @cache
    def description() -> dict[str, Any]:
        return _with_problems(
            get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        )

    @cache
    def docs() -> str:
        return page.page(description())

    app.openapi = description  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    async def show_docs() -> HTMLResponse:
        return HTMLResponse(docs(), headers=page.HEADERS)

    return Gate(app, options.hosts, options.origins)


def _with_problems(description: dict[str, Any]) -> dict[str, Any]:
    """FastAPI describes every model as plain JSON; ours have a media type of their own."""
    for methods in description["paths"].values():
        for operation in methods.values():
            for response in operation["responses"].values():
                content = response.get("content", {})
                if content.get("application/json", {}).get("schema", {}).get("$ref", "").endswith("/Problem"):
                    content[problems.MEDIA_TYPE] = content.pop("application/json")
    return description
