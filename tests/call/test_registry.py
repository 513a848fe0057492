"""All calls together: admission, draining, calls that break, and events nobody waits for."""

from sipgw.ai import events as ai
from sipgw.ai.carried import Carried
from sipgw.call import effects as do
from sipgw.call.events import PortsOpened
from sipgw.call.view import CallView
from sipgw.media import plane
from sipgw.options import BackendOptions, CallOptions
from sipgw.sip import events as sip
from tests.fakes.control import AI, EPOCH, Control, only, request, route, sdp, told

OTHER = BackendOptions("other", "sipgw", "ws://192.0.2.82/")


def test_a_number_nobody_serves_is_not_found() -> None:
    control = Control(CallOptions(routes=(route(number="2*"),)))
    control.invite(to="sip:100@gw.example")
    assert only(do.Refuse, control.effects).status == 404
    assert control.drops() == ["not_found"]
    control.settled()


def test_an_unknown_source_is_refused_and_traced() -> None:
    control = Control(CallOptions(routes=(route(anyone=False, sources=("198.51.100.0/24",)),)))
    control.invite(source="192.0.2.7")
    assert only(do.Refuse, control.effects).status == 403
    (note,) = [note for note in control.notes if note.name == "forbidden"]
    assert note.detail == "403 100 from 192.0.2.7"
    control.invite(leg="leg2", source="198.51.100.9")
    assert isinstance(control.effects[-1], do.Ring)


def test_a_malformed_address_is_a_bad_request() -> None:
    control = Control()
    control.invite(to="sip:100@gw.example:99999")
    assert only(do.Refuse, control.effects).status == 400
    assert control.record.cause == "bad_request"
    control.settled()


def test_more_calls_than_allowed_are_told_to_try_later_before_they_ring() -> None:
    control = Control(CallOptions(routes=(route(),), max_calls=1, retry_after=7))
    first = control.invite().talks()
    before = len(control.effects)
    control.invite(leg="leg2")
    refused = control.effects[before:]
    assert [type(effect).__name__ for effect in refused] == ["Refuse", "StartTimer", "CancelTimer", "Record", "Log"]
    refusal = only(do.Refuse, refused)
    assert (refusal.status, dict(refusal.headers)["Retry-After"]) == (503, "7")
    assert control.record.cause == "overload"
    # There is room again once the first is over.
    first.bye()
    first.over()
    control.invite(leg="leg3").talks()


def test_draining_refuses_new_calls_and_lets_running_ones_finish() -> None:
    control = Control()
    phone = control.invite().talks()
    control.drain()
    control.invite(leg="leg2")
    refusal = only(do.Refuse, control.effects)
    assert (refusal.status, dict(refusal.headers)["Retry-After"]) == (503, "30")
    assert control.record.cause == "draining"
    assert "Ring" not in [type(effect).__name__ for effect in control.effects[-5:]]
    control.advance(60.0)
    assert len(control.calls.calls()) == 1
    phone.bye()
    phone.over()
    assert control.calls.idle
    assert control.records[-1].cause == "normal"


def test_shutting_down_ends_all_calls_at_once_and_takes_no_new_ones() -> None:
    control = Control()
    talking, ringing = control.invite().talks(), control.invite(leg="leg2")
    effects = control.carry(control.calls.shut_down(control.now))
    assert control.byes == {"leg1": 1}
    refusal = only(do.Refuse, effects)
    assert (refusal.leg, refusal.status) == ("leg2", 503)
    assert "Retry-After" in dict(refusal.headers)
    control.invite(leg="leg3")
    assert [effect.leg for effect in control.effects if isinstance(effect, do.Refuse)] == ["leg2", "leg3"]
    for phone in (talking, ringing):
        phone.session_ended()
    assert not control.calls.idle
    talking.released()
    assert control.calls.idle


def test_draining_ends_running_calls_after_a_time() -> None:
    control = Control(CallOptions(routes=(route(),), drain_limit=20.0))
    talking, ringing = control.invite().talks(), control.invite(leg="leg2")
    control.drain()
    assert control.drain() == []
    control.advance(4.0)
    ringing.fails("late")
    control.advance(15.9)
    assert not control.byes
    control.advance(0.2)
    assert control.byes == {"leg1": 1, "leg2": 1}
    bye = next(effect for effect in control.effects if isinstance(effect, do.HangUp))
    assert bye.headers[0] == ("Reason", 'Q.850;cause=41;text="shutdown"')
    for phone in (talking, ringing):
        phone.session_ended()
        phone.released()
    control.settled()
    assert control.calls.causes == {"shutdown": 2}


def test_a_call_that_breaks_ends_alone() -> None:
    control = Control()
    good, bad = control.invite().talks(), control.invite(leg="leg2").talks()
    control.invites["leg2"] += 1
    bad._sip(sip.Reinvited("leg2", None))  # type: ignore[arg-type]
    assert control.byes == {"leg2": 1}
    (note,) = [note for note in control.notes if note.name == "call_broke"]
    assert (note.call, "AttributeError" in note.detail) == ("n1-0002", True)
    bad.session_ended()
    bad.released()
    assert control.record.cause == "internal"
    assert told(good.report(ai.ToolCall("c", "x"))) != []


