"""A call whose route asks a hook: every answer, every failure, and every race between them and the caller."""

from dataclasses import replace

import pytest

from sipgw.ai.carried import Carried
from sipgw.ai.events import Close
from sipgw.call import effects as do
from sipgw.call.advice import Advice, Question, Rejection
from sipgw.call.cdr import HOOK, Attempt
from sipgw.call.feed import Kind
from sipgw.media import plane
from sipgw.options import Ask, CallOptions, HookOptions, PlaceOptions, RouteOptions
from tests.fakes.control import AI, EPOCH, PHONE, SPARE, Control, Fake, only, told

CRM = HookOptions(PlaceOptions("crm", "https://crm.example/", ("secret",), timeout=1.0))
VIP = HookOptions(PlaceOptions("vip", "https://vip.example/", ("secret",), timeout=0.5))
GOOD = replace(
    AI,
    settings={"instructions": "You serve {customer} in {town}.", "deep": {"words": ["{customer}", 7]}},
    headers={"X-A": "1"},
    variables={"town": "Bergen"},
)


def asking(*targets: str | Ask, hook: HookOptions = CRM, **more: object) -> Control:
    """A core whose route asks `crm` and then tries these."""
    route = RouteOptions("*", (Ask("crm"), *targets), anyone=True, **more)  # type: ignore[arg-type]
    return Control(CallOptions(routes=(route,), backends=(GOOD, SPARE), hooks=(hook, VIP)))


def rings(effects: list[do.Effect]) -> bool:
    return any(isinstance(effect, do.Ring) for effect in effects)


def connected(control: Control) -> list[plane.ConnectBackend]:
    return [one for one in control.commands() if isinstance(one, plane.ConnectBackend)]


def over(control: Control, call: Fake) -> None:
    call.bye()
    call.over()


def outcomes(control: Control) -> list[tuple[str, str, str, str]]:
    """The record's targets: name, advice, remembered, failure."""
    return [(one.target, one.advice, one.remembered, one.failure) for one in control.record.targets]


# --- answers ------------------------------------------------------------------------------------------------------


def test_the_hook_names_the_backend() -> None:
    control = asking("spare")
    call = control.invite()
    assert control.question.hook == "crm"
    assert control.question.question == Question(
        call="n1-0001", node="n1", route="*", trunk="", caller="alice", caller_name="Ann", called="100",
        source=PHONE[0], headers={}, sip_call_id="abc@phone", started="2023-11-14T22:13:20.000+00:00",
        carried=Carried("sip:alice@phone.example", "sip:100@gw.example"),
    )  # fmt: skip
    assert not connected(control)
    control.advance(0.3)
    control.advise(Advice(backend="ai"))
    assert [one.backend.name for one in connected(control)] == ["ai"]
    call.talks()
    over(control, call)
    assert control.record.target == "ai"
    hook, ai = control.record.targets
    assert hook == Attempt("ask:crm", EPOCH, HOOK, ended=EPOCH + 0.3, advice="backend ai")
    assert (ai.target, ai.ready) == ("ai", EPOCH + 0.3)


def test_variables_and_instructions_reach_the_backend_and_the_texts_of_its_settings() -> None:
    control = asking()
    call = control.invite()
    control.advise(
        Advice(
            backend="ai",
            variables={"customer": "Ann"},
            instructions="Say sorry.",
            settings={"voice": "marin"},
            headers={"X-B": "2"},
        )
    )
    [connect] = connected(control)
    assert connect.backend.settings == {
        "instructions": "You serve Ann in Bergen.", "deep": {"words": ["Ann", 7]}, "voice": "marin",
    }  # fmt: skip
    assert connect.backend.headers == {"X-A": "1", "X-B": "2"}
    assert connect.facts.variables == {"customer": "Ann", "town": "Bergen"}
    assert connect.facts.instructions == "Say sorry."
    over(control, call.talks())


def test_a_name_that_nobody_knows_stays_and_a_backend_has_its_own_variables_without_a_hook() -> None:
    control = Control(CallOptions(routes=(RouteOptions("*", ("ai",), anyone=True),), backends=(GOOD,)))
    call = control.invite()
    [connect] = connected(control)
    assert connect.backend.settings["instructions"] == "You serve {customer} in Bergen."
    assert connect.facts.variables == {"town": "Bergen"}
    over(control, call.talks())


