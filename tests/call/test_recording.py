"""How a call is recorded, in simulated time: by route and by command, with consent, paused, and into the record."""

from collections.abc import Callable
from typing import Any

import pytest

from sipgw.ai import events as ai
from sipgw.call.cdr import Recording
from sipgw.call.commands import (
    Command,
    PauseRecording,
    ResumeRecording,
    StartRecording,
    StopPrompt,
    StopRecording,
    WrongState,
)
from sipgw.call.deeds import RECORDING_LIMIT
from sipgw.call.feed import Kind
from sipgw.call.naming import objection, recording_name
from sipgw.media import plane
from sipgw.options import CallOptions
from tests.fakes.control import EPOCH, Control, Fake, commands, route, told

CALL = "n1-0001"
NAME = "2023-11-14/n1-0001"
PATH = f"/recordings/{NAME}.wav"


def calling(**options: Any) -> tuple[Control, Fake]:
    """A caller of a route with these options."""
    control = Control(CallOptions(routes=(route("ai", "spare", **options),)))
    return control, control.invite()


def talking(**options: Any) -> tuple[Control, Fake]:
    control, phone = calling(**options)
    return control, phone.talks()


def starts(phone: Fake, path: str = PATH) -> None:
    phone.media(plane.RecordingStarted(phone.session, path))


def recorded(phone: Fake, path: str = PATH, **more: object) -> None:
    values: dict[str, object] = {"seconds": 12.0, "sha256": "f00"}
    phone.media(plane.Recorded(phone.session, path, **(values | more)))  # type: ignore[arg-type]


def wanted(control: Control) -> list[plane.Command]:
    """What the media plane was told about recording and prompts."""
    kinds = (plane.StartRecording, plane.StopRecording, plane.PauseRecording, plane.ResumeRecording, plane.Play)
    return [command for command in control.commands() if isinstance(command, kinds)]


def happened(control: Control, *kinds: Kind) -> list[dict[str, object]]:
    return [dict(one.data) for one in control.happenings if one.kind in kinds]


# --- by route -----------------------------------------------------------------------------------------------------


def test_no_call_is_recorded_unless_its_route_says_so() -> None:
    control, phone = talking()
    phone.bye()
    phone.over()
    assert wanted(control) == []
    assert control.record.recordings == ()


def test_a_recorded_call_from_its_answer_to_its_record() -> None:
    control, phone = calling(record="always")
    control.advance(1.0)
    phone.ready()
    assert wanted(control) == [plane.StartRecording(phone.session, NAME)]
    starts(phone)
    phone.ack()
    phone.packet()
    assert told(control.effects) == [ai.Open()]
    control.advance(12.0)
    phone.bye()
    phone.session_ended()
    # The file is not complete yet, and the record waits for it.
    control.advance(3.0)
    assert not control.records
    recorded(phone, paused=((1.0, 2.0),), lost_ms=40)
    control.settled()
    assert control.record.recordings == (Recording(PATH, EPOCH + 1.0, 12.0, "f00", ((1.0, 2.0),), 40),)
    assert happened(control, Kind.RECORDING) == [{"state": "started", "path": PATH}]
    (told_of,) = happened(control, Kind.RECORDED)
    assert told_of == {"path": PATH, "seconds": 12.0, "sha256": "f00", "lost_ms": 40, "failure": ""}


def test_a_record_does_not_wait_for_ever_for_a_disk() -> None:
    control, phone = talking(record="always")
    starts(phone)
    phone.bye()
    phone.session_ended()
    control.advance(RECORDING_LIMIT)
    control.settled()
    assert control.record.recordings == (Recording(PATH, EPOCH),)


# --- consent ------------------------------------------------------------------------------------------------------


def test_the_caller_hears_of_it_before_the_ai_speaks_and_before_anything_is_recorded() -> None:
    control, phone = talking(record="always", consent="consent")
    assert control.states()[-1] == "announcing"
    assert wanted(control) == [plane.Play(phone.session, "consent", 1)]
    assert ai.Open() not in told(control.effects)
    control.advance(3.0)
    phone.played()
    assert control.states()[-1] == "talking"
    assert wanted(control)[1:] == [plane.StartRecording(phone.session, NAME)]
    assert told(control.effects)[-2:] == [ai.Mute(False), ai.Open()]


def test_the_prompt_may_be_in_the_recording() -> None:
    control, phone = talking(record="always", consent="consent", consent_recorded=True)
    assert wanted(control) == [plane.StartRecording(phone.session, NAME), plane.Play(phone.session, "consent", 1)]
    phone.played()
    assert len(wanted(control)) == 2
    assert control.states()[-1] == "talking"


