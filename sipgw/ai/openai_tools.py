"""OpenAI Realtime: the tools a phone call offers to a model, and what it means when the model calls one."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sipgw.ai.events import Dropped, HangUpWish, ToolCall, TransferWish

HANG_UP = "hang_up"
TRANSFER_CALL = "transfer_call"


class FunctionCalls:
    """The function calls of one session: each is acted on once."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._hang_ups: set[str] = set()

    def made(self, call_id: str, name: str, arguments: str) -> ToolCall | HangUpWish | TransferWish | Dropped | None:
        """The event a call amounts to, None for one already seen.

        A call comes twice, as arguments and as an item; servers differ in which of them is complete.
        """
        if call_id in self._seen:
            return None
        self._seen.add(call_id)
        if name == HANG_UP:
            self._hang_ups.add(call_id)
            return HangUpWish(call_id, _text(_object(arguments), "reason"))
        if name == TRANSFER_CALL:
            return _transfer(call_id, _object(arguments))
        return ToolCall(call_id, name, arguments)

    def ends_the_call(self, call_id: str) -> bool:
        """Whether there is nothing more to say after this one's result."""
        return call_id in self._hang_ups


def _transfer(call_id: str, given: Mapping[str, Any]) -> TransferWish | Dropped:
    if target := _text(given, "target"):
        return TransferWish(target, call_id, _text(given, "summary"), _text(given, "reason"))
    return Dropped("transfer_without_target")


def _object(text: str) -> dict[str, Any]:
    """A model writes these; anything may stand here."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {}


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else ""


def offered(hang_up: bool, transfer: bool, more: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tools of a session."""
    return [*([_HANG_UP_TOOL] if hang_up else []), *([_TRANSFER_TOOL] if transfer else []), *more]


def _function(name: str, description: str, strings: Mapping[str, str], required: list[str]) -> dict[str, Any]:
    properties = {key: {"type": "string", "description": text} for key, text in strings.items()}
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "name": name, "description": description, "parameters": parameters}


_HANG_UP_TOOL = _function(
    HANG_UP, "End the phone call. Say good-bye first.", {"reason": "Why the call ends."}, required=[]
)
_TRANSFER_TOOL = _function(
    TRANSFER_CALL,
    "Hand the caller over to a person or another number. Tell the caller first.",
    {
        "target": "Who to transfer to: a name or a number.",
        "summary": "What the person who answers should know.",
        "reason": "Why the call is handed over.",
    },
    required=["target"],
)
