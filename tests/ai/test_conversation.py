"""The conversation in simulated time: who may speak, what is stale, and what control gets to know."""

import pytest

from sipgw.ai import actions as act
from sipgw.ai.conversation import Conversation
from sipgw.ai.deeds import HELD_MS, STALE_WINDOW
from sipgw.ai.events import (
    AudioFormat,
    BackendEvent,
    CallerSpeech,
    CallerSpoke,
    CallerStopped,
    Clear,
    Close,
    Closed,
    DigitPressed,
    Drained,
    Dropped,
    Ended,
    Failed,
    HangUpWish,
    Interrupted,
    MarkReached,
    Mute,
    Open,
    PlaceMark,
    Ready,
    RecordingWish,
    Say,
    Speech,
    SpeechEnded,
    Spent,
    Started,
    ToolCall,
    ToolResult,
    Transcript,
    TransferWish,
    Turn,
    WantsHangUp,
)
from sipgw.ai.states import State
from sipgw.audio import playout
from sipgw.errors import UsageError
from sipgw.trace import Mark, Note
from tests.fakes.dialect import ScriptedDialect

FRAME = bytes(range(240)) * 4
HELLO = Speech(b"hello!", "i1")


class Call:
    """A conversation, its dialect, and a clear's result for whenever one is wanted."""

    def __init__(self, barge_in: str = "backend", reconnects: int = 0, **dialect: object) -> None:
        self.notes: list[Note] = []
        self.dialect = ScriptedDialect(**dialect)  # type: ignore[arg-type]
        self.core = Conversation(
            self.dialect,
            barge_in=barge_in,
            farewell_limit=10.0,
            trace=self.notes.append,
            call="c1",
            reconnects=reconnects,
        )
        self.dropped = playout.Cleared()
        self.done: list[act.Action] = []

    def run(self, now: float) -> list[act.Action]:
        """Carry out what is to be done, as a shell does, and tell what it was."""
        self.done = []
        while taken := self.core.actions():
            for action in taken:
                self.done.append(action)
                if isinstance(action, act.ClearPlayout):
                    self.core.cleared(self.dropped, now)
        return self.done

    def hear(self, *events: BackendEvent, now: float = 1.0) -> list[act.Action]:
        """The dialect yields these at once."""
        self.dialect.says += events[:-1]
        self.core.backend(events[-1], now) if len(events) == 1 else self._burst(events, now)
        return self.run(now)

    def _burst(self, events: tuple[BackendEvent, ...], now: float) -> None:
        self.dialect.says = list(events)
        self.core.handle_timers(now)

    def want(self, intent: Open | Say | ToolResult | Mute | Close, now: float = 1.0) -> list[act.Action]:
        self.core.intent(intent, now)
        return self.run(now)

    def play(self, event: playout.PlayoutEvent, now: float = 1.0) -> list[act.Action]:
        self.core.playout_event(event, now)
        return self.run(now)

    def vad(self, speaking: bool, now: float = 1.0) -> list[act.Action]:
        self.core.caller_speech(speaking, now)
        return self.run(now)

    def told(self) -> list[object]:
        """What the dialect was told since the last time."""
        taken, self.dialect.told = self.dialect.told, []
        return list(taken)

    def state(self) -> State:
        return self.core.state

    def drops(self) -> list[str]:
        return [note.name for note in self.notes if note.mark is Mark.DROP]


def opened(barge_in: str = "backend", reconnects: int = 0) -> Call:
    """A call whose conversation is open."""
    call = Call(barge_in, reconnects)
    call.core.connect(0.0)
    call.hear(Ready(), now=0.1)
    call.want(Open(), now=0.2)
    call.told()
    return call


def speaking(barge_in: str = "backend", item: str = "i1") -> Call:
    """One in which the backend speaks."""
    call = opened(barge_in)
    call.hear(Speech(b"hello!", item), now=0.5)
    call.play(playout.PlayoutStarted(item), now=0.52)
    call.dropped = playout.Cleared(((item, 480, 2000),), ())
    return call


def clears(actions: list[act.Action]) -> int:
    return sum(isinstance(action, act.ClearPlayout) for action in actions)


# --- setting up ---------------------------------------------------------------------------------------------------


