"""Early media: what a caller hears and may do between the 183 and the answer, in simulated time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sipgw.ai import events as ai
from sipgw.call import effects as do
from sipgw.call.advice import Advice
from sipgw.call.commands import HangUpCall, PlayPrompt, WrongState
from sipgw.call.states import TABLE, Seen, State
from sipgw.media import plane
from sipgw.options import Ask, CallOptions, HookOptions, PlaceOptions
from tests.fakes.control import EPOCH, Control, Fake, commands, only, route, sdp, told

RELIABLE = (("Supported", "100rel"),)
EARLY = replace(route("ai", "spare"), early_media=True, early_prompt="greeting", early_seconds=3.0)


def early(**more: Any) -> Control:
    """A gateway whose route has early media."""
    return Control(CallOptions(routes=(replace(EARLY, **more),)))


def kinds(effects: list[do.Effect]) -> list[str]:
    """Names of effects, media commands by their own."""
    return [type(effect.command if isinstance(effect, do.Media) else effect).__name__ for effect in effects]


def test_a_caller_hears_a_prompt_then_the_ai_and_then_is_answered() -> None:
    control = early()
    phone = control.invite()
    ring = only(do.Ring, control.effects)
    assert ring.status == 183
    assert b"m=audio 20002 " in ring.body
    assert kinds(control.effects)[-2:] == ["StartSession", "Play"]
    assert control.states()[-1] == "early"
    # The AI is ready before the prompt is over, and waits for its end.
    control.advance(0.5)
    assert kinds(phone.ready()) == ["CancelTimer"]
    control.advance(1.5)
    assert told(phone.played()) == [ai.Open(early=True)]
    assert kinds(control.advance(2.9)) == []
    # The answer says the same as the 183; from here on the caller's packets are waited for.
    answered = control.advance(0.2)
    assert kinds(answered) == ["Answer", "StartSession", "StartTimer", "CancelTimer", "StartTimer", "Log"]
    assert only(do.Answer, answered).body == ring.body
    phone.ack()
    assert told(phone.packet()) == [ai.Open()]
    phone.bye()
    phone.over()
    assert control.record.ringing == EPOCH
    assert control.record.answered == pytest.approx(EPOCH + 5.0)
    assert control.drops() == []


def test_a_prompt_alone_is_heard_to_its_end() -> None:
    control = early(early_seconds=0.0)
    phone = control.invite()
    phone.ready()
    assert "Answer" in kinds(phone.played())
    assert told(control.effects) == []


def test_a_target_that_is_not_ready_when_the_prompt_is_over_is_waited_for() -> None:
    control = early(early_seconds=0.0)
    phone = control.invite()
    assert kinds(phone.played()) == []
    assert "Answer" in kinds(phone.ready())


def test_a_prompt_that_cannot_be_played_holds_nothing_up() -> None:
    control = early(early_seconds=0.0)
    phone = control.invite()
    phone.ready()
    assert "Answer" in kinds(phone.played(complete=False))


def test_without_a_prompt_the_ai_speaks_as_soon_as_it_is_ready() -> None:
    control = early(early_prompt="")
    phone = control.invite()
    assert told(phone.ready()) == [ai.Open(early=True)]
    assert "Answer" in kinds(control.advance(3.0))


def test_early_media_alone_opens_the_path() -> None:
    control = early(early_prompt="", early_seconds=0.0, ring=False)
    phone = control.invite()
    assert only(do.Ring, control.effects).status == 183
    assert kinds(control.effects)[-1] == "StartSession"
    assert "Answer" in kinds(phone.ready())


def test_the_caller_may_have_sent_packets_before() -> None:
    control = early()
    phone = control.invite()
    phone.packet()
    phone.ready()
    phone.played()
    control.advance(3.0)
    assert told(phone.ack()) == [ai.Open()]


# --- a caller without an offer ----------------------------------------------------------------------------------------


def test_who_offers_nothing_gets_our_offer_and_answers_in_the_prack() -> None:
    control = early()
    phone = control.invite(b"", headers=RELIABLE)
    ring = only(do.Ring, control.effects)
    assert b"m=audio 20002 RTP/AVP 111 9 0 8 101 102\r\n" in ring.body
    # Nobody knows yet where RTP goes.
    assert "StartSession" not in kinds(control.effects)
    assert kinds(phone.prack(sdp(formats="8 101"))) == ["UpdateSession", "StartSession", "Play"]
    phone.played()
    phone.ready()
    control.advance(3.0)
    # The ACK has nothing more to say.
    assert "HangUp" not in kinds(phone.ack())
    assert told(phone.packet()) == [ai.Open()]
    phone.bye()
    phone.over()
    assert control.record.codec == "PCMA"


def test_who_is_ready_before_the_prack_waits_for_it() -> None:
    control = early(early_prompt="", early_seconds=0.0)
    phone = control.invite(b"", headers=RELIABLE)
    assert "Answer" not in kinds(phone.ready())
    assert "Answer" in kinds(phone.prack(sdp()))


def test_so_does_an_apology() -> None:
    control = early()
    phone = control.invite(b"", headers=RELIABLE)
    phone.fails()
    assert "Answer" not in kinds(phone.fails(attempt=2))
    assert "Answer" in kinds(phone.prack(sdp()))
    phone.ack()
    assert only(plane.Play, commands(phone.packet())).prompt == "apology"


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (sdp(formats="18"), 488)])
def test_a_prack_without_a_usable_answer_ends_the_call(body: bytes, status: int) -> None:
    control = early()
    phone = control.invite(b"", headers=RELIABLE)
    assert only(do.Refuse, phone.prack(body)).status == status
    phone.over()


def test_who_offers_nothing_and_knows_no_100rel_hears_it_ring() -> None:
    control = early()
    phone = control.invite(b"")
    assert only(do.Ring, control.effects) == do.Ring("leg1")
    assert "Answer" in kinds(phone.ready())


# --- offers before the answer -----------------------------------------------------------------------------------------


def test_an_update_is_answered_and_the_200_says_what_is_in_force() -> None:
    control = early(early_seconds=0.0)
    phone = control.invite()
    answer, update = phone.update(sdp(port=41_000, version=2))
    assert isinstance(answer, do.Answer)
    assert isinstance(update, do.Media)
    assert isinstance(update.command, plane.UpdateSession)
    assert update.command.stream.remote == ("192.0.2.7", 41_000)
    phone.ready()
    assert only(do.Answer, phone.played()).body == answer.body


def test_a_caller_may_hold_before_the_answer() -> None:
    control = early(early_prompt="")
    phone = control.invite()
    phone.ready()
    effects = phone.update(sdp(way="inactive"))
    assert b"a=inactive" in only(do.Answer, effects).body
    assert told(effects) == [ai.Mute(True)]
    assert told(phone.update(sdp())) == [ai.Mute(False)]


def test_an_offer_that_cannot_be_served_changes_nothing() -> None:
    control = early(early_seconds=0.0)
    phone = control.invite()
    assert kinds(phone.update(sdp(formats="18"))) == ["Refuse"]
    phone.ready()
    assert "Answer" in kinds(phone.played())


# --- targets ----------------------------------------------------------------------------------------------------------


def test_a_target_that_fails_while_it_speaks_is_followed_by_the_next_for_the_rest_of_the_time() -> None:
    control = early(early_prompt="")
    phone = control.invite()
    phone.ready()
    control.advance(1.0)
    assert "ConnectBackend" in kinds(phone.fails())
    control.advance(1.0)
    assert told(phone.ready(2)) == [ai.Open(early=True)]
    assert "Answer" in kinds(control.advance(1.0))


def test_when_the_time_is_over_before_the_next_is_ready_the_answer_waits_for_it() -> None:
    control = early(early_prompt="")
    phone = control.invite()
    phone.ready()
    phone.fails()
    assert "Answer" not in kinds(control.advance(4.0))
    assert "Answer" in kinds(phone.ready(2))


def test_an_apology_does_not_wait_for_the_prompt() -> None:
    control = early()
    phone = control.invite()
    phone.fails()
    assert "Answer" in kinds(phone.fails(attempt=2))
    # The prompt's end is not the apology's.
    phone.ack()
    phone.packet()
    assert kinds(phone.media(plane.Played(phone.session, "greeting", False, 1))) == []


def test_a_last_resort_may_refuse_after_early_media() -> None:
    control = early(last_resort="503")
    phone = control.invite()
    phone.fails()
    assert only(do.Refuse, phone.fails(attempt=2)).status == 503
    phone.over()
    assert control.record.answered is None


def test_an_ai_may_say_all_there_is_and_hang_up_unanswered() -> None:
    control = early(early_prompt="")
    phone = control.invite()
    phone.ready()
    refusal = only(do.Refuse, phone.report(ai.WantsHangUp("", "said it all")))
    assert refusal.status == 603
    phone.over()
    assert (control.record.cause, control.record.hung_up_by) == ("rejected", "backend")


def test_a_hook_is_asked_before_anything_is_heard() -> None:
    hook = HookOptions(PlaceOptions("crm", "https://crm.example/", ("secret",)))
    control = Control(CallOptions(routes=(replace(EARLY, targets=(Ask("crm"), "ai")),), hooks=(hook,)))
    control.invite()
    assert "Ring" not in kinds(control.effects)
    assert kinds(control.advise(Advice()))[-3:] == ["Ring", "StartSession", "Play"]


# --- the end ----------------------------------------------------------------------------------------------------------

STAGES: dict[str, list[Callable[[Fake], object]]] = {
    "prompt": [],
    "waiting": [Fake.played],
    "speaking": [Fake.played, Fake.ready],
    "switching": [Fake.played, Fake.ready, Fake.fails],
}
ENDS: dict[str, tuple[Callable[[Fake], object], str, str]] = {
    "cancel": (Fake.cancel, "cancelled", "caller"),
    "bye": (Fake.bye, "cancelled", "caller"),
    "no prack": (lambda phone: phone.lost("no_prack"), "signalling_lost", "gateway"),
    "session failed": (Fake.session_failed, "media_failed", "gateway"),
    "told to": (lambda phone: phone.control.command(HangUpCall("n1-0001")), "rejected", "operator"),
    "shut down": (lambda phone: (phone.control.drain(), phone.control.advance(0.01)), "shutdown", "gateway"),
}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("stage", STAGES)
def test_whatever_ends_a_call_ends_it_while_it_is_early(stage: str, how: str) -> None:
    control = Control(CallOptions(routes=(EARLY,), drain_limit=0.01))
    phone = control.invite()
    for step in STAGES[stage]:
        step(phone)
    assert control.states()[-1] == "early"
    end, cause, who = ENDS[how]
    end(phone)
    phone.over()
    assert (control.record.cause, control.record.hung_up_by, control.record.answered) == (cause, who, None)


def test_early_media_lasts_as_long_as_ringing_may() -> None:
    control = early(early_prompt="", max_ringing=10.0, target_timeout=60.0)
    phone = control.invite()
    assert only(do.Refuse, control.advance(10.1)).status == 480
    phone.over()


def test_a_caller_need_not_send_anything_before_the_answer() -> None:
    control = early()
    phone = control.invite()
    assert phone.inactive(never=True) == []
    assert control.drops() == []


def test_it_cannot_be_steered_yet() -> None:
    control = early()
    control.invite()
    with pytest.raises(WrongState, match="the call is early"):
        control.command(PlayPrompt("n1-0001", "greeting"))


def test_whatever_a_call_that_connects_can_see_it_can_see_while_it_is_early() -> None:
    seen = {seen for state, seen in TABLE if state is State.CONNECTING} - {Seen.EARLY_MEDIA}
    assert seen <= {seen for state, seen in TABLE if state is State.EARLY}
