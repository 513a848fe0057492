"""The state table: every row is walked, and every word in it is a deed."""

import pytest

from sipgw.ai.conversation import Conversation
from sipgw.ai.deeds import DEEDS
from sipgw.ai.events import (
    CallerSpeech,
    CallerSpoke,
    CallerStopped,
    Clear,
    Close,
    DigitPressed,
    Failed,
    HangUpWish,
    Mute,
    Open,
    PlaceMark,
    Ready,
    Say,
    Speech,
    SpeechEnded,
    ToolCall,
    ToolResult,
    Transcript,
    TransferWish,
)
from sipgw.ai.seen import Event
from sipgw.ai.states import CONVERSING, TABLE, Key, Row, Seen, State
from sipgw.audio import playout
from sipgw.trace import Mark, Note
from tests.fakes.dialect import ScriptedDialect

EXAMPLES: dict[Seen, Event | None] = {
    Seen.READY: Ready(),
    Seen.OPEN: Open(),
    Seen.OPEN_EARLY: Open(early=True),
    Seen.OPEN_SPEAKING: Open(),
    Seen.OPEN_UNREADY: Open(),
    Seen.SPEECH: Speech(b"ab", "i1"),
    Seen.STALE_SPEECH: Speech(b"ab", "old"),
    Seen.SPEECH_ENDED: SpeechEnded("i1"),
    Seen.MARK: PlaceMark("m"),
    Seen.STALE_MARK: PlaceMark("m"),
    Seen.CLEAR: Clear(),
    Seen.SPOKE: CallerSpoke(),
    Seen.BARGE_IN: CallerSpoke(),
    Seen.CALLER_STOPPED: CallerStopped(),
    Seen.VAD_STOPPED: CallerSpeech(False),
    Seen.TRANSCRIPT: Transcript("agent", "Hello."),
    Seen.TOOL_CALL: ToolCall("t1", "weather"),
    Seen.WISH: TransferWish("sales"),
    Seen.HANG_UP: HangUpWish(),
    Seen.HANG_UP_SPEAKING: HangUpWish(),
    Seen.FAILED: Failed("quota"),
    Seen.LOST: Failed("connection_lost"),
    Seen.SAY: Say("Hello."),
    Seen.RESULT: ToolResult("t1", "{}"),
    Seen.DIGIT: DigitPressed("5", 100),
    Seen.MUTE: Mute(True),
    Seen.UNMUTE: Mute(False),
    Seen.CLOSE: Close("over"),
    Seen.STARTED: playout.PlayoutStarted("i1"),
    Seen.MARK_REACHED: playout.MarkReached("m"),
    Seen.ITEM_FINISHED: playout.ItemFinished("i1"),
    Seen.DRAINED: playout.Drained(),
    Seen.CLEARED: playout.Cleared((("i1", 20, 40),), ("m",)),
    Seen.WINDOW_OVER: None,
    Seen.FAREWELL_OVER: None,
}


@pytest.mark.parametrize(("key", "row"), TABLE.items(), ids=[f"{s.name}-{seen.name}" for s, seen in TABLE])
def test_a_row_leads_where_it_says(key: Key, row: Row) -> None:
    notes: list[Note] = []
    core = Conversation(ScriptedDialect(), trace=notes.append)
    core.state, seen = key
    core._see(seen, EXAMPLES[seen], 1.0)
    answered = seen is not Seen.TOOL_CALL or row[0] is not State.LISTENING
    assert core.state is (row[0] if answered else State.TOOL)
    assert [note.name for note in notes if note.mark is Mark.DROP and note.name == "out_of_place"] == []


def test_every_word_is_a_deed_and_every_deed_is_used() -> None:
    used = {name for _, names in TABLE.values() for name in names}
    assert used == set(DEEDS)


def test_every_input_has_a_row_and_every_state_an_end() -> None:
    assert {seen for _, seen in TABLE} == set(Seen)
    for state in State:
        assert TABLE[state, Seen.CLOSE][0] is State.CLOSED


def test_the_callers_audio_is_carried_only_where_the_call_is_answered() -> None:
    assert set(State) - set(CONVERSING) == {State.WARM, State.EARLY, State.CLOSED}