def test_what_it_comes_to_is_the_sound_that_was_carried_and_the_first_connection() -> None:
    call = Call(reconnects=1)
    assert call.core.spent() == Spent()
    call.core.connect(1.0)
    call.core.connected(1.25)
    call.hear(Ready(), now=1.3)
    call.core.caller_audio(FRAME, 1.4)  # the caller cannot hear yet, and is not heard
    call.want(Open(), now=2.0)
    for _ in range(3):
        call.core.caller_audio(FRAME, 2.0)
    for _ in range(3):
        call.hear(Speech(bytes(4800), "i1"), now=2.1)
    call.core.disconnected(1006, "", 3.0)
    call.core.connect(3.5)
    call.core.connected(9.0)
    assert call.core.spent() == Spent(connected_ms=250, heard_ms=60, said_ms=300)


def test_it_starts_when_the_caller_can_hear_and_not_before() -> None:
    call = Call()
    connect = call.core.connect(0.0)
    assert connect is not None
    assert connect.url == "ws://ai.test/"
    call.core.connected(0.1)
    assert call.run(0.1) == [act.Send("hello")]
    assert call.hear(Ready(), now=0.2) == [act.Tell(Ready())]
    assert call.told() == []
    # While the phone rings nothing the caller says goes anywhere.
    assert call.core.caller_audio(FRAME, 0.3) == ()
    call.want(Open(), now=5.0)
    assert call.told() == [Started()]
    assert call.state() is State.OPEN
    assert call.core.caller_audio(FRAME, 5.1) == [FRAME]


def test_an_opening_before_the_session_stands_waits_for_it() -> None:
    call = Call()
    call.want(Open(), now=0.1)
    assert (call.state(), call.told()) == (State.WARM, [])
    call.hear(Ready(), now=0.5)
    assert (call.state(), call.told()) == (State.OPEN, [Started()])


def test_a_greeting_that_comes_too_early_is_kept_for_the_caller() -> None:
    call = Call()
    assert call.hear(HELLO, SpeechEnded("i1"), PlaceMark("greeted"), Ready(), now=0.1) == [act.Tell(Ready())]
    kept = [act.Play(b"hello!", "i1"), act.EndItem("i1"), act.PlaceMark("greeted")]
    assert call.want(Open(), now=3.0) == kept
    assert call.state() is State.SPEAKING


def test_a_greeting_the_backend_takes_back_is_not_played() -> None:
    call = Call()
    call.hear(Ready(), now=0.1)
    call.hear(HELLO, PlaceMark("greeted"), Clear(), Speech(b"other!", "i2"), now=0.2)
    assert call.told() == [MarkReached("greeted", cleared=True)]
    assert call.want(Open()) == [act.Play(b"other!", "i2")]


def test_half_an_hour_of_early_speech_is_not_kept() -> None:
    call = Call()
    second = Speech(bytes(48_000))
    call.hear(Ready(), *[second] * 40, now=0.1)
    assert len(call.want(Open())) == HELD_MS // 1000
    assert call.drops() == ["early_speech"] * 10


def test_early_media_is_heard_but_the_caller_is_not() -> None:
    call = Call()
    call.hear(Ready(), now=0.1)
    call.want(Open(early=True), now=0.2)
    assert (call.state(), call.told()) == (State.EARLY, [Started()])
    assert call.hear(HELLO, now=0.3) == [act.Play(b"hello!", "i1")]
    assert call.core.caller_audio(FRAME, 0.4) == ()
    call.want(Open(), now=2.0)
    assert (call.state(), call.told()) == (State.SPEAKING, [])
    assert call.core.caller_audio(FRAME, 2.1) == [FRAME]


def test_an_announcement_is_heard_to_its_end_before_the_call_is_refused() -> None:
    call = Call()
    call.hear(Ready(), now=0.1)
    call.want(Open(early=True), now=0.2)
    assert call.hear(HELLO, HangUpWish(reason="said it all"), now=0.3) == [act.Play(b"hello!", "i1")]
    assert call.play(playout.Drained(), now=1.0) == [act.Tell(WantsHangUp("", "said it all"))]


def test_early_media_that_has_been_heard_leaves_the_floor_open() -> None:
    call = Call()
    call.hear(Ready(), now=0.1)
    call.want(Open(early=True), now=0.2)
    call.hear(HELLO, now=0.3)
    call.play(playout.Drained(), now=1.0)
    call.want(Open(), now=2.0)
    assert call.state() is State.OPEN


def test_early_media_that_was_taken_back_leaves_the_floor_open() -> None:
    call = Call()
    call.hear(Ready(), now=0.1)
    call.want(Open(early=True), now=0.2)
    call.hear(HELLO, Clear(), now=0.3)
    call.want(Open(), now=2.0)
    assert call.state() is State.OPEN


