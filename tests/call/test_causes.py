"""Why calls end, and how refusals look."""

import pytest

from sipgw.call.causes import Refusal, ending
from sipgw.call.states import TABLE, Seen, State
from sipgw.errors import Cause, PeerError


def test_whatever_ends_a_call_has_a_cause() -> None:
    ends = {seen for (_, seen), (state, words) in TABLE.items() if state is State.ENDING and "end" in words}
    for seen in ends - {Seen.REFUSED}:
        cause, who = ending(seen, answered=True)
        assert isinstance(cause, Cause)
        assert who in ("caller", "backend", "gateway", "operator")


@pytest.mark.parametrize(
    ("error", "cause", "phrase"),
    [
        (PeerError(400, "Unreadable SDP: m=\udcffx\r\n"), Cause.BAD_REQUEST, "Unreadable SDP: m=x"),
        (PeerError(488, "no audio stream offered"), Cause.NO_COMMON_CODEC, ""),
        (PeerError(415, ""), Cause.BAD_REQUEST, ""),
    ],
)
def test_what_the_caller_sent_decides_the_refusal(error: PeerError, cause: Cause, phrase: str) -> None:
    refusal = Refusal.of(error)
    assert (refusal.cause, refusal.status, refusal.phrase) == (cause, error.status, phrase)
