"""`/v1/calls`: the calls there are, and what can be done with one."""

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from sipgw.call.commands import (
    Command,
    HangUpCall,
    HoldCall,
    NoSuchCall,
    PauseRecording,
    PlayPrompt,
    ResumeCall,
    ResumeRecording,
    SayText,
    SendDigits,
    StartRecording,
    StopPrompt,
    StopRecording,
)
from sipgw.call.view import CallView
from sipgw.ops.api.access import Role, Who
from sipgw.ops.api.desk import Desk
from sipgw.ops.api.gateway import Gateway
from sipgw.ops.api.models import Accepted, Call, CallPage, Digits, Hold, Play, Say
from sipgw.ops.api.problems import Refusal

_AT_ONCE = 200
"""Calls looked at before the loop gets its turn."""
CallId = Annotated[str, Path(description="A call's id, as listed.", max_length=100)]


def calls(desk: Desk) -> APIRouter:
    """Its paths."""
    router = APIRouter(prefix="/v1/calls", tags=["calls"])
    _reading(router, desk)
    _steering(router, desk)
    return router


def _reading(router: APIRouter, desk: Desk) -> None:
    gateway, reader = desk.gateway, Depends(desk.may(Role.READ))

    @router.get("", dependencies=[reader])
    async def list_calls(
        state: Annotated[str, Query(description="Only those in this state, such as `talking`.")] = "",
        caller: Annotated[str, Query(description="Only those from this number.")] = "",
        called: Annotated[str, Query(description="Only those to this number.")] = "",
        target: Annotated[str, Query(description="Only those with this backend.")] = "",
        after: Annotated[int, Query(description="`next` of the page before.", ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> CallPage:
        """The calls there are, the oldest first."""

        def wanted(view: CallView) -> bool:
            if view.serial <= after:
                return False
            pairs = ((state, view.state), (caller, view.caller), (called, view.called), (target, view.target))
            return all(not asked or asked == found for asked, found in pairs)

        return await _page(gateway, wanted, limit)

    @router.get("/{call}", dependencies=[reader])
    async def show_call(call: CallId) -> Call:
        """One call."""
        view = gateway.call(call)
        if view is None:
            raise NoSuchCall(call)
        return Call.of(view)


def _steering(router: APIRouter, desk: Desk) -> None:
    operator = Annotated[Who, Depends(desk.may(Role.OPERATE))]

    def carry_out(request: Request, who: Who, command: Command) -> Accepted:
        cursor = desk.streams.cursor
        with desk.noted(request, who, command.call):
            desk.gateway.command(command)
        return Accepted(cursor=cursor)

    @router.post("/{call}/hangup", status_code=202)
    async def hang_up(request: Request, who: operator, call: CallId) -> Accepted:
        """End a call; one that rings is refused."""
        return carry_out(request, who, HangUpCall(call))

    @router.post("/{call}/play", status_code=202)
    async def play(request: Request, who: operator, call: CallId, body: Play) -> Accepted:
        """Play a prompt to the caller. The AI is silent and hears nothing meanwhile; then the conversation goes on."""
        _check_prompt(desk.gateway, body.prompt)
        return carry_out(request, who, PlayPrompt(call, body.prompt))

    @router.post("/{call}/stop", status_code=202)
    async def stop(request: Request, who: operator, call: CallId) -> Accepted:
        """End the prompt that plays."""
        return carry_out(request, who, StopPrompt(call))

    @router.post("/{call}/dtmf", status_code=202)
    async def dtmf(request: Request, who: operator, call: CallId, body: Digits) -> Accepted:
        """Press keys towards the far end (RFC 4733)."""
        return carry_out(request, who, SendDigits(call, body.digits.upper(), body.duration_ms, body.gap_ms))

    @router.post("/{call}/hold", status_code=202)
    async def hold(request: Request, who: operator, call: CallId, body: Hold | None = None) -> Accepted:
        """Put the caller on hold. `call.held` says that it is; `call.hold_failed` that the far end refused."""
        music = body.music if body is not None else None
        if music:
            _check_prompt(desk.gateway, music)
        return carry_out(request, who, HoldCall(call, music))

    @router.post("/{call}/resume", status_code=202)
    async def resume(request: Request, who: operator, call: CallId) -> Accepted:
        """Take the caller off hold."""
        return carry_out(request, who, ResumeCall(call))

    @router.post("/{call}/recording/start", status_code=202)
    async def start_recording(request: Request, who: operator, call: CallId) -> Accepted:
        """Record the call. `call.recording` tells where, `call.recorded` when the file is complete."""
        return carry_out(request, who, StartRecording(call))

    @router.post("/{call}/recording/stop", status_code=202)
    async def stop_recording(request: Request, who: operator, call: CallId) -> Accepted:
        """End the recording; it may be started again, as another file."""
        return carry_out(request, who, StopRecording(call))

    @router.post("/{call}/recording/pause", status_code=202)
    async def pause_recording(request: Request, who: operator, call: CallId) -> Accepted:
        """Leave out what is said from now on, a card's digits say: silence, true to time."""
        return carry_out(request, who, PauseRecording(call))

    @router.post("/{call}/recording/resume", status_code=202)
    async def resume_recording(request: Request, who: operator, call: CallId) -> Accepted:
        """Go on after a pause."""
        return carry_out(request, who, ResumeRecording(call))

    @router.post("/{call}/say", status_code=202)
    async def say(request: Request, who: operator, call: CallId, body: Say) -> Accepted:
        """Ask the AI to say something."""
        return carry_out(request, who, SayText(call, body.text))


def _check_prompt(gateway: Gateway, prompt: str) -> None:
    if prompt not in gateway.prompts:
        raise Refusal(422, "no-such-prompt", f"there is no prompt {prompt!r}; GET /v1/prompts lists those there are")


async def _page(gateway: Gateway, wanted: Callable[[CallView], bool], limit: int) -> CallPage:
    ids = gateway.call_ids()
    found: list[CallView] = []
    for number, call in enumerate(ids, 1):
        view = gateway.call(call)  # None where it ended while others had their turn
        if view is not None and wanted(view):
            found.append(view)
        if len(found) > limit:
            break
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
    page = found[:limit]
    more = page[-1].serial if len(found) > limit else None
    return CallPage(calls=[Call.of(view) for view in page], next=more, total=len(ids))
