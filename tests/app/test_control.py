"""The control shell between a real agent and a real call core: what leaves, what is held, and what is given back."""

import asyncio
import io
import json
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from sipgw.ai import events as ai
from sipgw.app.control import Control
from sipgw.app.places import Places
from sipgw.call.cdr import CallRecord
from sipgw.call.registry import Calls
from sipgw.flow import Endpoint, Flow
from sipgw.io.driver import Driver
from sipgw.io.port_pools import PortPools
from sipgw.media import plane
from sipgw.ops.metrics import Metrics
from sipgw.options import (
    AddressOptions,
    BackendOptions,
    CallOptions,
    ListenerOptions,
    MediaOptions,
    RouteOptions,
    SipOptions,
)
from sipgw.sip.agent import Agent
from sipgw.sip.events import SipEvent
from tests.fakes.sip_phone import FLOW, Heard, Phone, tokens

ELSEWHERE = ("127.0.0.2", 5060)
"""Another listener."""
STATS = plane.StreamStats(sent_packets=50, drops={"stranger": 2})


class FakePlane:
    """A media plane that keeps the commands it gets, with the descriptors that came along."""

    def __init__(self) -> None:
        self.commands: list[plane.Command] = []
        self.sockets: tuple[int, int] | None = None
        self.bound: Endpoint = ("", 0)
        """What the newest RTP socket binds."""
        self.breaks: type[plane.Command] | None = None
        """Commands of this kind raise."""
        self.tell: Callable[[plane.Event], None] = lambda event: None

    async def start(self) -> None:
        pass

    def command(self, command: plane.Command, sockets: tuple[int, int] | None = None) -> None:
        if self.breaks is not None and isinstance(command, self.breaks):
            raise RuntimeError("a defect")
        self.commands.append(command)
        self.sockets = sockets or self.sockets
        if sockets is not None:
            with socket.socket(fileno=os.dup(sockets[0])) as rtp:
                self.bound = rtp.getsockname()

    def listen(self, listener: Callable[[plane.Event], None]) -> None:
        self.tell = listener

    async def close(self) -> None:
        pass

    def kinds(self) -> list[str]:
        """What it was told, in order."""
        return [type(command).__name__ for command in self.commands]


class StillClock:
    """Stands still until it is moved; timers still run on the loop's."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time


class Rig:
    """A control shell with everything around it but sockets for SIP."""

    def __init__(self, route: RouteOptions, ports: str = "20600-20603", max_calls: int = 0) -> None:
        self.sent: list[Heard] = []
        self.out = io.StringIO()
        self.clock = StillClock()
        self.plane = FakePlane()
        self.metrics = Metrics()
        first, _, last = ports.partition("-")
        media = MediaOptions(first_port=int(first), last_port=int(last), port_rest=0.0)
        self.pool = PortPools(media, ("127.0.0.1", "127.0.0.2"))
        self.agent = Agent(SipOptions(), token=tokens())
        listeners = (
            ListenerOptions(media=(AddressOptions(advertised="198.51.100.7"),)),
            ListenerOptions("udp", *ELSEWHERE, media=(AddressOptions("127.0.0.2"),)),
        )
        self.records: list[CallRecord] = []
        options = CallOptions(
            routes=(route,), backends=(BackendOptions("ai", "echo"),), max_calls=max_calls, drain_limit=0.02
        )
        self.calls = Calls(options, media, token=tokens(), wall=lambda now: now)
        log = structlog.wrap_logger(
            structlog.WriteLogger(self.out),
            processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        )
        places = Places(
            SipOptions(listeners), listeners[0].media[0], lambda address, remote: address.advertised or address.host
        )
        self.control = Control(
            self.calls, self.agent, self.plane, self.pool, places,
            clock=self.clock, log=log, metrics=self.metrics, keep=self.records.append,
        )  # fmt: skip
        self.driver: Driver[SipEvent] = Driver(self.agent, self._send, self.control.on_sip, clock=self.clock)
        self.control.drive(self.driver)
        self.control.listen()

    def _send(self, data: bytes, flow: Flow) -> None:
        self.sent.append(Heard(self.clock.now(), data.decode(), flow))

    def gets(self, text: str, source: Flow = FLOW) -> list[Heard]:
        """A message comes; what leaves at once."""
        before = len(self.sent)
        self.driver.receive(text.encode(), source)
        return self.sent[before:]

    def report(self, report: ai.Report) -> list[Heard]:
        """The conversation of the newest session says something; what leaves at once."""
        return self.tells(plane.Reported(self.session, 1, report))

    def tells(self, event: plane.Event) -> list[Heard]:
        """The media plane says something; what leaves at once."""
        before = len(self.sent)
        self.plane.tell(event)
        return self.sent[before:]

    @property
    def session(self) -> str:
        """The newest session's name."""
        return next(one.session for one in reversed(self.plane.commands) if isinstance(one, plane.CreateSession))

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The log's lines of that name."""
        return [line for line in map(json.loads, self.out.getvalue().splitlines()) if line["event"] == event]

    def counted(self, sample: str) -> float | None:
        """One of the counters, as scraped: its name, and its labels in braces."""
        for line in self.metrics.render().decode().splitlines():
            name, _, value = line.rpartition(" ")
            if name == sample:
                return float(value)
        return None

    def over(self) -> None:
        """Nothing is held any longer."""
        assert self.calls.idle
        assert self.control.idle.is_set()
        assert self.pool.in_use == 0
        assert self.counted("sipgw_calls_active") == 0
        self.control.close()
        self.driver.close()


