"""From a file and the environment to settings, or to everything that is wrong with them."""

import os
import typing
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sipgw.settings.checks import check
from sipgw.settings.model import Settings
from sipgw.settings.packaged import embedded
from sipgw.settings.problems import SettingsError, Where, did_you_mean
from sipgw.settings.source import Source, read

OVERRIDES: dict[str, Where] = {
    "SIPGW_STATE": ("state",),
    "SIPGW_SIP_HOST": ("sip", "host"),
    "SIPGW_SIP_PORT": ("sip", "port"),
    "SIPGW_MEDIA_PORTS": ("media", "ports"),
    "SIPGW_METRICS_PORT": ("metrics", "port"),
}
"""Variables of the environment that take the place of a key. `SIPGW_CONFIG` names the file."""


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in a file, with the environment's word over it.

    Args:
        path: the file; None takes `SIPGW_CONFIG`, or the defaults that come with the program.
        environment: instead of the process's own.

    Raises:
        SettingsError: with every problem found.
    """
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
    return settings


def _validated(source: Source) -> Settings | None:
    try:
        return Settings.model_validate(source.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            _complain(detail, source)
    return None


def _complain(detail: ErrorDetails, source: Source) -> None:
    """One of pydantic's errors in our words."""
    where: Where = detail["loc"]
    match detail["type"]:
        case "extra_forbidden":
            source.complain(where, "unknown key", did_you_mean(str(where[-1]), _known_keys(where[:-1])))
        case "missing":
            source.complain(where, "is missing")
        case "value_error":
            source.complain(where, detail["msg"].removeprefix("Value error, "))
        case _:
            source.complain(where, detail["msg"].removeprefix("Input ").removeprefix("String "))


def _known_keys(where: Where) -> list[str]:
    """The keys there are at `where`."""
    model: object = Settings
    for step in where:
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = model.model_fields[str(step)].annotation
        else:  # a step into dict[str, Model] or tuple[Model, ...]
            model = next((inner for inner in typing.get_args(model) if _is_section(inner)), None)
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _is_section(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
