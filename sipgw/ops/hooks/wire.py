"""What a hook is sent and what it may answer, in JSON; `hook.schema.json` is made from this."""

from typing import Annotated, Any

import msgspec

from sipgw.call.advice import Advice, Question, Rejection

# `$` alone would let a line end pass that comes last.
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$(?!\n)", max_length=64)]
HeaderName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$(?!\n)", max_length=64)]
HeaderValue = Annotated[str, msgspec.Meta(pattern=r"^[\x20-\x7e]*$(?!\n)", max_length=4096)]


class Reject(msgspec.Struct, forbid_unknown_fields=True):
    """Refuse the call."""

    status: Annotated[int, msgspec.Meta(ge=400, le=699, description="SIP status code.")]
    reason: Annotated[str, msgspec.Meta(max_length=80, description="Reason phrase; left out means the usual one.")] = ""


class Answer(msgspec.Struct, forbid_unknown_fields=True, rename={"go_on": "continue"}):
    """Says one of three things: `backend`, `reject`, or `continue: true`, which leaves it to the next target."""

    backend: Annotated[str, msgspec.Meta(description="Name of the backend that is to take the call.")] = ""
    settings: Annotated[dict[str, Any], msgspec.Meta(description="Take the place of that backend's own settings.")] = {}
    headers: Annotated[
        dict[HeaderName, HeaderValue],
        msgspec.Meta(description="Sent besides that backend's own when its connection is opened."),
    ] = {}
    reject: Reject | None = None
    go_on: Annotated[bool, msgspec.Meta(description="Leave it to the next target.")] = False
    variables: Annotated[
        dict[Name, str],
        msgspec.Meta(description="Told to whoever takes the call, and put in the place of {name} in its settings."),
    ] = {}
    instructions: Annotated[
        str, msgspec.Meta(max_length=65_536, description="How whoever takes the call is to behave.")
    ] = ""
    ring: Annotated[
        bool | None,
        msgspec.Meta(description="Whether the caller hears ringing meanwhile; left out: as the route has it."),
    ] = None

    def __post_init__(self) -> None:
        if [bool(self.backend), self.reject is not None, self.go_on].count(True) != 1:
            raise ValueError("say one of backend, reject and continue: true")
        if not self.backend and (self.settings or self.headers):
            raise ValueError("settings and headers need the backend they are for")


_answer = msgspec.json.Decoder(Answer)


def encode(question: Question) -> bytes:
    """The body of a request."""
    return msgspec.json.encode(question)


def decode(body: bytes) -> Advice:
    """The body of an answer.

    Raises:
        ValueError: it is none.
    """
    try:
        answer = _answer.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return Advice(
        reject=None if answer.reject is None else Rejection(answer.reject.status, answer.reject.reason),
        backend=answer.backend,
        settings=answer.settings,
        headers=answer.headers,
        variables=answer.variables,
        instructions=answer.instructions,
        ring=answer.ring,
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of both."""
    (question, answer), definitions = msgspec.json.schema_components((Question, Answer), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A routing hook",
        "description": "What it is sent, and what it answers with status 200.",
        "anyOf": [question, answer],
        "$defs": definitions,
    }