def route(**more: Any) -> RouteOptions:
    return RouteOptions(targets=("ai",), anyone=True, **more)


def answered(rig: Rig) -> Phone:
    """A call that is up: the phone in its dialog."""
    rig.gets(Phone().invite())
    phone = Phone().within(rig.report(ai.Ready())[-1])
    rig.gets(phone.ack())
    rig.tells(plane.FirstPacket(rig.session))
    return phone


def brief(heard: list[Heard]) -> list[str]:
    return [one.brief for one in heard]


async def test_a_call_from_invite_to_bye_holds_one_pair_of_ports_and_gives_it_back() -> None:
    rig = Rig(route())
    assert rig.control.idle.is_set()
    assert brief(rig.gets(Phone().invite())) == ["100", "180"]
    assert not rig.control.idle.is_set()
    assert rig.pool.in_use == 1
    assert rig.counted("sipgw_calls_active") == 1
    (ok,) = rig.report(ai.Ready())
    assert (ok.brief, "c=IN IP4 198.51.100.7" in ok.body) == ("200", True)
    phone = Phone().within(ok)
    rig.gets(phone.ack())
    rig.tells(plane.FirstPacket(rig.session))
    assert rig.plane.kinds() == ["CreateSession", "ConnectBackend", "StartSession", "Tell"]
    rig.clock.time += 7
    assert brief(rig.gets(phone.bye())) == ["200"]
    assert rig.pool.in_use == 1, "the session's sockets are still its own"
    rig.tells(plane.SessionEnded(rig.session, STATS))
    rig.over()
    assert [line["call"] for line in rig.lines("call answered")] == [line["call"] for line in rig.lines("call ended")]
    assert rig.counted('sipgw_calls_total{cause="normal",outcome="answered"}') == 1
    assert rig.counted("sipgw_call_seconds_total") == 7
    assert [line["drops"] for line in rig.lines("call ended")] == ["2 stranger"]
    # Whoever dropped them has traced each, and that is what is counted.
    assert rig.counted('sipgw_drops_total{layer="media",reason="stranger"}') is None


async def test_rtp_leaves_from_the_address_of_the_listener_that_a_call_came_to() -> None:
    rig = Rig(route())
    rig.gets(Phone().invite(), Flow("udp", ELSEWHERE, FLOW.remote))
    (ok,) = rig.report(ai.Ready())
    assert "c=IN IP4 127.0.0.2" in ok.body
    assert rig.plane.bound == ("127.0.0.2", int(ok.body.partition("m=audio ")[2].split()[0]))
    rig.control.close()
    rig.driver.close()


async def test_the_descriptors_of_a_session_are_those_of_its_ports() -> None:
    rig = Rig(route())
    rig.gets(Phone().invite())
    assert rig.plane.sockets is not None
    for descriptor in rig.plane.sockets:
        assert Path(f"/proc/self/fd/{descriptor}").exists()
    rig.gets(Phone().cancel())
    rig.tells(plane.SessionEnded(rig.session, STATS))
    rig.over()
    for descriptor in rig.plane.sockets:
        assert not Path(f"/proc/self/fd/{descriptor}").exists()


async def test_without_ports_the_caller_is_told_to_try_later() -> None:
    rig = Rig(route(), ports="20600-20601")
    rig.gets(Phone().invite())
    refused = rig.gets(Phone(call_id="call-2", branch="z9hG4bK-2").invite())
    assert brief(refused) == ["100", "503"]
    assert refused[-1]["Retry-After"] == "30"
    rig.gets(Phone().cancel())
    rig.tells(plane.SessionEnded(rig.session, STATS))
    rig.over()


async def test_timers_of_the_core_run_on_the_loop() -> None:
    rig = Rig(route(max_duration=0.02))
    phone = answered(rig)
    await asyncio.sleep(0.05)
    bye = rig.sent[-1]
    assert (bye.brief, bye.all("Reason")[0]) == ("BYE", 'Q.850;cause=31;text="time_limit"')
    rig.gets(_ok(bye))
    rig.tells(plane.SessionEnded(rig.session, STATS))
    assert phone.to_tag in bye["From"]
    rig.over()


async def test_a_cancelled_timer_does_not_fire() -> None:
    rig = Rig(route(target_timeout=0.02, last_resort="486"))
    answered(rig)
    await asyncio.sleep(0.05)
    assert rig.calls.calls()[0].state == "talking"
    rig.control.close()
    rig.driver.close()


