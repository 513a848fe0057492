"""Reads the callers out of a capture file."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from sipgw.errors import PeerError
from sipgw.sip.message import Malformed, parse
from sipgw.tools.capture.datagrams import datagrams
from sipgw.tools.capture.errors import CaptureError
from sipgw.tools.capture.ip import Datagram
from sipgw.tools.capture.model import SipMessage
from sipgw.tools.replay.casting import Datagrams, part_of
from sipgw.tools.replay.script import Part

_MOST_PACKETS = 2_000_000
"""What is replayed is held in memory."""


def callers(path: Path, call_id: str | None = None) -> tuple[tuple[Part, ...], float]:
    """The callers of a capture, and the Unix time at which it begins.

    Args:
        path: the capture.
        call_id: only the call whose Call-ID begins like this.

    Raises:
        CaptureError: it cannot be read, holds no call, or more than can be held.
    """
    captured: list[Datagram] = []
    for one in datagrams(path):
        captured.append(one)
        if len(captured) > _MOST_PACKETS:
            raise CaptureError(f"{path} holds more than {_MOST_PACKETS} datagrams; cut the call out of it first")
    began = captured[0].when if captured else 0.0
    index = Datagrams(captured, began)
    found: list[Part] = []
    for messages in _calls(captured):
        if call_id is not None and not messages[0].message.call_id.startswith(call_id):
            continue
        try:
            part = part_of(messages, index, began)
        except PeerError:  # a header that matters cannot be read: the gateway would refuse it as well
            continue
        if part is not None:
            found.append(part)
    if not found:
        wanted = "no call" if call_id is None else f"no call whose Call-ID begins with {call_id}"
        raise CaptureError(f"{path} holds {wanted} to replay: nothing begins with an INVITE")
    return tuple(found), began


def _calls(captured: Iterable[Datagram]) -> list[list[SipMessage]]:
    """The SIP messages by Call-ID, in the order in which the calls begin."""
    calls: dict[str, list[SipMessage]] = defaultdict(list)
    for one in captured:
        if b"SIP/2.0" not in one.payload[:4096]:
            continue
        try:
            call_id = parse(one.payload).call_id
        except (Malformed, PeerError):
            continue
        calls[call_id].append(SipMessage(one.when, one.source, one.destination, "udp", one.payload))
    return list(calls.values())
