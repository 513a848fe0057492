"""Moments as people write them."""

from datetime import UTC, datetime

import pytest

from sipgw.errors import UsageError
from sipgw.tools.cdr.when import moment

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90s", datetime(2026, 11, 25, 11, 58, 30, tzinfo=UTC)),
        ("30m", datetime(2026, 11, 25, 11, 30, tzinfo=UTC)),
        (" 2 h ", datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ("3d", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("1w", datetime(2026, 11, 18, 12, tzinfo=UTC)),
        ("2026-11-25", datetime(2026, 11, 25, tzinfo=UTC)),
        ("2026-11-25T10:30", datetime(2026, 11, 25, 10, 30, tzinfo=UTC)),
        ("2026-11-25T10:30+02:00", datetime(2026, 11, 25, 8, 30, tzinfo=UTC)),
    ],
)
def test_what_is_meant(text: str, meant: datetime) -> None:
    assert moment(text, NOW) == meant


@pytest.mark.parametrize("text", ["", "soon", "2", "2y", "-2h", "2026-13-01", "99999999999w"])
def test_anything_else_is_told(text: str) -> None:
    with pytest.raises(UsageError):
        moment(text, NOW)
