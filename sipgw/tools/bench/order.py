"""What is asked of a benchmark's command, and what all of them do with a result."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from rich.console import Console

from sipgw.errors import SipgwError, UsageError

Plan = TypeVar("Plan")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Order(Generic[Plan]):
    """A plan, and what is to become of its result."""

    plan: Plan
    arguments: tuple[str, ...] = ()
    """The command line, for the record."""
    into: Path | None = None
    """Write the result here, as JSON."""
    against: Path | None = None
    """Compare with the result in this file."""

    def keep(self, document: object) -> None:
        """Write the result where it is wanted."""
        if self.into is not None:
            self.into.write_text(json.dumps(document, indent=1) + "\n")


def complain(error: SipgwError) -> int:
    """Say why there is no result; the process's exit code: 2 where what was asked for makes no sense, else 1."""
    Console(stderr=True, highlight=False).print(str(error), style="red", markup=False, soft_wrap=True)
    return 2 if isinstance(error, UsageError) else 1


def read_result(path: Path, make: Callable[[Any], Result], command: str) -> Result:
    """A result written before.

    Args:
        path: the file.
        make: takes the document; may raise ValueError, KeyError or TypeError.
        command: whose results these are.

    Raises:
        UsageError: it is none.
    """
    try:
        return make(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no result of `sipgw bench {command}`: {error!r}") from None
