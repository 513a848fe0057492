"""What may be asked of a call from outside, in simulated time: in which states, with what effect, and what is told."""

from collections.abc import Callable

import pytest

from sipgw.ai import events as ai
from sipgw.call import effects as do
from sipgw.call.commands import (
    Command,
    HangUpCall,
    HoldCall,
    NoSuchCall,
    PlayPrompt,
    ResumeCall,
    SayText,
    SendDigits,
    StopPrompt,
    WrongState,
)
from sipgw.call.feed import Kind
from sipgw.media import plane
from tests.fakes.control import Control, Fake, commands, only, sdp, told

CALL = "n1-0001"
STAGES: dict[str, tuple[Callable[[Fake], object], ...]] = {
    "connecting": (),
    "answered": (Fake.ready,),
    "confirmed": (Fake.ready, Fake.ack),
    "talking": (Fake.talks,),
    "switching": (Fake.talks, Fake.fails),
    "apologising": (Fake.talks, Fake.fails, lambda phone: phone.fails(attempt=2)),
    "ending": (Fake.talks, Fake.bye),
}
HEARS = {"confirmed", "talking", "switching"}
COMMANDS: dict[str, tuple[Command, set[str]]] = {
    "hang up": (HangUpCall(CALL), set(STAGES) - {"ending"}),
    "play": (PlayPrompt(CALL, "greeting"), HEARS),
    "digits": (SendDigits(CALL, "1#"), HEARS),
    "hold": (HoldCall(CALL), HEARS),
    "say": (SayText(CALL, "Good-bye."), {"talking"}),
    # Their state allows it, but there is nothing to stop or resume.
    "stop": (StopPrompt(CALL), set()),
    "resume": (ResumeCall(CALL), set()),
}


def at(stage: str) -> tuple[Control, Fake]:
    """A call at that stage."""
    control = Control()
    phone = control.invite()
    for step in STAGES[stage]:
        step(phone)
    assert control.states()[-1] == stage
    return control, phone


def talking() -> tuple[Control, Fake]:
    """A call in conversation."""
    return at("talking")


def happened(control: Control, *kinds: Kind) -> list[tuple[Kind, dict[str, object]]]:
    """What was told outside, of these kinds."""
    return [(one.kind, dict(one.data)) for one in control.happenings if one.kind in kinds]


def on_hold() -> tuple[Control, Fake]:
    """A call in conversation that we have put on hold."""
    control, phone = talking()
    control.command(HoldCall(CALL))
    phone.accepts(sdp(way="recvonly"))
    return control, phone


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("stage", STAGES)
def test_every_command_in_every_state(stage: str, name: str) -> None:
    control, _ = at(stage)
    command, stages = COMMANDS[name]
    before = len(control.effects)
    if stage in stages:
        assert control.command(command)
    else:
        with pytest.raises(WrongState) as wrong:
            control.command(command)
        assert str(wrong.value)
        assert len(control.effects) == before
    assert "call_broke" not in control.drops()


def test_no_call_no_command() -> None:
    with pytest.raises(NoSuchCall, match="n1-9999"):
        Control().command(HangUpCall("n1-9999"))


def test_what_cannot_be_had_says_when_it_can() -> None:
    control, _ = at("connecting")
    with pytest.raises(WrongState, match="is connecting; that is possible while it is confirmed, switching or talking"):
        control.command(PlayPrompt(CALL, "greeting"))


# --- hanging up ---------------------------------------------------------------------------------------------------


def test_an_operator_hangs_up() -> None:
    control, phone = talking()
    assert only(do.HangUp, control.command(HangUpCall(CALL))).headers[0][1] == 'Q.850;cause=16;text="normal"'
    phone.over()
    assert (control.record.cause, control.record.hung_up_by) == ("normal", "operator")


def test_a_call_that_rings_is_refused() -> None:
    control, phone = at("connecting")
    assert only(do.Refuse, control.command(HangUpCall(CALL))).status == 603
    phone.session_ended()
    control.settled()
    assert (control.record.cause, control.record.hung_up_by) == ("rejected", "operator")


