"""`/v1/phones`: the phones of the configuration, and where each is registered."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from sipgw.ops.api.access import Role
from sipgw.ops.api.desk import Desk
from sipgw.ops.api.models import Model


class Contact(Model):
    """One place where a phone is registered. Times are Unix times."""

    uri: str
    """Its own address."""
    source: str
    """Transport and address it registered from."""
    q: float
    """From 0 to 1: how much it likes to be called there."""
    registered: float
    """Since when."""
    expires: float
    instance: str
    """Which device it is; empty where it does not say."""
    user_agent: str
    path: list[str]
    """Proxies between us and it."""


class Phone(Model):
    """One phone."""

    name: str
    user: str
    """Its extension."""
    display_name: str
    contacts: list[Contact]
    """The best first; none where it is not registered."""


class PhonePage(Model):
    """Some phones, by name."""

    phones: list[Phone]
    next: str | None
    """Ask for what comes `after` it; null where there is no more."""


def phones(desk: Desk) -> APIRouter:
    """Its path."""
    router = APIRouter(prefix="/v1/phones", tags=["phones"])

    @router.get("", dependencies=[Depends(desk.may(Role.READ))])
    async def list_phones(
        after: Annotated[str, Query(description="`next` of the page before.", max_length=100)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> PhonePage:
        """The phones of the configuration by name, and where each is registered."""
        found = desk.gateway.phones(after, limit + 1)
        page = [Phone(**asdict(view)) for view in found[:limit]]
        return PhonePage(phones=page, next=page[-1].name if len(found) > limit else None)

    return router
