"""The control shell of a process that comes after one that died: it goes on with calls, or ends them."""

import asyncio
import os
from dataclasses import dataclass

import pytest

from sipgw.ai import events as ai
from sipgw.call.snapshot import CallSnapshot
from sipgw.errors import Unavailable
from sipgw.media import plane
from sipgw.worker.known import Adopted, Known
from tests.app.test_control import STATS, Rig, answered, brief, route
from tests.fakes.sip_phone import Heard, Phone, reply


@dataclass
class Left:
    """What a process has left: in its journal, and with its workers."""

    kept: CallSnapshot
    leg: dict[str, object]
    known: Known
    sockets: tuple[int, int]
    phone: Phone


@pytest.fixture
async def left() -> Left:
    """One call, in its conversation."""
    rig = Rig(route())
    return left_by(rig, answered(rig))


def left_by(rig: Rig, phone: Phone) -> Left:
    """The one call of a process that dies now; its sockets live on."""
    (view,) = rig.calls.calls()
    kept = rig.calls.snapshot(view.call)
    assert kept is not None
    leg = rig.agent.snapshot(kept.leg)
    assert leg is not None
    create, *others = rig.plane.commands
    assert isinstance(create, plane.CreateSession)
    known = Known.of(create)
    for command in others:
        known.command(command)
    assert rig.plane.sockets is not None
    sockets = os.dup(rig.plane.sockets[0]), os.dup(rig.plane.sockets[1])
    rig.control.close()
    rig.driver.close()
    return Left(kept, leg, known, sockets, phone)


def taken_up(left: Left, *, call: bool = True, leg: bool = True, media: bool = True) -> tuple[Rig, list[Heard]]:
    """The next process, and what it said at once."""
    rig = Rig(route())
    if leg:
        rig.agent.restore(left.kept.leg, left.leg, rig.clock.now())
    sessions = [Adopted(left.known, left.sockets)] if media else []
    legs = {left.kept.leg} if leg else set()
    rig.control.take_up([left.kept] if call else [], legs, sessions, rig.clock.now())
    rig.control.listen()
    rig.control.reunite(sessions)
    if not media:
        for descriptor in left.sockets:
            os.close(descriptor)
    return rig, rig.sent


async def test_a_call_goes_on_and_its_ports_are_its_own(left: Left) -> None:
    rig, said = taken_up(left)
    assert said == []
    assert rig.plane.commands == []
    assert rig.pool.in_use == 1
    assert rig.counted("sipgw_calls_active") == 1
    assert not rig.control.idle.is_set()
    assert brief(rig.gets(left.phone.bye())) == ["200"]
    assert rig.plane.kinds() == ["Tell", "DestroySession"]
    rig.tells(plane.SessionEnded(left.kept.session, STATS))
    rig.over()
    (record,) = rig.records
    assert (record.cause, record.stats) == ("normal", STATS)
    for descriptor in left.sockets:
        assert not os.path.exists(f"/proc/self/fd/{descriptor}")


async def test_a_200_whose_ack_got_lost_is_sent_again_and_the_call_goes_on() -> None:
    rig = Rig(route())
    rig.gets(Phone().invite())
    (ok,) = rig.report(ai.Ready())
    one = left_by(rig, Phone().within(ok))
    rig, said = taken_up(one)
    assert [heard.text for heard in said] == [ok.text]
    rig.clock.time += 0.6
    await asyncio.sleep(0.6)
    assert [heard.text for heard in rig.sent] == [ok.text] * 2, "and again, until its ACK comes"
    rig.gets(one.phone.ack())
    rig.tells(plane.FirstPacket(one.kept.session))
    assert rig.plane.commands == [plane.Tell(one.kept.session, ai.Open())]
    rig.control.close()
    rig.driver.close()


async def test_a_call_without_media_is_hung_up_and_its_port_rests(left: Left) -> None:
    rig, (bye,) = taken_up(left, media=False)
    assert (bye.brief, 'text="gateway_restarted"' in bye["Reason"]) == ("BYE", True)
    rig.gets(reply(bye, 200))
    rig.over()
    (record,) = rig.records
    assert record.cause == "gateway_restarted"
    other = rig.pool.take("127.0.0.1", 0.0)
    with pytest.raises(Unavailable, match="1 resting"):
        rig.pool.take("127.0.0.1", 0.0)
    assert other.port != left.kept.port
    rig.pool.give_back(other, 0.0)


async def test_a_session_of_no_call_is_ended_and_a_leg_of_no_call_hung_up(left: Left) -> None:
    rig, said = taken_up(left, call=False)
    assert said == []
    rig.control.hang_up([left.kept.leg])
    assert brief(rig.sent) == ["BYE"]
    assert rig.plane.kinds() == ["DestroySession"]
    rig.tells(plane.SessionEnded(left.kept.session, STATS))
    rig.over()
    assert rig.records == []


async def test_a_call_without_a_leg_is_over(left: Left) -> None:
    rig, said = taken_up(left, leg=False)
    assert said == []
    assert rig.plane.kinds() == ["Tell", "DestroySession"]
    rig.tells(plane.SessionEnded(left.kept.session, STATS))
    rig.over()
    (record,) = rig.records
    assert (record.cause, record.stats) == ("signalling_lost", STATS)


async def test_what_got_lost_on_the_way_is_made_up_for(left: Left) -> None:
    left.known.opened = None
    rig, _ = taken_up(left)
    assert rig.plane.commands == [plane.Tell(left.kept.session, ai.Open())]
    rig.control.close()
    rig.driver.close()