# --- the caller's audio -------------------------------------------------------------------------------------------


def test_audio_is_cut_to_the_length_the_dialect_wants() -> None:
    call = Call(audio=AudioFormat.PCM16_8K, frame_ms=30)
    call.hear(Ready(), now=0.1)
    call.want(Open())
    assert call.core.caller_audio(bytes(320), 1.0) == []
    assert [len(message) for message in call.core.caller_audio(bytes(320), 1.02)] == [480]
    assert [len(message) for message in call.core.caller_audio(bytes(320), 1.04)] == [480]


@pytest.mark.parametrize(("audio", "silence"), [("pcm16/24000", 0), ("pcmu/8000", 0xFF), ("pcma/8000", 0xD5)])
def test_a_muted_caller_is_silence_so_that_the_time_line_goes_on(audio: str, silence: int) -> None:
    call = Call(audio=AudioFormat(audio))
    call.hear(Ready(), now=0.1)
    call.want(Open())
    size = AudioFormat(audio).bytes_of(20)
    call.want(Mute(True))
    assert call.core.caller_audio(b"\x55" * size, 1.0) == [bytes([silence]) * size]
    call.want(Mute(False))
    assert call.core.caller_audio(b"\x55" * size, 1.0) == [b"\x55" * size]


def test_keys_and_words_of_control_reach_the_backend_once_it_is_open() -> None:
    call = Call()
    call.core.digit("1", 100, 0.1)
    assert call.told() == []
    call = opened()
    call.core.digit("5", 120, 1.0)
    call.want(Say("Good morning."))
    assert call.told() == [DigitPressed("5", 120), Say("Good morning.")]


# --- speech and barge-in ------------------------------------------------------------------------------------------


def test_speech_is_played_and_its_end_is_told() -> None:
    call = opened()
    assert call.hear(HELLO, SpeechEnded("i1"), PlaceMark("m"), now=1.0) == [
        act.Play(b"hello!", "i1"),
        act.EndItem("i1"),
        act.PlaceMark("m"),
    ]
    call.play(playout.PlayoutStarted("i1"), now=1.02)
    call.play(playout.ItemFinished("i1"), now=2.0)
    call.play(playout.MarkReached("m"), now=2.0)
    call.play(playout.Drained(), now=2.0)
    assert call.told() == [MarkReached("m"), Drained()]
    assert call.state() is State.LISTENING


def test_the_backend_learns_how_much_was_heard_and_the_rest_is_never_played() -> None:
    call = speaking()
    call.dropped = playout.Cleared((("i1", 480, 2000),), ("m1", "m2"))
    assert call.hear(CallerSpoke(), now=1.0) == [act.ClearPlayout()]
    assert call.told() == [
        Interrupted("i1", 480, 2000),
        MarkReached("m1", cleared=True),
        MarkReached("m2", cleared=True),
    ]
    assert call.state() is State.INTERRUPTED
    assert call.hear(Speech(b"stale", "i1"), now=1.1) == []
    assert call.hear(Speech(b"fresh!", "i2"), now=1.2) == [act.Play(b"fresh!", "i2")]
    # However late it comes, and whoever is speaking.
    assert call.hear(Speech(b"stale", "i1"), now=9.0) == []
    assert call.drops() == ["stale_speech", "stale_speech"]


def test_what_follows_in_the_same_message_waits_for_the_clear() -> None:
    call = speaking()
    actions = call.hear(CallerSpoke(), Speech(b"stale", "i1"), Speech(b"fresh!", "i2"), now=1.0)
    assert actions == [act.ClearPlayout(), act.Play(b"fresh!", "i2")]
    assert call.drops() == ["stale_speech"]


def test_unnamed_speech_is_stale_for_two_seconds_at_most() -> None:
    call = speaking(item="")
    call.hear(CallerSpoke(), now=1.0)
    assert call.core.next_timer() == 1.0 + STALE_WINDOW
    assert call.hear(Speech(b"stale"), now=2.9) == []
    call.core.handle_timers(3.0)
    assert call.state() is State.LISTENING
    assert call.core.next_timer() is None
    assert call.hear(Speech(b"fresh!"), now=3.1) == [act.Play(b"fresh!", "")]


@pytest.mark.parametrize("word", [SpeechEnded(), CallerStopped(), Clear()])
def test_unnamed_speech_is_fresh_after_the_backends_word_for_it(word: BackendEvent) -> None:
    call = speaking(item="")
    call.hear(CallerSpoke(), now=1.0)
    call.dropped = playout.Cleared()
    call.hear(word, now=1.3)
    assert call.state() is State.LISTENING
    assert act.Play(b"fresh!", "") in call.hear(Speech(b"fresh!"), now=1.4)