async def test_draining_refuses_new_calls_and_pings_and_ends_the_old_in_time() -> None:
    rig = Rig(route())
    answered(rig)
    rig.control.drain()
    refused = rig.gets(Phone(call_id="call-2", branch="z9hG4bK-2").invite())
    assert (brief(refused), refused[-1]["Retry-After"]) == (["100", "503"], "30")
    ping = Phone(call_id="ping", branch="z9hG4bK-3").request("OPTIONS")
    assert brief(rig.gets(ping)) == ["503"]
    await asyncio.sleep(0.05)
    bye = rig.sent[-1]
    assert bye.brief == "BYE"
    rig.gets(_ok(bye))
    rig.tells(plane.SessionEnded(rig.session, STATS))
    await asyncio.wait_for(rig.control.idle.wait(), 1)
    rig.over()


@pytest.mark.parametrize("kind", [plane.CreateSession, plane.ConnectBackend])
async def test_an_effect_that_fails_before_the_answer_refuses_its_call_and_no_other(kind: type[plane.Command]) -> None:
    rig = Rig(route())
    rig.plane.breaks = kind
    (_, *rest) = rig.gets(Phone().invite())
    assert rest[-1].brief == "500"
    rig.plane.breaks = None
    assert brief(rig.gets(Phone(call_id="call-2", branch="z9hG4bK-2").invite())) == ["100", "180"]
    [line] = rig.lines("effect failed")
    assert line["effect"] == "Media"
    assert "RuntimeError: a defect" in line["exception"]
    rig.control.close()
    rig.driver.close()


async def test_an_effect_that_fails_in_the_call_hangs_up() -> None:
    rig = Rig(route())
    rig.gets(Phone().invite())
    phone = Phone().within(rig.report(ai.Ready())[-1])
    rig.plane.breaks = plane.Tell
    rig.gets(phone.ack())
    bye = rig.tells(plane.FirstPacket(rig.session))[-1]
    assert (bye.brief, bye.all("Reason")[0]) == ("BYE", 'Q.850;cause=41;text="internal"')
    rig.gets(_ok(bye))
    rig.tells(plane.SessionEnded(rig.session, STATS))
    rig.over()


async def test_a_200_that_cannot_be_sent_becomes_a_500(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(route())
    rig.gets(Phone().invite())

    def breaks(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(rig.agent, "answer", breaks)
    (refused,) = rig.report(ai.Ready())
    assert refused.brief == "500"
    assert rig.agent.dialog(refused.to_tag) is None, "nothing is left of it there"
    assert rig.plane.kinds()[-1] == "DestroySession"
    rig.control.close()
    rig.driver.close()


async def test_secrets_in_an_effect_that_fails_are_not_logged() -> None:
    rig = Rig(route())
    rig.plane.breaks = plane.ConnectBackend
    rig.gets(Phone(more="X-Account: hush\r\n").invite())
    assert rig.lines("effect failed")
    assert "hush" not in rig.out.getvalue()
    rig.control.close()
    rig.driver.close()


async def test_closing_gives_back_what_calls_still_hold() -> None:
    rig = Rig(route())
    answered(rig)
    assert rig.pool.in_use == 1
    rig.control.close()
    assert rig.pool.in_use == 0
    rig.driver.close()


def _ok(request: Heard) -> str:
    rows = "".join(f"{name}: {request[name]}\r\n" for name in ("Via", "From", "To", "Call-ID", "CSeq"))
    return f"SIP/2.0 200 OK\r\n{rows}Content-Length: 0\r\n\r\n"


async def test_who_takes_the_callers_place_is_not_one_call_more() -> None:
    rig = Rig(route(), max_calls=1)
    rig.agent.door = rig.control.door
    phone = answered(rig)
    place = f"Replaces: {phone.call_id};to-tag={phone.to_tag};from-tag={phone.tag}\r\n"
    desk = Phone(call_id="call-2", tag="desk", branch="z9hG4bK-2", more=place)
    trying, ok, bye = rig.gets(desk.invite())
    assert (brief([trying, ok, bye]), bye["Reason"]) == (["100", "200", "BYE"], 'Q.850;cause=16;text="replaced"')
    rig.gets(_ok(bye))
    desk = desk.within(ok)
    rig.gets(desk.ack())
    assert rig.counted("sipgw_calls_active") == 1
    rig.gets(replace(desk, more="").bye())
    rig.tells(plane.SessionEnded(rig.session, STATS))
    rig.over()
    assert [one.caller for one in rig.records[0].replacements] == ["phone"]


async def test_who_is_turned_away_at_the_door_is_told_why_in_the_networks_words() -> None:
    rig = Rig(route(), max_calls=1)
    rig.agent.door = rig.control.door
    phone = answered(rig)
    refused = [rig.gets(Phone(call_id=f"c{n}", branch=f"z9hG4bK-d{n}").invite())[-1] for n in range(25)]
    assert {one["Reason"] for one in refused} == {'Q.850;cause=42;text="overload"'}
    rig.gets(phone.bye())
    rig.tells(plane.SessionEnded(rig.session, STATS))
    rig.over()
