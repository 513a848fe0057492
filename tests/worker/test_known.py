"""What is known of a session brings it up again as it was."""

from typing import Any

from sipgw.ai.events import REMEMBERED, CallFacts, Close, Failed, Mute, Open, Ready, Transcript, Words
from sipgw.media import plane
from sipgw.options import BackendOptions
from sipgw.worker.known import Known

STREAM = plane.Stream("PCMU", ("192.0.2.1", 4000), ("192.0.2.1", 4001), (0,), 0)
CREATE = plane.CreateSession("s", "c", STREAM)
CONNECT = plane.ConnectBackend("s", 1, BackendOptions("ai", "sipgw", "ws://192.0.2.2/"), CallFacts("c", "me"))
OPEN = plane.Tell("s", Open())
AFTER = plane.Continuation(1, 2, 3, "name", started=10.0)


def known(*happened: plane.Command | plane.Event) -> Known:
    """A session to which this happened."""
    made = Known.of(CREATE)
    for one in happened:
        made.event(one) if isinstance(one, plane.Event) else made.command(one)
    return made


def said(report: Any, attempt: int = 1) -> plane.Reported:
    return plane.Reported("s", attempt, report)


def test_a_session_that_was_only_created_is_created_again() -> None:
    assert known().again(None) == [CREATE]


def test_one_that_had_started_goes_on_or_starts_where_nothing_is_left_of_it() -> None:
    started = known(plane.StartSession("s"))
    assert started.again(AFTER) == [plane.CreateSession("s", "c", STREAM, AFTER)]
    assert started.again(None) == [CREATE, plane.StartSession("s")]


def test_the_stream_is_the_one_agreed_last() -> None:
    moved = plane.Stream("PCMA", ("192.0.2.9", 1), ("192.0.2.9", 2), (8,), 8)
    assert known(plane.UpdateSession("s", moved)).again(None) == [plane.CreateSession("s", "c", moved)]


def test_a_backend_that_still_gets_ready_is_connected_as_before() -> None:
    assert known(CONNECT).again(None) == [CREATE, CONNECT]
    assert known(CONNECT, said(Ready())).again(None) == [CREATE, CONNECT], "nobody has spoken yet"


def test_a_backend_that_was_in_conversation_is_told_that_it_resumes_and_what_was_said() -> None:
    words = [Transcript("caller", "Hello?"), Transcript("agent", "He", final=False), Transcript("agent", "Hello.")]
    create, connect, muted, opened = known(
        CONNECT, said(Ready()), OPEN, *map(said, words), plane.Tell("s", Mute(True))
    ).again(None)
    assert create == CREATE
    assert isinstance(connect, plane.ConnectBackend)
    assert connect.attempt == 1
    assert connect.facts.resumed
    assert connect.facts.said == (Words("caller", "Hello?"), Words("agent", "Hello."))
    assert (muted, opened) == (plane.Tell("s", Mute(True)), OPEN)


def test_only_the_last_turns_are_remembered() -> None:
    turns = [said(Transcript("caller", str(number))) for number in range(REMEMBERED + 7)]
    kept = known(CONNECT, said(Ready()), OPEN, *turns).said
    assert [words.text for words in kept] == [str(number) for number in range(7, REMEMBERED + 7)]


def test_a_conversation_that_is_over_is_not_brought_back() -> None:
    assert known(CONNECT, OPEN, said(Failed("lost"))).again(None) == [CREATE]
    assert known(CONNECT, OPEN, plane.Tell("s", Close("bye"))).again(None) == [CREATE]
    assert known(CONNECT, OPEN, said(Failed("lost"), attempt=0)).again(None) == [CREATE, CONNECT, OPEN]


def test_another_backend_has_its_own_story() -> None:
    second = plane.ConnectBackend("s", 2, BackendOptions("other", "echo"), CallFacts("c"))
    assert known(CONNECT, said(Ready()), OPEN, second, said(Ready(), attempt=1)).again(None) == [CREATE, second]


def test_a_prompt_that_plays_is_played_again() -> None:
    play = plane.Play("s", "apology", play=3, repeat=True)
    assert known(play).again(None) == [CREATE, play]
    assert known(play, plane.Played("s", "earlier", False, play=2)).again(None) == [CREATE, play]
    assert known(play, plane.Played("s", "apology", True, play=3)).again(None) == [CREATE]
    assert known(play, plane.StopPlaying("s")).again(None) == [CREATE]


def test_a_recording_goes_on_in_another_file_and_what_was_paused_stays_so() -> None:
    start, started = plane.StartRecording("s", "c/caller"), plane.RecordingStarted("s", "/r/c/caller.wav")
    lost = plane.RecordingFailed("s", "its media worker died", "/r/c/caller.wav")
    assert known(start, started).again(None) == [CREATE, start]
    assert known(start, started).lost() == [lost]
    assert known(start, started, plane.PauseRecording("s")).again(None) == [CREATE, start, plane.PauseRecording("s")]
    assert known(start, plane.PauseRecording("s"), plane.ResumeRecording("s")).again(None) == [CREATE, start]
    stopped = known(start, started, plane.StopRecording("s"))
    assert (stopped.again(None), stopped.lost()) == ([CREATE], [lost])
    whole = known(start, started, plane.StopRecording("s"), plane.Recorded("s", "/r/c/caller.wav", 1.0, "00"))
    assert (whole.again(None), whole.lost()) == ([CREATE], [])


def test_keys_on_their_way_are_counted() -> None:
    press = plane.SendDigits("s", "12"), plane.SendDigits("s", "3")
    assert known(*press).lost() == [plane.DigitsSent("s", 2, False), plane.DigitsSent("s", 1, False)]
    assert known(*press, plane.DigitsSent("s", 2, True)).keys == [1]


def test_what_silence_is_told_of_is_asked_for_again() -> None:
    watch = plane.WatchSilence("s", 30.0)
    assert known(watch).again(None) == [CREATE, watch]