# --- prompts ------------------------------------------------------------------------------------------------------


def test_the_ai_is_silent_while_a_prompt_plays_and_goes_on_after_it() -> None:
    control, phone = talking()
    effects = control.command(PlayPrompt(CALL, "greeting"))
    assert commands(effects) == [
        plane.Play(phone.session, "greeting", 1),
        plane.Tell(phone.session, ai.Mute(True)),
    ]
    assert told(phone.played()) == [ai.Mute(False)]
    assert happened(control, Kind.PLAYING, Kind.PLAYED) == [
        (Kind.PLAYING, {"prompt": "greeting"}),
        (Kind.PLAYED, {"prompt": "greeting", "complete": True}),
    ]


def test_a_prompt_is_stopped() -> None:
    control, phone = talking()
    control.command(PlayPrompt(CALL, "greeting"))
    assert commands(control.command(StopPrompt(CALL))) == [plane.StopPlaying(phone.session)]
    assert told(phone.played(complete=False)) == [ai.Mute(False)]
    with pytest.raises(WrongState, match="no prompt plays"):
        control.command(StopPrompt(CALL))


def test_the_end_of_a_prompt_that_was_replaced_changes_nothing() -> None:
    control, phone = talking()
    control.command(PlayPrompt(CALL, "greeting"))
    control.command(PlayPrompt(CALL, "key-1"))
    assert phone.media(plane.Played(phone.session, "greeting", False, 1)) == []
    assert told(phone.played()) == [ai.Mute(False)]


def test_an_apology_is_not_ended_by_the_prompt_it_replaces() -> None:
    control, phone = at("switching")
    control.command(PlayPrompt(CALL, "greeting"))
    phone.fails(attempt=2)
    phone.media(plane.Played(phone.session, "greeting", False, 1))
    assert control.states()[-1] == "apologising"
    phone.played()
    assert control.states()[-1] == "ending"


def test_a_backend_that_takes_over_while_a_prompt_plays_is_muted_until_its_end() -> None:
    control, phone = at("switching")
    control.command(PlayPrompt(CALL, "greeting"))
    assert told(phone.ready(attempt=2)) == [ai.Open()]
    assert told(control.effects)[-2:] == [ai.Mute(True), ai.Open()]
    assert told(phone.played()) == [ai.Mute(False)]


# --- keys and words -----------------------------------------------------------------------------------------------


def test_keys_are_pressed() -> None:
    control, phone = talking()
    assert commands(control.command(SendDigits(CALL, "12#", 200, 100))) == [
        plane.SendDigits(phone.session, "12#", 200, 100)
    ]
    phone.media(plane.DigitsSent(phone.session, 3, True))
    assert happened(control, Kind.DIGITS_SENT) == [(Kind.DIGITS_SENT, {"count": 3, "complete": True})]


@pytest.mark.parametrize("digits", ["", "1 2", "E"])
def test_what_is_no_key_cannot_be_pressed(digits: str) -> None:
    control, _ = talking()
    with pytest.raises(WrongState, match="keys are"):
        control.command(SendDigits(CALL, digits))


def test_a_far_end_without_telephone_events_gets_no_keys() -> None:
    control = Control()
    control.invite(sdp(formats="0 8")).talks()
    with pytest.raises(WrongState, match="telephone-event"):
        control.command(SendDigits(CALL, "1"))


def test_the_ai_is_asked_to_say_something() -> None:
    control, _ = talking()
    assert told(control.command(SayText(CALL, "One minute left."))) == [ai.Say("One minute left.")]


def test_the_ai_is_not_asked_to_speak_behind_a_prompt() -> None:
    control, _ = talking()
    control.command(PlayPrompt(CALL, "greeting"))
    with pytest.raises(WrongState, match="a prompt plays"):
        control.command(SayText(CALL, "Hello."))


# --- hold ---------------------------------------------------------------------------------------------------------


