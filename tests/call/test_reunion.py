"""What was on its way when control died: call and session agree again, whichever of them knows less."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest

from sipgw.ai import events as ai
from sipgw.call import effects as do
from sipgw.call.commands import HoldCall, PauseRecording, PlayPrompt, StartRecording, StopRecording
from sipgw.media import plane
from sipgw.options import CallOptions
from tests.fakes.control import SPARE, Control, Fake, commands, only, route, sdp, told


@dataclass
class Case:
    """A call in its conversation, and a way to meddle with what its worker knows."""

    control: Control
    phone: Fake

    def reunited(self, **other: object) -> list[do.Effect]:
        """Another process takes the call up; its session is at something else than the call thinks."""
        (known,) = self.control.known.values()
        kept = self.control.kept()
        self.control.restart()
        alive = msgspec.structs.replace(known.alive, **other)
        before = len(self.control.effects)
        self.control.carry(self.control.calls.reunite(alive, self.control.now))
        assert [one.call for one in kept] == [one.call for one in self.control.kept()]
        return self.control.effects[before:]


@pytest.fixture
def case() -> Case:
    control = Control()
    return Case(control, control.invite().talks())


def test_where_both_know_the_same_nothing_is_done(case: Case) -> None:
    assert case.reunited() == []


@pytest.mark.parametrize(
    ("lost", "command"),
    [
        ({"opened": False}, plane.Tell("n1-0001/caller", ai.Open())),
        ({"started": False}, plane.StartSession("n1-0001/caller")),
        ({"muted": True}, plane.Tell("n1-0001/caller", ai.Mute(False))),
    ],
)
def test_a_command_that_did_not_arrive_is_given_again(
    case: Case, lost: dict[str, bool], command: plane.Command
) -> None:
    assert commands(case.reunited(**lost)) == [command]


def test_a_stream_that_was_changed_is_changed_again(case: Case) -> None:
    (known,) = case.control.known.values()
    before = known.stream
    case.phone.reinvite(sdp(port=41_000, version=2))
    (update,) = commands(case.reunited(stream=before))
    assert isinstance(update, plane.UpdateSession)
    assert update.stream.remote == ("192.0.2.7", 41_000)


@pytest.mark.parametrize("attempt", [None, 0])
def test_a_backend_that_failed_unheard_is_followed_by_the_next(case: Case, attempt: int | None) -> None:
    case.control.conversing.clear()
    effects = case.reunited(attempt=attempt)
    assert only(plane.ConnectBackend, commands(effects)).backend == SPARE
    case.phone.bye()
    case.phone.over()
    assert [one.failure for one in case.control.record.targets] == ["lost_with_control", ""]


def test_a_backend_that_got_ready_unheard_gets_the_call() -> None:
    control = Control()
    case = Case(control, control.invite().talks())
    case.phone.fails()
    assert told(case.reunited(ready=True)) == [ai.Open()]


def test_a_prompt_that_ended_unheard_is_over(case: Case) -> None:
    case.control.command(PlayPrompt("n1-0001", "greeting"))
    assert told(case.reunited(play=None)) == [ai.Mute(False)]
    assert case.control.calls.calls()[0].prompt == ""


def test_an_apology_that_ended_unheard_ends_the_call() -> None:
    control = Control()
    phone = control.invite()
    phone.fails()
    phone.fails(attempt=2)
    phone.ack()
    phone.packet()
    case = Case(control, phone)
    (known,) = control.known.values()
    control.restart()
    alive = msgspec.structs.replace(known.alive, play=None)
    only(do.HangUp, control.carry(control.calls.reunite(alive, control.now)))
    case.phone.over()


def test_a_call_on_hold_stays_muted(case: Case) -> None:
    case.control.command(HoldCall("n1-0001"))
    case.phone.accepts(sdp(way="recvonly"))
    assert told(case.reunited(muted=False)) == [ai.Mute(True)]


@pytest.mark.parametrize("end", [Fake.bye, Fake.inactive])
def test_a_call_that_ends_is_let_go(case: Case, end: Callable[[Fake], object]) -> None:
    end(case.phone)
    (known,) = case.control.known.values()
    case.control.restart()
    alive = msgspec.structs.replace(known.alive, opened=False, started=False)
    assert case.control.calls.reunite(alive, case.control.now) == []


def test_a_session_of_no_call_is_nobodys_business() -> None:
    control = Control()
    control.invite().talks()
    (known,) = control.known.values()
    assert Control().calls.reunite(known.alive, 0.0) == []


# --- recordings ---------------------------------------------------------------------------------------------------


@pytest.fixture
def recorded() -> Case:
    control = Control(CallOptions(routes=(route("ai", record="on_demand"),)))
    case = Case(control, control.invite().talks())
    control.command(StartRecording("n1-0001"))
    case.phone.media(plane.RecordingStarted(case.phone.session, "/calls/1.wav"))
    return case


def test_a_pause_that_got_lost_is_made(recorded: Case) -> None:
    recorded.control.command(PauseRecording("n1-0001"))
    assert commands(recorded.reunited(paused=False)) == [plane.PauseRecording(recorded.phone.session)]


def test_a_recording_that_was_to_stop_is_stopped(recorded: Case) -> None:
    recorded.control.command(StopRecording("n1-0001"))
    assert commands(recorded.reunited(recording=True)) == [plane.StopRecording(recorded.phone.session)]


def test_a_recording_that_goes_on_goes_on(recorded: Case) -> None:
    assert recorded.reunited() == []
