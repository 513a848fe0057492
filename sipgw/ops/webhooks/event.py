"""What a webhook's body says, as `event.schema.json` has it."""

import base64
import secrets
from datetime import UTC, datetime

import msgspec

from sipgw.call.feed import Happening, Value


def message_id() -> str:
    """A new message's id: the same at every endpoint, and whenever it is sent again."""
    return f"msg_{base64.b32encode(secrets.token_bytes(15)).decode().lower()}"


def body(happening: Happening, name: str, node: str) -> bytes:
    """The body for one happening.

    Args:
        name: the message's id.
        node: names the gateway.
    """
    return _body(name, happening.kind.value, happening.when, node, happening.call, dict(happening.data))


def sample(name: str, when: float, node: str) -> bytes:
    """The body of a message that only tests the way."""
    return _body(name, "test", when, node, "", {})


def _body(name: str, kind: str, when: float, node: str, call: str, data: dict[str, Value]) -> bytes:
    timestamp = datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds")
    return msgspec.json.encode(
        {"id": name, "type": kind, "timestamp": timestamp, "node": node, "call": call, "data": data}
    )