def test_what_follows_the_backends_own_clear_is_new_whatever_its_name() -> None:
    call = speaking()
    assert call.hear(Clear(), Speech(b"fresh!", "i1"), now=1.0) == [act.ClearPlayout(), act.Play(b"fresh!", "i1")]
    assert call.told() == [Interrupted("i1", 480, 2000)]


@pytest.mark.parametrize(
    ("barge_in", "by_backend", "by_vad"), [("backend", 1, 0), ("local", 0, 1), ("both", 1, 1), ("off", 0, 0)]
)
def test_the_setting_says_whose_word_interrupts(barge_in: str, by_backend: int, by_vad: int) -> None:
    assert clears(speaking(barge_in).hear(CallerSpoke())) == by_backend
    assert clears(speaking(barge_in).vad(True)) == by_vad
    assert clears(speaking(barge_in).hear(Clear())) == 1


def test_no_other_setting_is_taken() -> None:
    with pytest.raises(UsageError, match="'shouting' is not one of backend, local, both, off"):
        Call("shouting")


@pytest.mark.parametrize("barge_in", ["backend", "local", "both", "off"])
def test_our_vads_word_is_told_to_the_backend_in_any_case(barge_in: str) -> None:
    call = speaking(barge_in)
    call.vad(True)
    assert call.told()[0] == CallerSpeech(True)
    call.vad(False)
    assert call.told()[-1] == CallerSpeech(False)


def test_an_utterance_still_under_way_is_stale_though_nothing_of_it_was_queued() -> None:
    call = speaking()
    call.play(playout.Drained(), now=1.0)
    call.dropped = playout.Cleared((("i1", 120, 120),), ())
    call.told()
    call.hear(CallerSpoke(), now=1.1)
    assert call.told() == [Interrupted("i1", 120, 120)]
    assert call.hear(Speech(b"stale", "i1"), now=1.2) == []


def test_unnamed_speech_that_was_all_heard_was_not_interrupted() -> None:
    call = speaking(item="")
    call.play(playout.Drained(), now=1.0)
    call.told()
    call.dropped = playout.Cleared((("", 120, 120),), ())
    call.hear(CallerSpoke(), now=1.1)
    assert call.told() == []
    assert call.hear(Speech(b"answer"), now=1.2) == [act.Play(b"answer", "")]


def test_a_mark_behind_stale_speech_comes_back_as_cleared() -> None:
    call = speaking()
    call.hear(CallerSpoke())
    call.told()
    assert call.hear(PlaceMark("late")) == []
    assert call.told() == [MarkReached("late", cleared=True)]


def test_muting_cuts_the_backend_off_and_keeps_its_utterance_off() -> None:
    call = speaking()
    assert call.want(Mute(True)) == [act.ClearPlayout()]
    assert call.hear(Speech(b"muted", "i1"), Speech(b"muted", "i2"), PlaceMark("m")) == []
    assert call.told() == [Interrupted("i1", 480, 2000), MarkReached("m", cleared=True)]
    call.want(Mute(False))
    assert call.hear(Speech(b"middle", "i2"), Speech(b"fresh!", "i3")) == [act.Play(b"fresh!", "i3")]
    assert call.drops() == ["muted_speech", "muted_speech", "stale_speech"]


def test_speech_that_comes_as_the_queue_runs_dry_counts_as_speaking() -> None:
    call = speaking()
    call.hear(Speech(b"more", "i1"), now=1.0)
    call.play(playout.Drained(), now=1.0)
    call.play(playout.PlayoutStarted("i1"), now=1.02)
    assert call.state() is State.SPEAKING


# --- turns --------------------------------------------------------------------------------------------------------


def test_a_turns_delay_runs_from_the_end_of_speech_to_the_first_packet_of_the_answer() -> None:
    call = opened()
    call.hear(CallerSpoke(), now=1.0)
    call.hear(CallerStopped(), now=3.0)
    call.vad(False, now=3.2)
    call.hear(Speech(b"answer", "i1"), now=3.6)
    assert call.play(playout.PlayoutStarted("i1"), now=3.64) == [act.Tell(Turn(640))]
    # Once a turn.
    call.play(playout.Drained(), now=4.0)
    call.hear(Speech(b"and", "i1"), now=4.5)
    assert call.play(playout.PlayoutStarted("i1"), now=4.52) == []