def test_the_hook_leaves_it_to_the_next_target_but_its_variables_count() -> None:
    control = asking("ai")
    call = control.invite()
    control.advise(Advice(variables={"customer": "Ann"}))
    [connect] = connected(control)
    assert connect.backend.settings["instructions"] == "You serve Ann in Bergen."
    over(control, call.talks())
    assert outcomes(control) == [("ask:crm", "continue", "", ""), ("ai", "", "", "")]


def test_a_named_backend_that_fails_is_followed_by_the_routes_next_target() -> None:
    control = asking("spare")
    call = control.invite()
    control.advise(Advice(backend="ai", instructions="Say sorry.", settings={"voice": "marin"}))
    call.fails()
    assert [one.backend.name for one in connected(control)] == ["ai", "spare"]
    spare = connected(control)[1]
    assert spare.facts.instructions == "Say sorry."
    assert spare.backend.settings == {}, "settings are for the backend that was named"
    call.ready(2)
    call.ack()
    call.packet()
    over(control, call)


def test_a_backend_that_there_is_not_is_a_failed_target() -> None:
    control = asking("spare")
    call = control.invite()
    control.advise(Advice(backend="nobody"))
    assert [one.backend.name for one in connected(control)] == ["spare"]
    over(control, call.talks())
    assert outcomes(control)[1] == ("nobody", "", "", "not_configured")


def test_the_hook_refuses_with_its_own_words() -> None:
    control = asking("spare")
    call = control.invite()
    effects = control.advise(Advice(reject=Rejection(486, "Not today")))
    refusal = only(do.Refuse, effects)
    assert (refusal.status, refusal.reason) == (486, "Not today")
    assert not connected(control)
    call.over()
    assert (control.record.cause, control.record.status) == ("rejected", 486)
    assert control.record.reason == "ask:crm says so"
    assert outcomes(control) == [("ask:crm", "reject 486", "", "")]


def test_a_hook_may_follow_a_hook_and_hears_what_failed() -> None:
    control = asking(Ask("vip"), "spare")
    call = control.invite()
    control.advise(Advice(variables={"customer": "Ann", "tier": "gold"}, instructions="Be kind."))
    assert control.question.hook == "vip"
    assert control.question.question.tried == ()
    control.advise(Advice(backend="ai", variables={"customer": "Anna"}))
    facts = connected(control)[0].facts
    assert facts.variables == {"customer": "Anna", "tier": "gold", "town": "Bergen"}
    assert facts.instructions == "Be kind."
    over(control, call.talks())


def test_a_hook_may_come_after_a_backend_also_in_mid_call() -> None:
    route = RouteOptions("*", ("spare", Ask("crm")), anyone=True)
    control = Control(CallOptions(routes=(route,), backends=(GOOD, SPARE), hooks=(CRM,)))
    call = control.invite()
    call.talks()
    call.fails("connection_lost")
    assert control.question.question.tried == ("spare",)
    assert "switching" in control.states()
    control.advise(Advice(backend="ai"))
    call.ready(2)
    assert control.states()[-1] == "talking"
    over(control, call)


def test_a_refusal_after_the_answer_is_a_bye() -> None:
    route = RouteOptions("*", ("spare", Ask("crm")), anyone=True)
    control = Control(CallOptions(routes=(route,), backends=(GOOD, SPARE), hooks=(CRM,)))
    call = control.invite()
    call.talks()
    call.fails("connection_lost")
    effects = control.advise(Advice(reject=Rejection(603)))
    only(do.HangUp, effects)
    call.over()
    assert control.record.cause == "rejected"


# --- ringing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "hook", "heard"), [(True, None, True), (True, False, False), (False, True, True), (False, None, False)]
)
def test_ringing_waits_for_the_hook_which_may_have_its_own_idea(route: bool, hook: bool | None, heard: bool) -> None:
    control = asking(ring=route)
    call = control.invite()
    assert not rings(control.effects)
    effects = control.advise(Advice(backend="ai", ring=hook))
    assert rings(effects) is heard
    over(control, call.talks())


def test_it_rings_once_when_the_hook_fails_or_another_target_follows() -> None:
    control = asking("ai", "spare")
    call = control.invite()
    assert rings(control.hook_fails())
    assert not rings(call.fails())
    assert control.happenings[-1].kind is not Kind.RINGING
    call.ready(2)
    call.ack()
    call.packet()
    over(control, call)


