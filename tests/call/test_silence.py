"""Neither caller nor AI speaks: a reminder, and then the end."""

from typing import Any

import pytest

from sipgw.ai import events as ai
from sipgw.call import effects as do
from sipgw.call.commands import HoldCall, PlayPrompt
from sipgw.call.feed import Kind
from sipgw.media import plane
from sipgw.options import CallOptions
from tests.fakes.control import Control, Fake, commands, only, route, sdp, told

CALL = "n1-0001"
LIMIT = 30.0


def talking(**more: Any) -> tuple[Control, Fake]:
    control = Control(CallOptions(routes=(route("ai", "spare", silence_limit=LIMIT, **more),)))
    return control, control.invite().talks()


def silent(control: Control, phone: Fake, seconds: float = LIMIT, *, caller: float | None = None) -> list[do.Effect]:
    """So much time passes without a word; `caller` where they have said nothing for longer."""
    control.advance(seconds)
    return phone.media(plane.NobodySpeaks(phone.session, seconds, seconds if caller is None else caller))


def test_silence_is_watched_from_where_the_conversation_begins() -> None:
    control, phone = talking()
    watch = only(plane.WatchSilence, control.commands())
    assert watch == plane.WatchSilence(phone.session, LIMIT)
    assert control.commands().index(watch) > control.commands().index(plane.Tell(phone.session, ai.Open()))


def test_it_is_not_watched_without_a_limit() -> None:
    control = Control()
    control.invite().talks()
    assert not [one for one in control.commands() if isinstance(one, plane.WatchSilence)]


def test_the_caller_is_reminded_once_and_then_the_call_ends() -> None:
    control, phone = talking()
    assert only(plane.Play, commands(silent(control, phone))).prompt == "still-there"
    assert [one.data for one in control.happenings if one.kind is Kind.SILENCE] == [{"seconds": LIMIT}]
    control.advance(2.0)
    phone.played()
    bye = only(do.HangUp, silent(control, phone, caller=2 * LIMIT + 2.0))
    assert bye.headers[0] == ("Reason", 'Q.850;cause=102;text="silence"')
    assert told(control.effects)[-1] == ai.Close("silence")
    phone.over()
    assert (control.record.cause, control.record.hung_up_by) == ("silence", "gateway")


def test_who_answers_the_reminder_may_be_silent_again() -> None:
    control, phone = talking()
    for _ in range(3):
        assert only(plane.Play, commands(silent(control, phone))).prompt == "still-there"
        phone.played()
        control.advance(5.0)
    assert not control.byes


def test_the_ai_says_it_where_it_has_words_for_it() -> None:
    control, phone = talking(silence_say="Ask whether the caller is still there.")
    assert told(silent(control, phone)) == [ai.Say("Ask whether the caller is still there.")]
    # It does, and nobody answers.
    control.advance(4.0)
    silent(control, phone, caller=2 * LIMIT + 4.0)
    assert control.byes == {"leg1": 1}


def test_without_a_reminder_the_call_ends_after_twice_the_time() -> None:
    control, phone = talking(silence_prompt="")
    assert commands(silent(control, phone)) == []
    silent(control, phone, caller=2 * LIMIT)
    assert control.byes == {"leg1": 1}


def test_another_backend_begins_with_a_watch_of_its_own() -> None:
    control, phone = talking()
    phone.fails("lost")
    phone.ready(attempt=2)
    assert [type(one).__name__ for one in control.commands()].count("WatchSilence") == 2
    assert only(plane.Play, commands(silent(control, phone))).prompt == "still-there"


@pytest.mark.parametrize("meanwhile", ["switching", "held", "playing", "ending"])
def test_silence_that_crosses_something_else_is_nothing(meanwhile: str) -> None:
    control, phone = talking()
    match meanwhile:
        case "switching":
            phone.fails("lost")
        case "held":
            control.command(HoldCall(CALL, music=""))
            phone.accepts(sdp(way="recvonly"))
        case "playing":
            control.command(PlayPrompt(CALL, "greeting"))
        case "ending":
            phone.bye()
    before = control.drops()
    assert silent(control, phone, 0.1, caller=2 * LIMIT) == []
    assert control.drops() == before


def test_a_control_that_is_started_again_remembers_the_reminder() -> None:
    control, phone = talking()
    silent(control, phone)
    control.advance(2.0)
    phone.played()
    control.restart()
    silent(control, phone, caller=2 * LIMIT + 2.0)
    assert control.byes == {"leg1": 1}
