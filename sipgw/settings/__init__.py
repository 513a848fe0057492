"""The configuration: one YAML file, checked key by key, from which each layer gets its own options."""

from sipgw.settings.load import Examined, examine, load
from sipgw.settings.model import Settings
from sipgw.settings.packaged import embedded
from sipgw.settings.problems import Problem, SettingsError

__all__ = ["Examined", "Problem", "Settings", "SettingsError", "embedded", "examine", "load"]
