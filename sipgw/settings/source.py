"""Reads a YAML file into plain values, remembering the line of each, with `${ENV}` and `*_file` resolved.

YAML's surprises are left out: `off` and `0711` and `+1555` stay what was written, as people mean them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from sipgw.settings.problems import Problem, SettingsError, Where, dotted

# libyaml's parser, where PyYAML has it, takes a tenth of the time: a reload shares its process with running calls.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_VARIABLE = re.compile(r"\$(?:\$|\{([^}]*)\})")
_DEEPEST = 20
_FILE = "_file"
_NAMES_A_FILE = {"ca_file", "certificate", "private_key", "authorities"}
"""Keys whose value is the name of a file, seen from the configuration's folder."""
_HOLD_FILES = {("prompts",)}
"""Sections all of whose values are such."""


@dataclass(slots=True)
class Source:
    """What a file said."""

    file: str
    environment: Mapping[str, str]
    data: dict[str, object] = field(default_factory=dict)
    lines: dict[Where, int] = field(default_factory=dict)
    variables: dict[Where, str] = field(default_factory=dict)
    """Values that a variable of the environment replaced, by its name."""
    problems: list[Problem] = field(default_factory=list)

    def has(self, where: Where) -> bool:
        """Whether the file, or a variable, has something there."""
        return where in self.lines or any(place[: len(where)] == where for place in self.variables)

    def complain(self, where: Where, text: str, hint: str = "") -> None:
        """Note a problem with the value at `where`."""
        self.problems.append(self.problem(where, text, hint))

    def problem(self, where: Where, text: str, hint: str = "") -> Problem:
        """A problem with the value at `where`, or with the nearest thing around it that the file has."""
        if where in self.variables:
            return Problem(self.variables[where], None, dotted(where), text, hint)
        around = (where[:size] for size in range(len(where), 0, -1))
        line = next((self.lines[place] for place in around if place in self.lines), None)
        return Problem(self.file, line, dotted(where), text, hint)

    def override(self, where: Where, variable: str, value: str) -> None:
        """Put the value of a variable in the place of what the file says."""
        place = self.data
        for key in where[:-1]:
            inner = place.setdefault(str(key), {})
            if not isinstance(inner, dict):
                return  # the file has something else there, which is complained about by itself
            place = inner
        place[str(where[-1])] = value
        self.variables[where] = variable


def read(path: Path, environment: Mapping[str, str]) -> Source:
    """The configuration in `path`.

    Raises:
        SettingsError: the file cannot be read, or is not YAML with keys at its top.
    """
    source = Source(str(path), environment)
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise SettingsError([Problem(str(path), None, "", f"cannot be read: {said}")]) from None
    except yaml.YAMLError as error:
        raise SettingsError([_syntax(str(path), error)]) from None
    if node is not None and not isinstance(node, yaml.MappingNode):
        raise SettingsError([Problem(str(path), 1, "", "is not a configuration", "begin with a key such as `sip:`")])
    if node is not None:
        source.data = _Reader(source, path.parent).mapping(node, ())
    return source


class _Reader:
    """Walks the nodes of one file."""

    def __init__(self, source: Source, folder: Path) -> None:
        self._source = source
        self._folder = folder

    def mapping(self, node: yaml.MappingNode, where: Where) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            here = (*where, key)
            self._source.lines.setdefault(here, key_node.start_mark.line + 1)
            value = self._value(value_node, here)
            if key in _NAMES_A_FILE or where in _HOLD_FILES:
                value = str(self._folder / Path(value).expanduser()) if isinstance(value, str) and value else value
            elif key.endswith(_FILE) and key != _FILE and isinstance(value, str):
                key = key.removesuffix(_FILE)
                self._source.lines.setdefault((*where, key), key_node.start_mark.line + 1)
                value = self._content(value, here)
            if key in values:
                self._source.complain(here, f"{key} is given twice", "keep one")
            values[key] = value
        return values

    def _value(self, node: yaml.Node, where: Where) -> object:
        if len(where) > _DEEPEST:  # an alias may hold itself
            self._source.complain(where, "is nested too deeply")
            return None
        match node:
            case yaml.MappingNode():
                return self.mapping(node, where)
            case yaml.SequenceNode():
                return [self._item(item, (*where, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, where)

    def _item(self, node: yaml.Node, where: Where) -> object:
        self._source.lines.setdefault(where, node.start_mark.line + 1)
        return self._value(node, where)

    def _scalar(self, node: yaml.Node, where: Where) -> object:
        text = str(node.value)
        if node.tag == "tag:yaml.org,2002:null":
            return None
        if node.tag == "tag:yaml.org,2002:bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if node.tag == "tag:yaml.org,2002:int" and re.fullmatch(r"-?(0|[1-9][0-9]*)", text):
            return int(text)
        if node.tag == "tag:yaml.org,2002:float" and re.fullmatch(r"-?[0-9]+\.[0-9]+", text):
            return float(text)
        return _VARIABLE.sub(lambda match: self._variable(match, where), text)

    def _variable(self, match: re.Match[str], where: Where) -> str:
        name = match[1]
        if name is None:  # `$$`
            return "$"
        if name not in self._source.environment:
            self._source.complain(where, f"${{{name}}} is not set", f"export {name}=… (a plain $ is written $$)")
        return self._source.environment.get(name, "")

    def _content(self, name: str, where: Where) -> str:
        """What the file called `name` holds, without the line end after it."""
        path = self._folder / Path(name).expanduser()
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            said = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
            self._source.complain(where, f"{path} cannot be read: {said}", "make it readable for the gateway's user")
            return ""


def _syntax(file: str, error: yaml.YAMLError) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return Problem(
            file, error.problem_mark.line + 1, "", f"is not YAML: {error.problem}", "look at the line before"
        )
    return Problem(file, None, "", f"is not YAML: {error}")
