"""The record of a call."""

from sipgw.ai.events import Spent
from sipgw.call.cdr import Draft, Utterance
from sipgw.errors import Cause
from sipgw.media.plane import StreamStats


def test_times_are_unix_times_and_missing_ones_are_missing() -> None:
    record = Draft("n1-1", 1.0, wall=lambda now: 1000.0 + now).finish(4.0)
    assert (record.started, record.ringing, record.answered, record.ended) == (1001.0, None, None, 1004.0)
    assert (record.seconds, record.target, record.stats) == (0.0, "", None)


def test_the_target_is_the_last_that_was_ready_whatever_became_of_it() -> None:
    draft = Draft("n1-1", 0.0, wall=float)
    draft.tried("a", 0.0)
    draft.target_ready(0.0)
    draft.target_failed("lost", 0.5)
    draft.tried("b", 1.0)
    draft.target_failed("timeout", 2.0)
    record = draft.finish(2.5)
    assert record.target == "a"
    assert [(one.when, one.ready, one.ended) for one in record.targets] == [(0.0, 0.0, 0.5), (1.0, None, 2.0)]


def test_a_target_that_never_failed_had_the_call_to_its_end() -> None:
    draft = Draft("n1-1", 0.0, wall=float, ended=7.0)
    draft.tried("a", 1.0, "demo")
    assert [(one.dialect, one.ended) for one in draft.finish(9.0).targets] == [("demo", 7.0)]


def test_the_post_dial_delay_ends_with_the_first_sign_of_life() -> None:
    assert Draft("n1-1", 1.0, wall=float, ringing=1.5, answered=3.0).finish(9.0).post_dial_seconds == 0.5
    assert Draft("n1-1", 1.0, wall=float, answered=3.0).finish(9.0).post_dial_seconds == 2.0
    assert Draft("n1-1", 1.0, wall=float).finish(9.0).post_dial_seconds is None


def test_the_last_line_of_the_log_has_cause_and_counters() -> None:
    draft = Draft("n1-1", 0.0, wall=float, answered=1.0, cause=Cause.MEDIA_TIMEOUT, codec="PCMU")
    draft.stats = StreamStats(sent_packets=5, received_packets=4, lost_packets=1, jitter_ms=1.26, first_audio_ms=80)
    fields = draft.finish(3.5).summary()
    wanted = {"cause": "media_timeout", "seconds": 2.5, "codec": "PCMU", "sent_packets": 5, "jitter_ms": 1.3}
    assert wanted.items() <= fields.items()
    assert fields["drops"] == ""
    draft.stats = StreamStats(drops={"stranger": 7, "bad_version": 2})
    assert draft.finish(3.5).summary()["drops"] == "2 bad_version, 7 stranger"
    draft.stats = None
    assert "sent_packets" not in draft.finish(3.5).summary()


def test_what_a_conversation_came_to_goes_to_its_own_target() -> None:
    draft = Draft("n1-1", 0.0, wall=float)
    draft.tried("a", 0.0, "demo", 1)
    draft.tried("nowhere", 1.0)
    draft.tried("b", 1.0, "demo", 2)
    draft.target_spent(1, Spent(80, 1000, 0))
    draft.target_spent(2, Spent(None, 5000, 700))
    draft.target_spent(3, Spent(9, 9, 9))
    told = [(one.target, one.connected_ms, one.heard_ms, one.said_ms) for one in draft.finish(9.0).targets]
    assert told == [("a", 80, 1000, 0), ("nowhere", None, 0, 0), ("b", None, 5000, 700)]


def test_words_are_kept_with_their_time_within_bounds() -> None:
    draft = Draft("n1-1", 0.0, wall=lambda now: 1000 + now)
    for number in range(6000):
        draft.spoken("caller", "x" * 5000 if number == 0 else "y", float(number))
    transcript = draft.finish(9.0).transcript
    assert (len(transcript), len(transcript[0].text)) == (5000, 4000)
    assert transcript[1] == Utterance(1001.0, "caller", "y")
