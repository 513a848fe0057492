"""Every capture that has an expectation beside it is replayed and shows what is expected."""

from pathlib import Path

import pytest

from sipgw.app.replay import gateway
from sipgw.settings import load
from sipgw.tools.replay import expectation
from sipgw.tools.replay.command import run

PCAPS = Path(__file__).parents[2] / "pcaps"
EXPECTATIONS = sorted(PCAPS.glob("*.expect.yaml"))


@pytest.mark.parametrize("path", EXPECTATIONS, ids=[path.name for path in EXPECTATIONS])
def test_a_replay_shows_what_is_expected(path: Path) -> None:
    expected = expectation.read(path)
    against = gateway(load(PCAPS.parent / "config" / "sipgw.yaml", {}), expected.backend, expected.route)
    outcome, _ = run(path.parent / expected.capture, against)
    assert [str(one) for one in expectation.compare(expected, outcome)] == []


def test_there_is_one_for_the_first_call() -> None:
    assert "first-call.expect.yaml" in [path.name for path in EXPECTATIONS]