def test_who_may_be_recorded_hears_of_it_as_well() -> None:
    control, phone = talking(record="on_demand", consent="consent")
    with pytest.raises(WrongState, match="has not heard the consent prompt"):
        control.command(StartRecording(CALL))
    phone.played()
    assert wanted(control) == [plane.Play(phone.session, "consent", 1)]
    control.command(StartRecording(CALL))
    assert wanted(control)[1:] == [plane.StartRecording(phone.session, NAME)]


def test_who_has_not_heard_of_it_is_served_but_not_recorded() -> None:
    control, phone = talking(record="always", consent="consent")
    phone.played(complete=False)
    assert control.states()[-1] == "talking"
    assert ai.Open() in told(control.effects)
    assert wanted(control) == [plane.Play(phone.session, "consent", 1)]
    assert happened(control, Kind.ALARM) == [
        {"name": "recording_failed", "detail": "the consent prompt could not be played"}
    ]
    with pytest.raises(WrongState, match="has not heard the consent prompt"):
        control.command(StartRecording(CALL))


def test_a_backend_that_fails_meanwhile_does_not_make_the_caller_hear_it_twice() -> None:
    control, phone = talking(record="always", consent="consent")
    phone.fails()
    assert control.states()[-1] == "switching"
    # The prompt plays on; it ends while the next one gets ready.
    phone.played()
    assert wanted(control)[1:] == [plane.StartRecording(phone.session, NAME)]
    phone.ready(attempt=2)
    assert control.states()[-1] == "talking"
    assert len([command for command in wanted(control) if isinstance(command, plane.Play)]) == 1


def test_a_prompt_that_still_plays_when_the_next_backend_is_ready_is_heard_to_its_end() -> None:
    control, phone = talking(record="always", consent="consent")
    phone.fails()
    phone.ready(attempt=2)
    assert control.states()[-1] == "announcing"
    phone.played()
    assert control.states()[-1] == "talking"
    assert [type(command) for command in wanted(control)] == [plane.Play, plane.StartRecording]


@pytest.mark.parametrize("end", [Fake.bye, Fake.lost, Fake.session_failed, lambda phone: phone.inactive()])
def test_a_call_may_end_while_it_is_announced(end: Callable[[Fake], object]) -> None:
    control, phone = talking(record="always", consent="consent")
    end(phone)
    phone.over()
    assert control.record.recordings == ()


def test_the_prompt_cannot_be_stopped() -> None:
    control, _ = talking(record="always", consent="consent")
    with pytest.raises(WrongState, match="the call is announcing"):
        control.command(StopPrompt(CALL))


# --- by command ---------------------------------------------------------------------------------------------------


def test_a_recording_is_started_paused_resumed_and_stopped_by_command() -> None:
    control, phone = talking(record="on_demand")
    for command in (StartRecording, PauseRecording, ResumeRecording, StopRecording):
        control.command(command(CALL))
    assert [type(command) for command in wanted(control)] == [
        plane.StartRecording, plane.PauseRecording, plane.ResumeRecording, plane.StopRecording,
    ]  # fmt: skip
    starts(phone)
    recorded(phone)
    # And again, to another file.
    control.command(StartRecording(CALL))
    starts(phone, "second.wav")
    phone.bye()
    phone.session_ended()
    recorded(phone, "second.wav", seconds=3.0, sha256="ba5")
    control.settled()
    assert [(one.path, one.sha256) for one in control.record.recordings] == [(PATH, "f00"), ("second.wav", "ba5")]
    assert [one["state"] for one in happened(control, Kind.RECORDING)] == ["paused", "resumed", "started", "started"]


