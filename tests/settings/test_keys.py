"""The keys a section knows, however it holds others."""

from typing import Annotated

import pytest
from pydantic import Field

from sipgw.settings.keys import known_keys
from sipgw.settings.problems import Where
from sipgw.settings.section import Section


class Leaf(Section):
    """Holds nothing."""

    size: int = 0


class Other(Section):
    """What else may stand in a leaf's place."""

    weight: int = 0


class Tree(Section):
    """Holds leaves in every way."""

    one: Leaf = Field(default_factory=Leaf)
    maybe: Leaf | None = None
    either: Leaf | Other = Field(default_factory=Leaf)
    named: dict[str, Annotated[Leaf, Field(description="x")]] = Field(default_factory=dict)
    listed: list[Leaf] = Field(default_factory=list)
    deep: dict[str, tuple[Leaf, ...]] = Field(default_factory=dict)
    number: int = 0
    from_: Leaf | None = Field(None, alias="from")


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        ((), ["one", "maybe", "either", "named", "listed", "deep", "number", "from"]),
        (("from",), ["size"]),
        (("one",), ["size"]),
        (("maybe",), ["size"]),
        (("either",), ["size", "weight"]),
        (("named", "oak"), ["size"]),
        (("listed", 3), ["size"]),
        (("deep", "oak", 0), ["size"]),
        (("named",), []),
        (("number",), []),
        (("nowhere", "at", "all"), []),
    ],
)
def test_the_keys_at_a_place(where: Where, keys: list[str]) -> None:
    assert known_keys(Tree, where) == keys
