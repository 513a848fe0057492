"""What can only be seen in our own loop: that a defect costs its own session, and when events come."""

import asyncio

import pytest

from sipgw.ai.events import Open, Ready
from sipgw.audio.playout import Playout
from sipgw.media import plane
from sipgw.media.latch import Sent
from sipgw.media.session import Session
from sipgw.options import MediaOptions
from sipgw.worker.local import LocalPlane
from tests.fakes.realtime import realtime
from tests.fakes.rtp_phone import SILENCE
from tests.worker.planes import PROMPT, control, session


async def test_a_defect_costs_its_own_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(self: Playout, audio: bytes, item: str = "") -> None:
        raise RuntimeError("a defect")

    async with realtime() as server, control() as made, session(made), session(made, "s2") as (other, _):
        for name in ("s1", "s2"):
            made.plane.command(plane.StartSession(name))
        made.connect("openai-realtime", server.url)
        await made.report(Ready)
        made.plane.command(plane.Tell("s1", Open()))
        with monkeypatch.context() as patch:
            patch.setattr(Playout, "add", defect)
            await server.speak(PROMPT)
            assert (await made.told(plane.SessionFailed)).reason == "a defect"
        assert "session_failed" in made.drops()
        count = len(other.heard)
        await other.until(count + 10)
        await server.ended()
        assert [event for event in made.events if event.session == "s2"] == []


async def test_a_defect_met_by_a_packet_costs_its_own_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(self: Session, source: tuple[str, int], sent: Sent, now: float) -> bool:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Session, "_latches", defect)
    async with control() as made, session(made) as (phone, at), session(made, "s2") as (other, _):
        for name in ("s1", "s2"):
            made.plane.command(plane.StartSession(name))
        await phone.until(1)
        phone.send(at, SILENCE)
        assert (await made.told(plane.SessionFailed)).reason == "a defect"
        await other.until(len(other.heard) + 10)
        assert [event for event in made.events if event.session == "s2"] == []


async def test_events_wait_for_a_listener_and_never_come_inside_a_command() -> None:
    made = LocalPlane(MediaOptions(), {})
    heard: list[plane.Event] = []
    try:
        made.command(
            plane.CreateSession("s1", "c1", plane.Stream("PCMU", ("127.0.0.1", 9), ("127.0.0.1", 10), (0,), 0))
        )
        made.listen(heard.append)
        assert heard == []
        await asyncio.sleep(0)
        assert [type(event) for event in heard] == [plane.SessionFailed]
    finally:
        await made.close()
