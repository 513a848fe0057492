"""What close codes mean for another try."""

import pytest

from sipgw.ai.closing import NAMES, failure
from sipgw.ai.events import Failed


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1011, 1012, 1013, 4000])
def test_these_may_be_tried_again(code: int) -> None:
    assert not failure(code, "").permanent


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003])
def test_these_would_fail_again(code: int) -> None:
    assert failure(code, "").permanent


def test_the_name_the_code_and_the_reason_are_kept() -> None:
    assert failure(1008, "no") == Failed("policy_violation", True, "1008 no")
    assert failure(4321, "") == Failed("closed_by_backend", False, "4321")
    assert all(name.isidentifier() for name, _ in NAMES.values())
