"""What of a leg outlives the process: its dialog, and a 2xx that still waits for its ACK."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from sipgw.sip.core import Core
from sipgw.sip.dialog import Dialog
from sipgw.sip.leg import Leg, Stage
from sipgw.sip.message import Request, Response, parse
from sipgw.sip.their_invite import TheirInvite, acknowledged

VERSION = 4
"""Of the snapshots."""


def written(leg: Leg) -> dict[str, Any] | None:
    """The leg as plain data, JSON's kinds only; None where nothing of it is to outlive us.

    A leg whose BYE is out counts as one that is up: nobody knows whether the BYE arrived.
    """
    dialog = leg.dialog
    if dialog is None or not dialog.confirmed or leg.stage not in (Stage.UP, Stage.ENDING):
        return None
    unacknowledged = leg.theirs.unacknowledged if leg.theirs is not None else None
    return {
        "version": VERSION,
        "dialog": dialog.snapshot(),
        "session": [leg.timer.interval, leg.timer.ours] if leg.timer is not None else [0, False],
        "allows": sorted(leg.allows),
        "description": leg.description.decode("latin-1"),
        "trunk": leg.trunk,
        "unacknowledged": [_text(message) for message in unacknowledged] if unacknowledged else None,
    }


def restored(core: Core, name: str, plain: Mapping[str, Any], now: float) -> None:
    """Go on with a leg. A 2xx without an ACK is sent again, as its far end may never have got it.

    Raises:
        ValueError: it was written by a version that we do not know.
    """
    if plain.get("version") != VERSION:
        raise ValueError(f"leg snapshot of version {plain.get('version')!r}, not {VERSION}")
    dialog = Dialog.restore(plain["dialog"])
    leg = core.legs[name] = Leg(name, dialog.flow, Stage.UP, trunk=plain["trunk"], dialog=dialog)
    leg.answers = core.answers(core.trust.credentials_of(leg.trunk))
    leg.allows, leg.description = frozenset(plain["allows"]), plain["description"].encode("latin-1")
    interval, ours = plain["session"]
    core.timer_of(leg).resume(interval, ours, now)
    if dialog.flow.reliable:
        core.flow_lost(dialog.flow, now)  # the connection ended with the process that had it
    if plain["unacknowledged"]:
        request, answer = (parse(text.encode("latin-1")) for text in plain["unacknowledged"])
        assert isinstance(request, Request)
        assert isinstance(answer, Response)
        server = core.exchange.serve_invite(request, dialog.flow, partial(acknowledged, core))
        leg.theirs = TheirInvite(core, leg, request, server)
        leg.theirs.repeat_answer(answer, now)


def _text(message: Request | Response) -> str:
    """A message's octets, whatever they are, as text that JSON takes."""
    return bytes(message).decode("latin-1")
