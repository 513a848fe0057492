"""Conversations with a real playout: what the caller would hear, and whatever comes in whatever order."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sipgw.ai import actions as act
from sipgw.ai.builtin.demo import Demo
from sipgw.ai.conversation import Conversation
from sipgw.ai.dialect import Dialect
from sipgw.ai.events import (
    BackendEvent,
    CallerSpoke,
    CallerStopped,
    CallFacts,
    Clear,
    Close,
    Closed,
    Drained,
    Failed,
    HangUpWish,
    Intent,
    Interrupted,
    MarkReached,
    Mute,
    Open,
    PlaceMark,
    Ready,
    Report,
    Say,
    Speech,
    SpeechEnded,
    ToolCall,
    ToolResult,
    Transcript,
    Turn,
    WantsHangUp,
)
from sipgw.audio.playout import Playout
from sipgw.options import BackendOptions
from tests.fakes.dialect import ScriptedDialect

FRAME_MS = 20
FRAME_BYTES = 960
GREETING = b"\x01\x00" * 48_000
AT = np.arange(14_400) / 24_000
PULSES = np.sum([np.sin(2 * np.pi * 120 * k * AT) / k for k in range(1, 20)], axis=0)
WORDS = bytes((PULSES * 6000).astype("<i2"))
"""Something a voice detector takes for a voice."""


class Line:
    """What a worker joins: conversation and playout, and a tick every 20 ms."""

    def __init__(self, dialect: Dialect, barge_in: str = "backend") -> None:
        self.core = Conversation(dialect, barge_in=barge_in)
        self.playout = Playout(24_000)
        self.heard: list[bytes] = []
        """The frames that left, silence as the empty string."""
        self.reports: list[Report] = []
        self.clears = 0
        self.now = 0.0

    def run(self) -> None:
        while actions := self.core.actions():
            for action in actions:
                self._carry_out(action)

    def _carry_out(self, action: act.Action) -> None:
        match action:
            case act.Play(audio=audio, item=item):
                self.playout.add(audio, item)
            case act.EndItem(item=item):
                self.playout.end(item)
            case act.PlaceMark(name=name):
                self.playout.mark(name)
            case act.ClearPlayout():
                self.clears += 1
                self.core.cleared(self.playout.clear(), self.now)
            case act.Tell(report=report):
                self.reports.append(report)

    def tick(self, caller: bytes = bytes(FRAME_BYTES)) -> None:
        self.now += FRAME_MS / 1000
        self.core.caller_audio(caller, self.now)
        self.run()
        if (due := self.core.next_timer()) is not None and due <= self.now:
            self.core.handle_timers(self.now)
            self.run()
        self.heard.append(self.playout.take(FRAME_BYTES) or b"")
        self._pass_events()

    def _pass_events(self) -> None:
        while events := self.playout.events():
            for event in events:
                self.core.playout_event(event, self.now)
                self.run()

    def backend(self, event: BackendEvent) -> None:
        self.core.backend(event, self.now)
        self.run()
        self._pass_events()

    def intent(self, intent: Intent) -> None:
        self.core.intent(intent, self.now)
        self.run()
        self._pass_events()


def demo(barge_in: str = "backend") -> Line:
    line = Line(Demo(BackendOptions("demo", "demo"), CallFacts("n1-1"), {"greeting": GREETING}), barge_in)
    line.core.connect(0.0)
    line.intent(Open())
    return line


def test_the_demo_greets_without_a_gap() -> None:
    line = demo()
    for _ in range(120):
        line.tick()
    assert b"".join(line.heard) == GREETING
    assert line.reports == [Ready()]


def test_who_interrupts_the_demo_hears_no_more_of_the_greeting_and_then_themselves() -> None:
    line = demo()
    for _ in range(25):
        line.tick()
    for at in range(0, len(WORDS), FRAME_BYTES):
        line.tick(WORDS[at : at + FRAME_BYTES])
    cut = next(n for n, frame in enumerate(line.heard) if frame != GREETING[:FRAME_BYTES])
    # What begins in frame 25 is speech within a tenth of a second.
    assert 25 <= cut <= 30
    for _ in range(150):
        line.tick()
    later = line.heard[cut + 1 :]
    assert not any(GREETING[:200] in frame for frame in later)
    assert WORDS in b"".join(later)
    (turn,) = [report for report in line.reports if isinstance(report, Turn)]
    assert turn.latency_ms <= FRAME_MS


def test_hanging_up_comes_after_the_very_last_packet() -> None:
    line = Line(ScriptedDialect())
    line.backend(Ready())
    line.intent(Open())
    line.backend(Speech(GREETING[:9600], "bye"))
    line.backend(SpeechEnded("bye"))
    line.backend(HangUpWish(reason="done"))
    wish = WantsHangUp("", "done")
    while wish not in line.reports:
        line.tick()
    assert len(line.heard) == 10


def test_a_mark_and_the_silence_after_it_are_told_in_order() -> None:
    dialect = ScriptedDialect()
    line = Line(dialect)
    line.backend(Ready())
    line.intent(Open())
    line.backend(Speech(bytes(1920), "a"))
    line.backend(SpeechEnded("a"))
    line.backend(PlaceMark("said"))
    line.tick()
    assert MarkReached("said") not in dialect.told
    line.tick()
    assert dialect.told[-2:] == [MarkReached("said"), Drained()]


ITEMS = st.sampled_from(["", "a", "b", "c"])
SAID: st.SearchStrategy[Any] = st.one_of(
    st.builds(Speech, st.just(bytes(2 * FRAME_BYTES)), ITEMS),
    st.builds(SpeechEnded, ITEMS),
    st.builds(PlaceMark, ITEMS),
    st.builds(ToolCall, ITEMS, st.just("tool")),
    st.sampled_from([Ready(), CallerSpoke(), CallerStopped(), Clear(), HangUpWish(), Transcript("agent", "x")]),
    st.sampled_from([Open(), Open(early=True), Mute(True), Mute(False), Say("x"), ToolResult("a", "{}"), None]),
    st.sampled_from([Failed("x"), Close("over")]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(SAID, max_size=30), st.sampled_from(["backend", "local", "both", "off"]))
def test_whatever_comes_in_whatever_order(said: list[BackendEvent | Intent | None], barge_in: str) -> None:
    dialect = ScriptedDialect()
    line = Line(dialect, barge_in)
    for event in said:
        if event is None:
            line.core.caller_speech(True, line.now)
            line.run()
            line.tick()
        elif isinstance(event, Open | Mute | Say | ToolResult | Close):
            line.intent(event)
        else:
            line.backend(event)
    line.intent(Close("over"))
    assert line.reports[-1] == Closed("over")
    assert sum(isinstance(report, Failed) for report in line.reports) <= 1
    assert sum(isinstance(event, Interrupted) for event in dialect.told) <= 5 * line.clears
    assert not line.playout.queued_ms