@pytest.mark.parametrize(
    ("before", "command", "why"),
    [
        ((), StopRecording(CALL), "is not recorded"),
        ((), PauseRecording(CALL), "is not recorded"),
        ((), ResumeRecording(CALL), "is not recorded"),
        ((StartRecording(CALL),), StartRecording(CALL), "is recorded already"),
        ((StartRecording(CALL),), ResumeRecording(CALL), "is not paused"),
        ((StartRecording(CALL), PauseRecording(CALL)), PauseRecording(CALL), "is paused already"),
        ((StartRecording(CALL), StopRecording(CALL)), PauseRecording(CALL), "is not recorded"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    before: tuple[Command, ...], command: Command, why: str
) -> None:
    control, _ = talking(record="on_demand")
    for one in before:
        control.command(one)
    count = len(control.effects)
    with pytest.raises(WrongState, match=why):
        control.command(command)
    assert len(control.effects) == count


def test_a_route_may_forbid_it() -> None:
    control, _ = talking(record="never")
    with pytest.raises(WrongState, match="never recorded; set record"):
        control.command(StartRecording(CALL))


def test_before_the_answer_there_is_nothing_to_record() -> None:
    control, _ = calling(record="on_demand")
    with pytest.raises(WrongState, match="the call is connecting"):
        control.command(StartRecording(CALL))


# --- the backend --------------------------------------------------------------------------------------------------


def test_a_backend_pauses_and_resumes_the_recording() -> None:
    control, phone = talking(record="always")
    starts(phone)
    for paused in (True, True, False, False):
        phone.report(ai.RecordingWish(paused))
    assert [type(command) for command in wanted(control)[1:]] == [plane.PauseRecording, plane.ResumeRecording]
    assert [one["state"] for one in happened(control, Kind.RECORDING)] == ["started", "paused", "resumed"]


def test_a_route_may_forbid_backends_to() -> None:
    control, phone = talking(record="always", backend_pauses=False)
    phone.report(ai.RecordingWish(True))
    assert [type(command) for command in wanted(control)] == [plane.StartRecording]
    assert control.drops() == ["pause_not_allowed"]


def test_a_backend_of_a_call_that_is_not_recorded_has_nothing_to_pause() -> None:
    control, phone = talking()
    phone.report(ai.RecordingWish(True))
    assert wanted(control) == []


# --- what goes wrong ----------------------------------------------------------------------------------------------


def test_a_recording_that_cannot_begin_costs_the_call_nothing() -> None:
    control, phone = talking(record="always")
    phone.media(plane.RecordingFailed(phone.session, "too little is free"))
    assert happened(control, Kind.ALARM) == [{"name": "recording_failed", "detail": "too little is free"}]
    assert control.states()[-1] == "talking"
    # Once there is room again, an operator may start it.
    control.command(StartRecording(CALL))
    starts(phone)
    phone.bye()
    phone.session_ended()
    recorded(phone)
    control.settled()
    assert [one.failure for one in control.record.recordings] == ["too little is free", ""]


def test_a_recording_that_ends_early_is_kept_as_far_as_it_goes() -> None:
    control, phone = talking(record="always")
    starts(phone)
    recorded(phone, failure="No space left on device")
    with pytest.raises(WrongState, match="is not recorded"):
        control.command(StopRecording(CALL))
    phone.bye()
    phone.over()
    assert control.record.recordings == (Recording(PATH, EPOCH, 12.0, "f00", failure="No space left on device"),)
    assert len(happened(control, Kind.ALARM)) == 1


def test_a_call_whose_media_worker_dies_has_two_files() -> None:
    control, phone = talking(record="always")
    starts(phone)
    control.advance(5.0)
    # The spare goes on before the first file has been made whole.
    starts(phone, "second.wav")
    recorded(phone, failure="its media worker died")
    control.command(PauseRecording(CALL))
    phone.bye()
    phone.session_ended()
    recorded(phone, "second.wav")
    control.settled()
    assert [(one.path, one.started, one.failure) for one in control.record.recordings] == [
        (PATH, EPOCH, "its media worker died"),
        ("second.wav", EPOCH + 5.0, ""),
    ]


# --- names --------------------------------------------------------------------------------------------------------


def test_a_name_holds_what_its_template_wants_and_nothing_that_leads_elsewhere() -> None:
    template = "{route}/{date}-{time}-{caller}-{called}-{call}"
    name = recording_name(template, EPOCH, call="n1-1", caller="../../etc/passwd", called="+49 30", route="*")
    assert name == "_/2023-11-14-221320-_.._etc_passwd-+49_30-n1-1"
    assert recording_name("{caller}", EPOCH, call="", caller="...", called="", route="") == "_"


@pytest.mark.parametrize("template", ["{call}", "{date}/{call}", "all/{time}-{caller}-{called}.{route}"])
def test_good_templates(template: str) -> None:
    assert objection(template) == ""


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{nobody}", "knows no {nobody}; there is {call}, {called}"),
        ("{call", "is no template"),
        ("{}", "knows no {}"),
        ("/tmp/{call}", "is no relative path"),
        ("../{call}", "is no relative path"),
        ("a//{call}", "is no relative path"),
        ("", "is no relative path"),
    ],
)
def test_bad_templates(template: str, said: str) -> None:
    assert said in objection(template)


def test_the_view_of_a_call_says_whether_it_is_recorded() -> None:
    control, _ = talking(record="on_demand")
    seen = [control.calls.calls()[0].recording]
    for command in (StartRecording, PauseRecording, StopRecording):
        control.command(command(CALL))
        seen.append(control.calls.calls()[0].recording)
    assert seen == ["off", "on", "paused", "off"]


def test_commands_reach_the_media_plane_only_while_there_is_a_session() -> None:
    control, phone = talking(record="on_demand")
    control.command(StartRecording(CALL))
    starts(phone)
    phone.session_failed()
    assert not [c for c in commands(control.effects) if isinstance(c, plane.StopRecording)]
    recorded(phone)
    phone.over()
