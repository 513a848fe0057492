"""`/v1/records`: calls that are over. They are read in the keeper's thread, so that no call waits for a database."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from sipgw.ops.api.access import Role
from sipgw.ops.api.desk import Desk
from sipgw.ops.api.problems import Refusal
from sipgw.ops.api.record_models import RecordPage, WholeRecord
from sipgw.records.reading import Filter, Place

_Word = Annotated[str, Query(max_length=200)]


def records(desk: Desk) -> APIRouter:
    """Its paths."""
    router = APIRouter(prefix="/v1/records", tags=["records"], dependencies=[Depends(desk.may(Role.READ))])
    kept = desk.gateway.records

    @router.get("")
    async def list_records(
        since: Annotated[datetime | None, Query(description="Only calls that began then or later.")] = None,
        until: Annotated[datetime | None, Query(description="Only calls that began before then.")] = None,
        number: Annotated[
            str, Query(description="Only calls from or to this number; a `*` at its end stands for the rest.")
        ] = "",
        cause: _Word = "",
        route: _Word = "",
        trunk: _Word = "",
        backend: Annotated[str, Query(description="Only calls for which this backend was tried.")] = "",
        before: Annotated[str, Query(description="`next` of the page before.", max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> RecordPage:
        """Calls that are over, the newest first."""
        wanted = Filter(_zoned(since), _zoned(until), number, cause, route, trunk, backend)
        place = _place(before) if before else None
        return RecordPage.of(await kept.read(lambda reader: reader.newest(wanted, limit + 1, place)), limit)

    @router.get("/{call}")
    async def show_record(
        call: Annotated[str, Path(description="A call's id, or its SIP Call-ID.", max_length=200)],
    ) -> WholeRecord:
        """All there is of one call: its legs, its words, its recordings."""
        story = await kept.read(lambda reader: reader.story(call))
        if story is None:
            raise Refusal(404, "no-such-record", f"there is no record of a call {call!r}; one that runs has none yet")
        return WholeRecord.of(story)

    return router


def _zoned(when: datetime | None) -> datetime | None:
    """Without a zone it is UTC."""
    return when.replace(tzinfo=UTC) if when is not None and when.tzinfo is None else when


def _place(text: str) -> Place:
    when, _, call = text.partition("~")
    try:
        started = datetime.fromisoformat(when)
    except ValueError:
        raise Refusal(422, "bad-request", "before: is not the `next` of a page") from None
    return started.replace(tzinfo=UTC) if started.tzinfo is None else started, call
