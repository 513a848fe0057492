"""A structured record of what a call did and why something was dropped.

Cores never log: they note. A note has a name from a closed vocabulary of its layer, so that every drop can be
counted, and the call's id, so that one call's notes read as its story.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Mark(Enum):
    """What kind of thing a note tells of; the value is the sign shown in DEBUG logs."""

    IN = "<"
    OUT = ">"
    STATE = "="
    TIMER = "%"
    DROP = "x"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that happened.

    `when` is in seconds on the clock that was handed to the core. `call` is the gateway's call id, or the empty
    string where no call is known yet.
    """

    when: float
    layer: str
    mark: Mark
    name: str
    """Short snake_case name; for `Mark.DROP` it is the reason and becomes a metric label."""
    call: str = ""
    detail: str = ""

    def __str__(self) -> str:
        words = [self.mark.value, self.layer, self.name]
        return " ".join(word for word in (*words, self.detail) if word)


Trace = Callable[[Note], None]
"""Takes a core's notes. Must not raise and must not block."""


def silent(note: Note) -> None:
    """A trace that keeps nothing."""
