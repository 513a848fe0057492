"""Each row of the RFC table names tests that are there (sipgw/README.md, "RFCs")."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
README = TESTS.parent / "sipgw" / "README.md"


def rows() -> Iterator[tuple[str, str]]:
    """The RFCs of each row, and what shows them."""
    _, _, section = README.read_text().partition("\n## 10. RFCs\n")
    for line in section.splitlines():
        if re.match(r"\| \d", line):
            rfcs, _, shown, _ = (cell.strip() for cell in line.strip("|").split("|"))
            yield rfcs, shown


ROWS = dict(rows())


def test_the_table_is_found() -> None:
    assert len(ROWS) > 30


@pytest.mark.parametrize("rfcs", ROWS)
def test_what_shows_it_is_there(rfcs: str) -> None:
    named = re.findall(r"`([^`]+)`", ROWS[rfcs])
    assert named, "a row names the test that proves it"
    for name in named:
        found = [path for path in TESTS.glob(name) for path in (path.rglob("test_*.py") if path.is_dir() else [path])]
        assert found, f"there is no tests/{name}"
        assert all(path.name.startswith("test_") for path in found)
