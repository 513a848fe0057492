"""Reads the callers out of a capture file."""

from pathlib import Path

from sipgw.errors import PeerError
from sipgw.tools.capture.datagrams import datagrams
from sipgw.tools.capture.errors import CaptureError
from sipgw.tools.capture.ip import Datagram
from sipgw.tools.capture.reading import read
from sipgw.tools.chosen import chosen
from sipgw.tools.replay.casting import Datagrams, part_of
from sipgw.tools.replay.script import Part

_MOST_PACKETS = 2_000_000
"""What is replayed is held in memory."""


def callers(path: Path, call: str | None = None) -> tuple[tuple[Part, ...], float]:
    """The callers of a capture, and the Unix time at which it begins.

    Args:
        path: the capture.
        call: only this one: its number, or part of its Call-ID.

    Raises:
        SipgwError: it cannot be read, holds no such call, or more than can be held.
    """
    capture = read(path)
    calls = chosen(capture, call)
    index = Datagrams(_held(path), capture.first)
    found: list[Part] = []
    for one in calls:
        try:
            part = part_of(one.messages, index, capture.first)
        except PeerError:  # a header that matters cannot be read: the gateway would refuse it as well
            continue
        if part is not None:
            found.append(part)
    if not found:
        raise CaptureError(f"{path} holds no call to replay: nothing begins with an INVITE")
    return tuple(found), capture.first


def _held(path: Path) -> list[Datagram]:
    captured: list[Datagram] = []
    for one in datagrams(path):
        captured.append(one)
        if len(captured) > _MOST_PACKETS:
            raise CaptureError(f"{path} holds more than {_MOST_PACKETS} datagrams; cut the call out of it first")
    return captured