def test_a_caller_who_goes_on_has_not_ended_the_turn() -> None:
    call = opened()
    call.vad(True, now=1.0)
    call.vad(False, now=2.0)
    call.vad(True, now=2.5)
    call.vad(False, now=4.0)
    call.hear(HELLO, now=4.2)
    assert call.play(playout.PlayoutStarted("i1"), now=4.3) == [act.Tell(Turn(300))]


def test_what_is_said_behind_the_backends_speech_is_no_turn() -> None:
    call = speaking(barge_in="off")
    call.vad(True, now=1.0)
    call.hear(CallerStopped(), now=1.4)
    call.vad(False, now=1.5)
    call.play(playout.Drained(), now=2.0)
    call.hear(Speech(b"next", "i2"), now=9.0)
    assert call.play(playout.PlayoutStarted("i2"), now=9.1) == []


# --- tools, transfer, hang-up -------------------------------------------------------------------------------------


def test_a_tool_call_is_reported_and_its_answer_passed_on() -> None:
    call = opened()
    tool = ToolCall("t1", "weather", "{}")
    assert call.hear(tool) == [act.Tell(tool)]
    assert call.state() is State.TOOL
    call.want(ToolResult("t1", '"sunny"'))
    assert call.told() == [ToolResult("t1", '"sunny"')]
    assert call.state() is State.LISTENING


def test_of_two_tool_calls_both_have_to_be_answered() -> None:
    call = opened()
    call.hear(ToolCall("t1", "a"), ToolCall("t2", "b"))
    call.want(ToolResult("t2", "{}"))
    assert call.state() is State.TOOL
    call.want(ToolResult("t1", "{}"))
    assert call.state() is State.LISTENING


def test_a_tool_called_while_speaking_is_waited_for_in_silence() -> None:
    call = speaking()
    call.hear(ToolCall("t1", "a"))
    assert call.state() is State.SPEAKING
    call.play(playout.Drained())
    assert call.state() is State.TOOL
    call.hear(Speech(b"a moment", "i2"))
    assert call.state() is State.SPEAKING


def test_a_transfer_is_reported_at_once() -> None:
    call = speaking()
    wish = TransferWish("sales", id="t1", summary="wants to buy")
    assert call.hear(wish) == [act.Tell(wish)]
    plain = TransferWish("sales")
    assert call.hear(plain) == [act.Tell(plain)]
    assert opened().hear(plain) == [act.Tell(plain)]


def test_a_wish_to_pause_the_recording_is_reported_at_once_and_stops_nobody() -> None:
    call = speaking()
    assert call.hear(RecordingWish(paused=True)) == [act.Tell(RecordingWish(paused=True))]
    assert call.state() is State.SPEAKING


def test_a_transfer_nobody_waits_for_leaves_the_floor_open() -> None:
    call = opened()
    call.hear(TransferWish("sales"))
    assert call.state() is State.OPEN


def test_hanging_up_waits_for_the_last_words() -> None:
    call = speaking()
    assert call.hear(HangUpWish("h1", "done"), now=1.0) == []
    assert call.core.next_timer() == 11.0
    assert call.play(playout.Drained(), now=3.0) == [act.Tell(WantsHangUp("h1", "done"))]
    assert call.core.next_timer() is None


def test_hanging_up_does_not_wait_for_ever() -> None:
    call = speaking()
    call.hear(HangUpWish(reason="done"), now=1.0)
    call.core.handle_timers(10.9)
    assert call.run(10.9) == []
    call.core.handle_timers(11.0)
    assert call.run(11.0) == [act.Tell(WantsHangUp("", "done"))]
    assert call.play(playout.Drained(), now=12.0) == []


def test_hanging_up_in_silence_is_reported_at_once() -> None:
    assert opened().hear(HangUpWish(reason="done")) == [act.Tell(WantsHangUp("", "done"))]


def test_cutting_the_last_words_off_ends_the_wait_for_them() -> None:
    call = speaking()
    call.hear(HangUpWish(reason="done"), now=1.0)
    assert call.hear(CallerSpoke(), now=2.0) == [act.ClearPlayout(), act.Tell(WantsHangUp("", "done"))]


def test_transcripts_are_reported() -> None:
    words = Transcript("caller", "Hello?")
    for call in (Call(), opened(), speaking()):
        assert call.hear(words) == [act.Tell(words)]


# --- the end ------------------------------------------------------------------------------------------------------