def test_a_call_that_breaks_before_the_answer_is_refused() -> None:
    control = Control(ports=None)
    phone = control.invite()
    control.asked.clear()
    control.opened[phone.session] += 1
    effects = control.carry(control.calls.on_ports(PortsOpened(phone.session, "no address", 4), 0.0))
    assert only(do.Refuse, effects).status == 500
    control.settled()
    assert (control.record.cause, control.record.status) == ("internal", 500)


def test_a_call_whose_record_cannot_be_made_still_gives_everything_back() -> None:
    def wall(now: float) -> float:
        if now > 5.0:
            raise OverflowError("no such time")
        return EPOCH + now

    control = Control(wall=wall)
    phone = control.invite().talks()
    control.advance(6.0)
    phone.bye()
    phone.session_ended()
    assert control.records == []
    assert control.calls.idle
    assert control.released == control.opened
    assert [note.name for note in control.notes].count("call_broke") == 1


def test_a_call_that_breaks_while_it_breaks_still_gives_everything_back() -> None:
    control = Control(wall=lambda now: EPOCH / 0.0)
    phone = control.invite()
    assert only(do.Refuse, control.effects).status == 500
    phone.session_ended()
    assert control.calls.idle
    assert control.released == control.opened


def test_events_for_calls_that_are_over_are_traced() -> None:
    control = Control()
    phone = control.invite()
    phone.cancel()
    phone.over()
    assert phone.packet() == []
    assert phone.released() == []
    assert control.carry(control.calls.on_timer("n1-0001/target/1", 0.0)) == []
    assert control.drops() == ["no_such_call"] * 3


def test_a_reinvite_for_a_call_that_is_over_gets_481() -> None:
    control = Control()
    control.invites["old"] = 1
    effects = control.carry(control.calls.on_sip(sip.Reinvited("old", request(body=sdp())), 0.0))
    assert effects == [do.Refuse("old", 481)]


def test_a_timer_that_fires_as_it_is_cancelled_is_nothing() -> None:
    control = Control()
    phone = control.invite()
    timer = next(name for name in control.timers if "/target/" in name)
    phone.ready()
    assert control.carry(control.calls.on_timer(timer, 0.0)) == []
    assert control.drops() == ["stale_timer"]


def test_ids_name_the_node_and_their_call() -> None:
    control = Control(CallOptions(node="berlin-2", routes=(route(),)))
    phone = control.invite()
    create = next(one for one in control.commands() if isinstance(one, plane.CreateSession))
    assert create.call == "berlin-2-0001"
    assert phone.session == create.session == "berlin-2-0001/caller"


def test_a_snapshot_of_the_calls() -> None:
    control = Control()
    phone = control.invite()
    assert control.calls.calls() == (
        CallView(
            "n1-0001", "alice", "100", "connecting", "", "PCMU", EPOCH, None,
            source="192.0.2.7", route="*", serial=1, carried=Carried("sip:alice@phone.example", "sip:100@gw.example"),
        ),
    )  # fmt: skip
    assert control.calls.ids() == ("n1-0001",)
    assert control.calls.view("n1-0001") == control.calls.calls()[0]
    assert control.calls.view("n1-0002") is None
    control.advance(0.5)
    phone.talks()
    (view,) = control.calls.calls()
    assert (view.state, view.target, view.answered) == ("talking", "ai", EPOCH + 0.5)
    phone.bye()
    phone.over()
    assert control.calls.calls() == ()
    assert control.calls.causes == {"normal": 1}


def test_new_options_are_for_new_calls_and_running_ones_keep_what_they_had() -> None:
    control = Control(CallOptions(routes=(route("ai", "spare", max_duration=100.0),)))
    running = control.invite().talks()
    options = CallOptions(node="n9", routes=(route("other", max_duration=5.0),), backends=(OTHER,), retry_after=7)
    control.calls.reconfigure(options)
    # The spare is gone from the configuration; the call that began with it still gets it.
    running.fails("lost")
    connect = [one for one in control.commands() if isinstance(one, plane.ConnectBackend)][-1]
    assert connect.backend.name == "spare"
    running.ready(attempt=2)
    new = control.invite(leg="leg2").talks()
    connect = [one for one in control.commands() if isinstance(one, plane.ConnectBackend)][-1]
    assert (connect.backend.name, connect.session) == ("other", new.session)
    assert new.session.startswith("n1-"), "the node is who we are: it stays"
    control.advance(5.0)
    assert control.byes == {"leg2": 1}
    control.advance(95.0)
    assert control.byes == {"leg1": 1, "leg2": 1}
    for phone in (running, new):
        phone.session_ended()
        phone.released()
    control.settled()


def test_a_limit_that_was_lowered_ends_no_call() -> None:
    control = Control(CallOptions(routes=(route(),)))
    phones = [control.invite(leg=f"leg{number}").talks() for number in range(3)]
    control.calls.reconfigure(CallOptions(routes=(route(),), backends=(AI,), max_calls=2))
    control.invite(leg="late")
    assert control.record.cause == "overload"
    assert not control.byes
    for phone in phones[:2]:
        phone.bye()
        phone.session_ended()
    control.invite(leg="later").talks()