def test_it_does_not_ring_while_the_second_hook_is_still_asked() -> None:
    control = asking(Ask("vip"), "spare")
    call = control.invite()
    assert not rings(control.hook_fails())
    assert rings(control.hook_fails())
    over(control, call.talks())


# --- failures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["connection_refused", "http_500", "bad_answer", "busy", "not_configured"])
def test_a_hook_that_fails_is_followed_by_the_next_target(reason: str) -> None:
    control = asking("spare")
    call = control.invite()
    control.hook_fails(reason)
    assert [one.backend.name for one in connected(control)] == ["spare"]
    over(control, call.talks())
    assert outcomes(control)[0] == ("ask:crm", "", "", reason)
    assert control.drops() == ["target_failed"]
    failed = [one for one in control.happenings if one.kind is Kind.TARGET_FAILED]
    assert failed[0].data == {"target": "ask:crm", "reason": reason}


def test_a_slow_hook_is_given_up_in_time_and_its_late_answer_is_traced() -> None:
    control = asking("spare")
    call = control.invite()
    question = control.question.id
    control.advance(0.99)
    assert not connected(control)
    effects = control.advance(0.02)
    assert only(do.StopAsking, effects).id == question
    assert [one.backend.name for one in connected(control)] == ["spare"]
    control.advise(Advice(reject=Rejection(603)), question)
    assert control.drops() == ["target_failed", "stale_answer"]
    over(control, call.talks())
    assert outcomes(control)[0] == ("ask:crm", "", "", "timeout")


def test_a_hook_that_is_not_configured_is_a_failed_target() -> None:
    route = RouteOptions("*", (Ask("gone"), "spare"), anyone=True)
    control = Control(CallOptions(routes=(route,), backends=(SPARE,)))
    call = control.invite()
    assert not control.questions
    over(control, call.talks())
    assert outcomes(control)[0] == ("ask:gone", "", "", "not_configured")


def test_when_nothing_is_left_the_last_resort_is_taken() -> None:
    control = asking(last_resort="480")
    call = control.invite()
    assert only(do.Refuse, control.hook_fails()).status == 480
    call.over()


# --- remembering --------------------------------------------------------------------------------------------------


def one_call(control: Control, leg: str, advice: Advice | None = None) -> Fake:
    """A call from its INVITE to the answer of the hook; without one the hook fails, if it is asked."""
    call = control.invite(leg=leg)
    if advice is not None:
        control.advise(advice)
    elif control.questions:
        control.hook_fails("timeout")
    return call


def test_what_it_said_last_has_to_do_while_it_is_down_and_no_longer_than_that() -> None:
    control = asking("spare")
    one_call(control, "leg1", Advice(backend="ai", instructions="Hello Ann")).bye()
    control.advance(3000.0)
    call = one_call(control, "leg2")
    assert connected(control)[-1].backend.name == "ai"
    assert connected(control)[-1].facts.instructions == "Hello Ann"
    call.bye()
    control.advance(601.0)
    one_call(control, "leg3").bye()
    assert connected(control)[-1].backend.name == "spare"
    control.advance(5.0)
    second, third = [record.targets[0] for record in control.records if record.targets[0].failure]
    assert (second.failure, second.advice, second.remembered) == ("timeout", "backend ai", "stale")
    assert (third.failure, third.advice, third.remembered) == ("timeout", "", "")


def test_a_refusal_is_remembered_too() -> None:
    control = asking("spare")
    one_call(control, "leg1", Advice(reject=Rejection(403))).over()
    control.invite(leg="leg2")
    control.advance(1.0)
    assert only(do.Refuse, control.effects[-8:]).status == 403


def test_an_answer_is_for_its_caller_alone_unless_it_depends_on_the_number_only() -> None:
    for by, used in ((("called", "caller"), False), (("called",), True)):
        control = asking("spare", hook=replace(CRM, cache_by=by))
        one_call(control, "leg1", Advice(backend="ai")).bye()
        control.invite(leg="leg2", caller="bob")
        control.hook_fails()
        assert (connected(control)[-1].backend.name == "ai") is used, by


