"""From a file and the environment to settings, or to everything that is wrong with them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sipgw.settings.advice import advise
from sipgw.settings.checks import check
from sipgw.settings.keys import known_keys
from sipgw.settings.model import Settings
from sipgw.settings.packaged import embedded
from sipgw.settings.problems import Problem, SettingsError, Where, did_you_mean
from sipgw.settings.source import Source, read

OVERRIDES: dict[str, Where] = {
    "SIPGW_STATE": ("state",),
    "SIPGW_SIP_HOST": ("sip", "host"),
    "SIPGW_SIP_PORT": ("sip", "port"),
    "SIPGW_MEDIA_PORTS": ("media", "ports"),
    "SIPGW_METRICS_PORT": ("metrics", "port"),
    "SIPGW_API_PORT": ("api", "port"),
}
"""Variables of the environment that take the place of a key. `SIPGW_CONFIG` names the file."""


class Examined(NamedTuple):
    """A configuration that can be used."""

    settings: Settings
    warnings: tuple[Problem, ...] = ()
    """What should be thought about again."""


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in a file, with the environment's word over it.

    Args:
        path: the file; None takes `SIPGW_CONFIG`, or the defaults that come with the program.
        environment: instead of the process's own.

    Raises:
        SettingsError: with every problem found.
    """
    return examine(path, environment).settings


def examine(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Examined:
    """The same, with what should be thought about again. Raises SettingsError."""
    environment = os.environ if environment is None else environment
    named = environment.get("SIPGW_CONFIG")
    source = read(path or (Path(named) if named else embedded("config/sipgw.yaml")), environment)
    for variable, where in OVERRIDES.items():
        if environment.get(variable):
            source.override(where, variable, environment[variable])
    settings = _validated(source)
    if settings is not None:
        check(settings, source)
    if source.problems or settings is None:
        raise SettingsError(source.problems)
    return Examined(settings, tuple(advise(settings, source)))


def _validated(source: Source) -> Settings | None:
    try:
        return Settings.model_validate(source.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            _complain(detail, source)
    return None


def _complain(detail: ErrorDetails, source: Source) -> None:
    """One of pydantic's errors in our words."""
    where = _as_written(detail, source)
    match detail["type"]:
        case "extra_forbidden":
            source.complain(where, "unknown key", did_you_mean(str(where[-1]), known_keys(Settings, where[:-1])))
        case "missing":
            source.complain(where, "is missing")
        case "value_error":
            source.complain(where, detail["msg"].removeprefix("Value error, "))
        case _:
            source.complain(where, detail["msg"].removeprefix("Input ").removeprefix("String "))


def _as_written(detail: ErrorDetails, source: Source) -> Where:
    """Where the error is, without the steps that are pydantic's own: which member of a union it tried."""
    where: Where = ()
    for step in detail["loc"]:
        if source.has((*where, step)):
            where = (*where, step)
    return (*where, detail["loc"][-1]) if detail["type"] == "missing" else where
