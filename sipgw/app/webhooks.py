"""`sipgw webhooks`: what is waiting to be delivered, send it now, try an endpoint. With the gateway running or not."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sipgw.app.check import WRONG, examined_or_told
from sipgw.app.state import StateFolder
from sipgw.errors import Unavailable
from sipgw.io.guarded_http import HttpFailed
from sipgw.ops.posting import http_to, post_signed
from sipgw.ops.webhooks.event import message_id, sample
from sipgw.ops.webhooks.outbox import FILE, Outbox, Waiting
from sipgw.settings import Settings
from sipgw.settings.problems import did_you_mean

_REMEDIES = {
    "inside_address": "set allow_private if it belongs there",
    "certificate_not_trusted": "set ca_file to the authority that issued it",
    "name_not_resolved": "look at the name in its url",
}


def show(config: Path | None) -> int:
    """Print what each endpoint still has to get; the process's exit code."""
    settings = _settings(config)
    if settings is None:
        return WRONG
    outbox = _outbox(settings)
    told = {} if outbox is None else {one.endpoint: one for one in outbox.waiting()}
    if outbox is not None:
        outbox.close()
    table = Table("endpoint", "pending", "oldest", "given up", "last failure", "disabled", box=None)
    for name in sorted({*settings.webhooks, *told}):
        table.add_row(
            name, *_row(told.get(name, Waiting(name, 0, None, 0, "", "")), configured=name in settings.webhooks)
        )
    Console(highlight=False).print(table)
    return 0


def retry(name: str, config: Path | None) -> int:
    """Deliver what is pending or was given up now; the process's exit code."""
    settings = _settings(config, name)
    if settings is None:
        return WRONG
    outbox = _outbox(settings)
    count = 0
    if outbox is not None:
        count = outbox.retry(name, time.time())
        outbox.close()
    _say(f"{count} to be delivered to {name} by the running gateway." if count else f"Nothing waits for {name}.")
    return 0


def test(name: str, config: Path | None) -> int:
    """Send a signed message that says nothing; the process's exit code tells whether it was taken."""
    settings = _settings(config, name)
    return WRONG if settings is None else asyncio.run(_test(settings, name))


async def _test(settings: Settings, name: str) -> int:
    place = settings.webhooks[name].options(name).place
    http, message, now = http_to(place), message_id(), time.time()
    try:
        answer = await post_signed(http, place, message, sample(message, now, settings.node), now)
    except HttpFailed as error:
        remedy = _REMEDIES.get(error.name)
        _say(f"{name} was not reached: {error}{f'; {remedy}' if remedy else ''}.", wrong=True)
        return 1
    finally:
        await http.close()
    taken = 200 <= answer.status < 300
    _say(f"{name} answered {answer.status} in {1000 * (time.time() - now):.0f} ms to {message}.", wrong=not taken)
    return 0 if taken else 1


def _settings(config: Path | None, name: str | None = None) -> Settings | None:
    """The configuration; None, and then that has been said, where it is wrong or has no endpoint of that name."""
    examined = examined_or_told(config)
    if examined is None:
        return None
    settings = examined.settings
    if name is not None and name not in settings.webhooks:
        hint = did_you_mean(name, settings.webhooks)
        _say(f"There is no webhook {name!r}{f'; {hint}' if hint else ''}.", wrong=True)
        return None
    return settings


def _outbox(settings: Settings) -> Outbox | None:
    """What is on disk; None where nothing ever was, or it cannot be used, and then that has been said."""
    path = StateFolder(settings.state).path / FILE
    try:
        return Outbox(path) if path.exists() else None
    except Unavailable as error:
        _say(str(error), wrong=True)
        return None


def _row(one: Waiting, *, configured: bool) -> tuple[str, ...]:
    oldest = "" if one.oldest is None else datetime.fromtimestamp(one.oldest, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    disabled = one.disabled if configured else "not configured"
    return str(one.pending), oldest, str(one.given_up), one.failure, disabled


def _say(text: str, *, wrong: bool = False) -> None:
    Console(stderr=wrong, highlight=False).print(text, markup=False, soft_wrap=True)