def test_closing_says_good_bye_drops_what_is_queued_and_reports() -> None:
    call = speaking()
    call.dialect.sends.append("bye")
    assert call.want(Close("caller_hung_up")) == [
        act.Send("bye"),
        act.ClearPlayout(),
        act.CloseSocket(1000, "caller_hung_up"),
        act.Tell(Closed("caller_hung_up")),
    ]
    assert call.told() == [Ended("caller_hung_up")]
    assert call.core.caller_audio(FRAME, 2.0) == ()
    assert call.hear(HELLO) == []
    # The socket's end is no news then.
    call.core.disconnected(1000, "", 2.1)
    assert call.run(2.1) == []


def test_a_failure_is_reported_once() -> None:
    call = opened()
    failure = Failed("quota", permanent=True)
    assert call.hear(failure) == [act.Tell(failure), act.CloseSocket(1000, "quota")]
    assert call.hear(Failed("connection_lost")) == []
    assert call.want(Close("over"))[-1] == act.Tell(Closed("over"))


def test_the_rest_of_a_failed_backends_speech_goes_with_the_close() -> None:
    call = speaking()
    assert act.ClearPlayout() not in call.hear(Failed("connection_lost")), "the caller may hear it to its end"
    assert call.want(Close("over")) == [act.ClearPlayout(), act.Tell(Closed("over"))]


def test_a_socket_that_never_opened_is_a_failure() -> None:
    call = Call(reconnects=3)
    call.core.connect(0.0)
    refused = Failed("connection_refused")
    assert call.hear(refused, now=0.1)[0] == act.Tell(refused)
    assert call.state() is State.CLOSED


def test_a_connection_lost_in_the_call_is_opened_again_as_often_as_allowed() -> None:
    call = opened(reconnects=2)
    call.core.disconnected(1006, "", 5.0)
    assert call.run(5.0) == [act.Reconnect(0)]
    # That failed too.
    assert call.hear(Failed("connection_refused"), now=5.3) == [act.Reconnect(1)]
    call.core.connect(5.6)
    assert call.dialect.opened == 2
    # The conversation goes on; nothing starts again.
    assert call.hear(Ready(), now=5.9) == []
    assert call.told() == []
    call.core.disconnected(1006, "gone", 8.0)
    assert call.run(8.0)[0] == act.Tell(Failed("connection_lost", detail="gone"))


def test_a_new_connection_begins_with_a_whole_frame() -> None:
    call = opened(reconnects=1)
    assert call.core.caller_audio(b"\1" * 500, 1.0) == []
    call.hear(Failed("connection_lost"))
    call.core.connect(1.5)
    assert call.core.caller_audio(FRAME, 2.0) == [FRAME]


def test_what_would_fail_again_is_not_tried_again() -> None:
    call = opened(reconnects=2)
    refused = Failed("unauthorized", permanent=True)
    assert call.hear(refused)[0] == act.Tell(refused)


def test_a_lost_backend_is_not_waited_for_by_its_tools() -> None:
    call = opened(reconnects=1)
    call.hear(ToolCall("t1", "a"))
    call.hear(Failed("connection_lost"))
    assert call.state() is State.LISTENING


# --- timers and notes ---------------------------------------------------------------------------------------------


def test_the_dialects_timers_are_kept() -> None:
    call = Call()
    call.dialect.due, call.dialect.on_timer = 2.0, [Ready()]
    assert call.core.next_timer() == 2.0
    call.core.handle_timers(2.0)
    assert call.run(2.0) == [act.Tell(Ready())]


def test_a_message_that_could_not_be_used_is_counted_in_any_state() -> None:
    for call in (Call(), opened(), speaking()):
        call.hear(Dropped("malformed_message", "x"), now=4.0)
        assert call.notes[-1] == Note(4.0, "ai", Mark.DROP, "malformed_message", "c1", "x")


def test_what_makes_no_sense_now_is_ignored_and_traced() -> None:
    call = opened()
    assert call.want(Open(), now=4.0) == []
    assert call.notes[-1] == Note(4.0, "ai", Mark.DROP, "out_of_place", "c1", "open while open")


def test_every_change_of_state_is_traced() -> None:
    call = speaking()
    call.hear(CallerSpoke(), now=1.0)
    call.want(Close("over"), now=2.0)
    states = [(note.name, note.detail) for note in call.notes if note.mark is Mark.STATE]
    assert states == [
        ("open", "open"),
        ("speaking", "speech"),
        ("interrupted", "barge_in"),
        ("closed", "close"),
    ]