def test_an_answer_may_be_used_for_a_while_without_asking() -> None:
    control = asking("spare", hook=replace(CRM, cache_for=60.0))
    one_call(control, "leg1", Advice(backend="ai")).bye()
    control.advance(59.0)
    call = control.invite(leg="leg2")
    assert not control.questions
    assert connected(control)[-1].backend.name == "ai"
    assert rings(control.effects)
    call.bye()
    control.advance(2.0)
    control.invite(leg="leg3")
    assert control.question.hook == "crm"
    cached = next(record for record in control.records if record.targets[0].remembered)
    assert cached.targets[0].remembered == "cached"


def test_a_cached_answer_of_a_second_hook_is_not_mixed_up_with_what_the_first_just_said() -> None:
    route = RouteOptions("*", (Ask("crm"), Ask("vip"), "spare"), anyone=True)
    vip = replace(VIP, cache_for=60.0)
    control = Control(CallOptions(routes=(route,), backends=(GOOD, SPARE), hooks=(CRM, vip)))
    control.invite(leg="leg1")
    control.advise(Advice())
    control.advise(Advice(backend="ai"))
    control.invite(leg="leg2")
    control.advise(Advice(variables={"customer": "Ann"}))
    assert not control.questions
    assert connected(control)[-1].backend.name == "ai"
    control.invite(leg="leg3")
    control.hook_fails()
    assert connected(control)[-1].backend.name == "ai", "what crm said for leg2 was to continue"


def test_the_failure_of_a_backend_does_not_bring_an_old_answer_back() -> None:
    control = asking("spare")
    one_call(control, "leg1", Advice(backend="ai")).bye()
    call = control.invite(leg="leg2")
    control.advise(Advice(backend="ai"))
    call.fails()
    assert [one.backend.name for one in connected(control)] == ["ai", "ai", "spare"]


def test_answers_outlive_a_reload() -> None:
    control = asking("spare")
    one_call(control, "leg1", Advice(backend="ai")).bye()
    control.calls.reconfigure(control.options)
    one_call(control, "leg2")
    assert connected(control)[-1].backend.name == "ai"


# --- races --------------------------------------------------------------------------------------------------------


def test_the_caller_gives_up_while_the_hook_thinks() -> None:
    control = asking("spare")
    call = control.invite()
    question = control.question.id
    effects = call.cancel()
    assert only(do.StopAsking, effects).id == question
    control.advise(Advice(backend="ai"), question)
    assert not connected(control)
    call.over()
    assert control.record.cause == "cancelled"
    assert set(control.drops()) <= {"stale_answer", "no_such_call"}


@pytest.mark.parametrize("end", ["bye", "lost", "session_failed"])
def test_whatever_ends_the_call_the_question_is_taken_back(end: str) -> None:
    control = asking("spare")
    call = control.invite()
    getattr(call, end)()
    assert not control.questions
    call.over()


def test_the_gateway_stops_while_the_hook_thinks() -> None:
    control = asking("spare")
    call = control.invite()
    control.carry(control.calls.shut_down(control.now))
    assert not control.questions
    call.over()


def test_a_question_that_could_not_be_put_ends_its_call_and_no_other() -> None:
    control = asking("spare")
    call = control.invite()
    control.carry(control.calls.on_failure(control.question, control.now))
    call.over()
    assert control.record.cause == "internal"


def test_a_backend_that_took_too_long_is_told_so_before_a_hook_is_asked() -> None:
    route = RouteOptions("*", ("spare", Ask("crm")), anyone=True)
    control = Control(CallOptions(routes=(route,), backends=(GOOD, SPARE), hooks=(CRM,)))
    call = control.invite()
    effects = control.advance(5.0)
    assert told(effects) == [Close("replaced")]
    # It gets ready after all, while the hook thinks: nobody waits for it any longer.
    call.ready(1)
    assert control.states()[-1] == "connecting"
    control.advise(Advice(backend="ai"))
    call.ready(2)
    call.ack()
    call.packet()
    over(control, call)
    assert control.record.target == "ai"


def test_a_backend_of_the_same_name_as_before_is_a_new_attempt() -> None:
    control = asking("ai")
    call = control.invite()
    control.advise(Advice(backend="ai"))
    call.fails()
    assert [one.attempt for one in connected(control)] == [1, 2]
    call.ready(2)
    call.ack()
    call.packet()
    over(control, call)