def test_hold_and_resume() -> None:
    control, phone = talking()
    # The offer goes out; until the far end agrees nothing changes.
    offer = only(do.Reinvite, control.command(HoldCall(CALL))).body
    assert b"a=sendonly\r\n" in offer
    assert told(control.effects) == [ai.Open()]
    # It agrees: music, and the AI neither speaks nor hears.
    effects = phone.accepts(sdp(way="recvonly"))
    update, play, mute = commands(effects)
    assert isinstance(update, plane.UpdateSession)
    assert (update.stream.sending, update.stream.receiving) == (True, False)
    assert play == plane.Play(phone.session, "hold", 1, repeat=True)
    assert mute == plane.Tell(phone.session, ai.Mute(True))
    assert control.calls.calls()[0].held_by == ("gateway",)
    # Back again.
    offer = only(do.Reinvite, control.command(ResumeCall(CALL))).body
    assert b"a=sendrecv\r\n" in offer
    effects = phone.accepts(sdp())
    assert plane.StopPlaying(phone.session) in commands(effects)
    assert told(phone.played(complete=False)) == [ai.Mute(False)]
    assert control.calls.calls()[0].held_by == ()
    assert happened(control, Kind.HELD, Kind.RESUMED) == [
        (Kind.HELD, {"by": "gateway"}),
        (Kind.RESUMED, {"by": "gateway"}),
    ]


def test_each_offer_has_the_next_version() -> None:
    control, phone = talking()
    answered = only(do.Answer, control.effects).body
    held = only(do.Reinvite, control.command(HoldCall(CALL))).body
    phone.accepts(sdp(way="recvonly"))
    resumed = only(do.Reinvite, control.command(ResumeCall(CALL))).body
    origins = [body.split(b"\r\n")[1].split() for body in (answered, held, resumed)]
    assert len({origin[1] for origin in origins}) == 1
    assert [int(origin[2]) for origin in origins] == [1, 2, 3]


def test_silence_instead_of_music() -> None:
    control, phone = talking()
    control.command(HoldCall(CALL, music=""))
    effects = phone.accepts(sdp(way="recvonly"))
    assert not [one for one in commands(effects) if isinstance(one, plane.Play)]
    control.command(ResumeCall(CALL))
    assert told(phone.accepts(sdp())) == [ai.Mute(False)]


def test_a_far_end_that_refuses_hold_leaves_the_call_as_it_was() -> None:
    control, phone = talking()
    control.command(HoldCall(CALL))
    assert phone.refuses(488) == []
    assert control.calls.calls()[0].held_by == ()
    assert happened(control, Kind.HOLD_FAILED) == [(Kind.HOLD_FAILED, {"wanted": "hold", "status": 488, "reason": ""})]
    # It can be asked again.
    assert control.command(HoldCall(CALL))


def test_a_refused_resume_leaves_the_call_on_hold() -> None:
    control, phone = on_hold()
    control.command(ResumeCall(CALL))
    phone.refuses(488)
    assert control.calls.calls()[0].held_by == ("gateway",)
    assert control.command(ResumeCall(CALL))


def test_an_answer_without_a_description_is_no_hold() -> None:
    control, phone = talking()
    control.command(HoldCall(CALL))
    assert phone.accepts(b"") == []
    assert control.calls.calls()[0].held_by == ()
    assert [kind for kind, _ in happened(control, Kind.HOLD_FAILED)] == [Kind.HOLD_FAILED]


def test_an_answer_to_nothing_changes_nothing() -> None:
    control, phone = on_hold()
    assert phone.accepts(sdp()) == []
    assert phone.refuses(488) == []
    assert control.calls.calls()[0].held_by == ("gateway",)
    assert control.drops()[-2:] == ["unasked_answer", "unasked_refusal"]


