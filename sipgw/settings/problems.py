"""What is wrong with a configuration, said so that it can be put right: file, line, key, and what to do."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sipgw.errors import SipgwError

Where = tuple[str | int, ...]
"""The keys and list positions that lead to a value."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    file: str
    """Of the configuration, or the name of the environment's variable."""
    line: int | None
    key: str
    """Dotted, such as `backends.demo.dialect`; empty where it concerns the whole file."""
    text: str
    hint: str = ""
    """What to do."""

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        said = f"{self.text}; {self.hint}" if self.hint else self.text
        return ": ".join(part for part in (where, self.key, said) if part)


class SettingsError(SipgwError):
    """The configuration cannot be used; all its problems at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def dotted(where: Where) -> str:
    """`('routes', 0, 'targets')` as `routes[0].targets`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where)
    return text.removeprefix(".")


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """The nearest of the known names, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(wrong.lower(), names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"there is {', '.join(names)}" if names else ""
