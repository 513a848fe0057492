"""For whoever watches: alive, ready for calls, and the counters."""

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from sipgw.ops.api.access import Role
from sipgw.ops.api.desk import Desk
from sipgw.ops.api.models import Ready


def open_to_all(desk: Desk) -> APIRouter:
    """What needs no token."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> dict[str, bool]:
        """The process is alive and its loop turns."""
        return {"alive": True}

    @router.get("/readyz", response_model=Ready, responses={503: {"model": Ready, "description": "Not now."}})
    async def readyz() -> JSONResponse:
        """Whether new calls are taken: 200, or 503 with the reasons."""
        reasons = list(desk.gateway.unready())
        return JSONResponse(Ready(ready=not reasons, reasons=reasons).model_dump(), 503 if reasons else 200)

    return router


def counters(desk: Desk) -> APIRouter:
    """`/metrics`, with a token; `metrics.port` serves the same without one."""
    router = APIRouter(tags=["health"])

    @router.get(
        "/metrics",
        dependencies=[Depends(desk.may(Role.READ))],
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        """Prometheus's text format."""
        return Response(desk.gateway.metrics.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router