def test_an_offer_that_met_theirs_is_sent_again_after_a_moment() -> None:
    control, phone = talking()
    control.command(HoldCall(CALL))
    phone.refuses(491)
    with pytest.raises(WrongState, match="has yet to answer"):
        control.command(HoldCall(CALL))
    offer = only(do.Reinvite, control.advance(2.01)).body
    assert b"a=sendonly\r\n" in offer
    phone.accepts(sdp(way="recvonly"))
    assert control.calls.calls()[0].held_by == ("gateway",)


def test_one_that_came_too_early_is_sent_again_when_the_far_end_says() -> None:
    control, phone = talking()
    control.command(HoldCall(CALL))
    phone.refuses(500, retry_after="7")
    assert control.advance(6.9) == []
    only(do.Reinvite, control.advance(0.2))
    phone.accepts(sdp(way="recvonly"))
    assert control.calls.calls()[0].held_by == ("gateway",)


@pytest.mark.parametrize("retry_after", ["", "3600", "soon"])
def test_a_far_end_that_is_broken_is_not_asked_again(retry_after: str) -> None:
    control, phone = talking()
    control.command(HoldCall(CALL))
    phone.refuses(500, retry_after=retry_after)
    assert control.advance(10.0) == []
    assert happened(control, Kind.HOLD_FAILED)[0][1]["status"] == 500


def test_glare_without_end_is_a_refusal() -> None:
    control, phone = talking()
    control.command(HoldCall(CALL))
    for _ in range(5):
        phone.refuses(491)
        only(do.Reinvite, control.advance(2.01))
    phone.refuses(491)
    assert control.advance(10.0) == []
    assert happened(control, Kind.HOLD_FAILED)[0][1]["status"] == 491


def test_a_call_that_ends_while_its_offer_waits_gives_everything_back() -> None:
    control, phone = talking()
    control.command(HoldCall(CALL))
    phone.refuses(491)
    phone.bye()
    phone.over()


def test_a_reinvite_of_the_far_end_does_not_end_our_hold() -> None:
    control, phone = on_hold()
    answer = only(do.Answer, phone.reinvite(sdp(port=41_000))).body
    assert b"a=sendonly\r\n" in answer
    # And where both hold, nobody sends.
    phone.ack()
    answer = only(do.Answer, phone.reinvite(sdp(way="sendonly"))).body
    assert b"a=inactive\r\n" in answer
    assert control.calls.calls()[0].held_by == ("gateway", "caller")


def test_on_hold_only_resume_makes_sense() -> None:
    control, _ = on_hold()
    for command in (PlayPrompt(CALL, "greeting"), SayText(CALL, "Hello."), StopPrompt(CALL), HoldCall(CALL)):
        with pytest.raises(WrongState):
            control.command(command)


def test_a_backend_that_takes_over_on_hold_waits_for_the_end_of_it() -> None:
    control, phone = on_hold()
    phone.fails()
    phone.ready(attempt=2)
    assert told(control.effects)[-2:] == [ai.Open(), ai.Mute(True)]


# --- the far end's hold -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["sendonly", "inactive"])
def test_the_ai_does_not_hear_the_far_ends_hold(way: str) -> None:
    control, phone = talking()
    assert told(phone.reinvite(sdp(way=way))) == [ai.Mute(True)]
    phone.ack()
    assert control.calls.calls()[0].held_by == ("caller",)
    with pytest.raises(WrongState, match="far end has put"):
        control.command(PlayPrompt(CALL, "greeting"))
    assert told(phone.reinvite(sdp())) == [ai.Mute(False)]
    assert happened(control, Kind.HELD, Kind.RESUMED) == [
        (Kind.HELD, {"by": "caller"}),
        (Kind.RESUMED, {"by": "caller"}),
    ]


def test_a_call_that_begins_on_hold_opens_muted() -> None:
    control = Control()
    control.invite(sdp(way="inactive")).talks()
    assert told(control.effects) == [ai.Mute(True), ai.Open()]


def test_a_far_end_that_only_listens_is_not_on_hold() -> None:
    control, phone = talking()
    assert told(phone.reinvite(sdp(way="recvonly"))) == []
    assert control.calls.calls()[0].held_by == ()
