"""`/v1/bans`: the sources that get nothing for a while, and how to let one in again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from sipgw.ops.api.access import Role, Who
from sipgw.ops.api.desk import Desk
from sipgw.ops.api.models import BanList, Banned, Lifted
from sipgw.ops.api.problems import Refusal

Source = Annotated[
    str,
    Path(description="An address, or the IPv6 range as it is listed.", max_length=100, pattern=r"^[0-9a-fA-F.:/]+$"),
]


def bans(desk: Desk) -> APIRouter:
    """Its paths."""
    router, gateway = APIRouter(prefix="/v1/bans", tags=["gateway"]), desk.gateway

    @router.get("", dependencies=[Depends(desk.may(Role.READ))])
    async def list_bans() -> BanList:
        """Who is banned, the oldest first."""
        return BanList(bans=[Banned.of(ban) for ban in gateway.bans()])

    @router.delete("/{source:path}")
    async def lift_ban(
        request: Request, who: Annotated[Who, Depends(desk.may(Role.OPERATE))], source: Source
    ) -> Lifted:
        """Let a source in again."""
        with desk.noted(request, who):
            if not gateway.lift(source):
                raise Refusal(404, "no-such-ban", f"{source} is not banned; GET /v1/bans lists those that are")
        return Lifted(source=source)

    return router
