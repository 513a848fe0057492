"""Errors in one shape, whatever went wrong: problem details (RFC 9457) that say what to do."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from sipgw.call.commands import NoSuchCall, WrongState
from sipgw.errors import Unavailable

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong, and what to do about it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str
    """Names the kind of problem: `tag:sipgw,2026:` and a word that does not change."""
    title: str
    status: int
    detail: str
    """What went wrong this time, and what to do."""


class Refusal(Exception):
    """What was asked is not done.

    Args:
        status: of the response.
        kind: a word for programs.
        detail: a sentence for people, which says what to do.
        headers: further headers.
    """

    def __init__(self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """As it is sent."""
        return JSONResponse(self.problem.model_dump(), self.status, self.headers, MEDIA_TYPE)

    @property
    def problem(self) -> Problem:
        """As its recipient reads it."""
        title = HTTPStatus(self.status).phrase
        return Problem(type=f"tag:sipgw,2026:{self.kind}", title=title, status=self.status, detail=self.detail)


def of(error: Exception) -> Refusal:
    """What an exception means to whoever asked."""
    match error:
        case Refusal():
            return error
        case NoSuchCall():
            return Refusal(404, "no-such-call", f"{error}; GET /v1/calls lists those there are")
        case WrongState():
            return Refusal(409, "wrong-state", str(error))
        case Unavailable():
            return Refusal(503, "unavailable", str(error))
        case RequestValidationError():
            return Refusal(422, "bad-request", "; ".join(map(_said, error.errors())))
        case HTTPException(status_code=404):
            return Refusal(404, "no-such-path", "there is nothing here; GET /docs shows what there is")
        case HTTPException():
            return Refusal(error.status_code, "bad-request", str(error.detail), error.headers)
    return Refusal(500, "defect", "a defect of the gateway; its log has more")


def handle_in(app: FastAPI) -> None:
    """Answer every error of the app so."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        return of(error).response()

    for kind in (Refusal, NoSuchCall, WrongState, Unavailable, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer)


def _said(error: Mapping[str, object]) -> str:
    where = error["loc"]
    place = ".".join(map(str, where)) if isinstance(where, tuple) else str(where)
    return f"{place}: {error['msg']}"
