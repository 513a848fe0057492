"""Every dialect by its name."""

import pytest

from sipgw.ai.events import CallFacts
from sipgw.ai.registry import DIALECTS, make_dialect
from sipgw.options import BackendOptions

FACTS = CallFacts("n1-1")


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_is_made_by_its_name(name: str) -> None:
    settings = {"model": "m"} if name == "openai-realtime" else {}
    core = make_dialect(BackendOptions("ai", name, url="ws://ai.test/", settings=settings), FACTS)
    assert core.audio_format.value == "pcm16/24000"
    assert core.frame_ms == 20
    assert (core.open(0.0) is None) == (name in ("echo", "demo", "tone"))


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"backend ai: there is no dialect 'ecko'; there are echo, demo, tone, sipgw,"):
        make_dialect(BackendOptions("ai", "ecko"), FACTS)
