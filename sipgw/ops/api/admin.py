"""What concerns the gateway as a whole: prompts, draining, its configuration, the audit log."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from sipgw.ops.api.access import Role, Who
from sipgw.ops.api.desk import Desk
from sipgw.ops.api.models import AuditEntry, AuditPage, Draining, Prompt, Reloaded
from sipgw.ops.api.problems import Refusal


def admin(desk: Desk) -> APIRouter:
    """Its paths."""
    router, gateway = APIRouter(prefix="/v1"), desk.gateway
    administrator = Annotated[Who, Depends(desk.may(Role.ADMIN))]

    @router.get("/prompts", tags=["calls"], dependencies=[Depends(desk.may(Role.READ))])
    async def prompts() -> list[Prompt]:
        """What can be played."""
        return [Prompt(name=name, seconds=round(seconds, 2)) for name, seconds in sorted(gateway.prompts.items())]

    @router.post("/drain", tags=["gateway"], status_code=202)
    async def drain(request: Request, who: administrator) -> Draining:
        """Take no new calls (503 with Retry-After). Running ones may finish, for a time; SIGTERM ends the process."""
        with desk.noted(request, who):
            gateway.start_draining()
        return Draining(calls=len(gateway.call_ids()))

    @router.post("/reload", tags=["gateway"])
    async def reload(request: Request, who: administrator) -> Reloaded:
        """Read the configuration again. One with a mistake changes nothing; running calls keep what they had."""
        with desk.noted(request, who):
            outcome = await gateway.read_settings()
            if outcome.problems:
                raise Refusal(422, "bad-configuration", "; ".join(outcome.problems))
        return Reloaded(taken=list(outcome.taken), restart=list(outcome.restart), warnings=list(outcome.warnings))

    @router.get("/audit", tags=["gateway"])
    async def audit(who: administrator, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> AuditPage:
        """What was done with tokens, the newest first."""
        return AuditPage(entries=[AuditEntry(**asdict(entry)) for entry in await desk.audit.newest(limit)])

    return router
