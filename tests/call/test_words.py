"""What of a call's words its record keeps, and what a conversation came to."""

import pytest

from sipgw.ai import events as ai
from sipgw.call.cdr import Utterance
from sipgw.options import CallOptions
from tests.fakes.control import EPOCH, Control, route

SAID = "My number is 030 901820."


def talked(transcript: str) -> Control:
    """A call in which both spoke, recorded as the configuration wants it."""
    control = Control(CallOptions(routes=(route(),), transcript=transcript))
    phone = control.invite().talks()
    control.advance(1.0)
    phone.report(ai.Transcript("caller", "My num", final=False))
    phone.report(ai.Transcript("caller", SAID))
    control.advance(1.0)
    phone.report(ai.Transcript("agent", "Thank you."))
    phone.bye()
    phone.over()
    return control


@pytest.mark.parametrize(
    ("transcript", "kept"), [("off", None), ("redacted", "My number is [number]."), ("full", SAID)]
)
def test_final_words_are_kept_as_the_configuration_wants_it(transcript: str, kept: str | None) -> None:
    record = talked(transcript).record
    if kept is None:
        assert record.transcript == ()
    else:
        assert record.transcript == (
            Utterance(EPOCH + 1, "caller", kept), Utterance(EPOCH + 2, "agent", "Thank you."),
        )  # fmt: skip


@pytest.mark.parametrize("transcript", ["off", "redacted", "full"])
def test_no_line_of_the_log_and_no_note_has_words(transcript: str) -> None:
    control = talked(transcript)
    assert "901820" not in str(control.logs)
    assert "901820" not in str(control.notes)
    assert "Thank you" not in str(control.logs)


def test_the_last_word_of_a_replaced_backend_counts_for_its_own_attempt() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.fails("lost")
    phone.report(ai.Spent(40, 900, 300), attempt=1)
    phone.ready(2)
    phone.bye()
    phone.report(ai.Spent(70, 100, 0), attempt=2)
    phone.over()
    told = [(one.target, one.failure, one.connected_ms, one.heard_ms, one.said_ms) for one in control.record.targets]
    assert told == [("ai", "lost", 40, 900, 300), ("spare", "", 70, 100, 0)]
    assert control.drops() == ["target_failed"]
