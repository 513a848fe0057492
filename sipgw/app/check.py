"""`sipgw check`: what is wrong with a configuration, what is in force, and its schema."""

import json
import sys
from pathlib import Path

import yaml
from rich.console import Console

from sipgw.app.room import calls_within, descriptors_for, most_descriptors, wanted_calls
from sipgw.flow import Flow
from sipgw.settings import Examined, Settings, SettingsError, examine
from sipgw.settings.schema import schema

WRONG = 2
"""Exit code for a bad configuration, as for a bad argument."""


def main(config: Path | None, *, show: bool = False) -> int:
    """Say what is wrong with `config`, or that nothing is; the process's exit code.

    Args:
        config: the file.
        show: print what is in force instead, without secrets.
    """
    examined = examined_or_told(config)
    if examined is None:
        return WRONG
    settings = examined.settings
    if show:
        sys.stdout.write(yaml.safe_dump(settings.printable(), sort_keys=False, allow_unicode=True))
        return 0
    _say(
        f"The configuration is good: {len(settings.backends)} backends, {len(settings.routes)} routes, "
        f"room for {wanted_calls(settings)} calls in {_workers(settings)}, SIP on {_listeners(settings)}."
    )
    _say_what_bounds(settings)
    for warning in examined.warnings:
        _say(f"Think about {warning}.")
    return 0


def print_schema() -> int:
    """Print the JSON Schema of the configuration; the process's exit code."""
    sys.stdout.write(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n")
    return 0


def examined_or_told(config: Path | None) -> Examined | None:
    """The configuration; None where it is wrong, and then that has been said."""
    try:
        return examine(config)
    except SettingsError as error:
        console = Console(stderr=True, highlight=False)
        for problem in error.problems:
            console.print(str(problem), markup=False, soft_wrap=True)
        return None


def _listeners(settings: Settings) -> str:
    return ", ".join(str(Flow(one.transport, one.local, one.local)) for one in settings.sip_options().listeners)


def _workers(settings: Settings) -> str:
    match settings.worker_count:
        case 0:
            return "the main process"
        case 1:
            return "one media worker"
        case count:
            return f"{count} media workers"


def _say_what_bounds(settings: Settings) -> None:
    wanted = descriptors_for(wanted_calls(settings))
    limit = most_descriptors(wanted)
    if limit < wanted:
        _say(
            f"But the system lets a process open {limit} files, which is enough for {calls_within(limit)} calls: "
            f"raise the hard limit (ulimit -Hn, LimitNOFILE) to {wanted}, or set calls.max_calls."
        )


def _say(text: str) -> None:
    Console(highlight=False).print(text, markup=False, soft_wrap=True)
