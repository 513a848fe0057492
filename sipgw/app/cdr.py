"""`sipgw cdr`: finds the database of a configuration, or takes one by its URL."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from sqlalchemy import URL

from sipgw.errors import SipgwError, UsageError
from sipgw.records.engine import database_url
from sipgw.records.keeper import records_url
from sipgw.records.reading import Filter
from sipgw.settings import SettingsError, load
from sipgw.tools.cdr.export import Form
from sipgw.tools.cdr.when import moment


def main(config: Path | None, url: str, act: Callable[[URL], None]) -> int:
    """Let `act` have the database; the exit code: 1 where it could not be done, 2 where something is wrong with it."""
    try:
        act(_database(config, url))
    except KeyboardInterrupt:
        return 130
    except (SipgwError, OSError) as error:
        Console(stderr=True, highlight=False).print(str(error), style="red", markup=False, soft_wrap=True)
        return 2 if isinstance(error, SettingsError | UsageError) else 1
    return 0


def _database(config: Path | None, url: str) -> URL:
    if url:
        try:
            return database_url(url)
        except UsageError as error:
            raise UsageError(f"--url {error}") from None
    settings = load(config)
    return records_url(settings.record_options(), settings.state.expanduser().absolute())


def wanted(since: str, until: str, number: str, cause: str, route: str, trunk: str, backend: str) -> Filter:
    """The calls somebody asks for. Raises UsageError where a moment is none."""
    now = datetime.now(UTC)
    first, last = (moment(text, now) if text else None for text in (since, until))
    return Filter(first, last, number, cause, route, trunk, backend)


def form_of(name: str) -> Form:
    """How to export. Raises UsageError."""
    try:
        return Form(name)
    except ValueError:
        raise UsageError(f"--format {name}: there is {', '.join(form.value for form in Form)}") from None
