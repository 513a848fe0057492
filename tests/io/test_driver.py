"""The driver runs any core: it drains after each input and keeps one timer."""

import asyncio
from collections.abc import Callable

import pytest

from sipgw.flow import Flow
from sipgw.io.clock import MonotonicClock
from sipgw.io.driver import Driver
from sipgw.trace import Mark, Note

FLOW = Flow("udp", ("127.0.0.1", 5060), ("127.0.0.1", 5090))


class Kettle:
    """A core that whistles once at each time set, and repeats aloud whatever it is told."""

    def __init__(self) -> None:
        self.alarms: list[float] = []
        self.sent: list[tuple[bytes, Flow]] = []
        self.happened: list[str] = []
        self.wake_ups = 0

    def receive(self, data: bytes, source: Flow, now: float) -> None:
        if data == b"break":
            raise ValueError("broken by a datagram")
        self.sent.append((data, source))
        self.happened.append(data.decode())

    def set(self, when: float) -> float:
        self.alarms.append(when)
        return when

    def handle_timers(self, now: float) -> None:
        self.wake_ups += 1
        due = [alarm for alarm in self.alarms if alarm <= now]
        self.alarms = [alarm for alarm in self.alarms if alarm > now]
        self.happened += ["whistled"] * len(due)

    def next_timer(self) -> float | None:
        return min(self.alarms, default=None)

    def to_send(self) -> list[tuple[bytes, Flow]]:
        taken, self.sent = self.sent, []
        return taken

    def events(self) -> list[str]:
        taken, self.happened = self.happened, []
        return taken


class Bench:
    """A kettle with its driver and what came out of them."""

    def __init__(self, on_event: Callable[[str, float], None] | None = None) -> None:
        self.core = Kettle()
        self.sent: list[tuple[bytes, Flow]] = []
        self.events: list[str] = []
        self.notes: list[Note] = []
        self.driver = Driver(
            self.core,
            lambda data, flow: self.sent.append((data, flow)),
            on_event or (lambda event, now: self.events.append(event)),
            trace=self.notes.append,
        )


async def test_a_datagram_is_answered_and_told_at_once() -> None:
    bench = Bench()
    bench.driver.receive(b"hello", FLOW)
    assert bench.sent == [(b"hello", FLOW)]
    assert bench.events == ["hello"]


async def test_a_timer_fires_at_its_time_and_only_once() -> None:
    bench = Bench()
    now = MonotonicClock().now()
    assert bench.driver.run(lambda now: bench.core.set(now + 0.03)) == pytest.approx(now + 0.03, abs=0.02)
    await asyncio.sleep(0.01)
    assert bench.events == []
    await asyncio.sleep(0.06)
    assert bench.events == ["whistled"]
    assert bench.core.wake_ups <= 2  # a loop that rounds may wake once too early


async def test_an_earlier_timer_takes_the_place_of_a_later_one() -> None:
    bench = Bench()
    bench.driver.run(lambda now: bench.core.set(now + 30))
    bench.driver.run(lambda now: bench.core.set(now + 0.01))
    await asyncio.sleep(0.05)
    assert bench.events == ["whistled"]
    assert len(bench.core.alarms) == 1


async def test_a_timer_in_the_past_fires_at_once() -> None:
    bench = Bench()
    bench.driver.run(lambda now: bench.core.set(now - 5))
    await asyncio.sleep(0.02)
    assert bench.events == ["whistled"]


async def test_after_close_no_timer_fires() -> None:
    bench = Bench()
    bench.driver.run(lambda now: bench.core.set(now + 0.01))
    bench.driver.close()
    await asyncio.sleep(0.03)
    assert bench.events == []


async def test_what_a_command_raises_comes_back_and_the_core_is_drained_all_the_same() -> None:
    bench = Bench()

    def command(now: float) -> None:
        bench.core.sent.append((b"half", FLOW))
        raise KeyError("no such leg")

    with pytest.raises(KeyError):
        bench.driver.run(command)
    assert bench.sent == [(b"half", FLOW)]


async def test_events_caused_while_one_is_delivered_come_after_those_that_wait() -> None:
    order: list[str] = []

    def on_event(event: str, now: float) -> None:
        order.append(f"{event} begins")
        if event == "first":
            bench.driver.run(lambda now: bench.core.happened.append("third"))
        order.append(f"{event} ends")

    bench = Bench(on_event)
    bench.driver.run(lambda now: bench.core.happened.extend(["first", "second"]))
    assert order == [f"{event} {what}" for event in ("first", "second", "third") for what in ("begins", "ends")]


async def test_a_datagram_that_breaks_the_core_is_traced_and_the_next_is_served() -> None:
    bench = Bench()
    defects: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: defects.append(context))
    bench.driver.receive(b"break", FLOW)
    bench.driver.receive(b"hello", FLOW)
    assert bench.events == ["hello"]
    assert [(note.layer, note.mark, note.name) for note in bench.notes] == [("io", Mark.DROP, "receive_failed")]
    assert bench.notes[0].detail == "ValueError('broken by a datagram')"
    assert isinstance(defects[0]["exception"], ValueError)


async def test_an_event_that_breaks_its_taker_is_traced_and_the_next_is_delivered() -> None:
    taken: list[str] = []

    def on_event(event: str, now: float) -> None:
        if event == "bad":
            raise RuntimeError("taker broke")
        taken.append(event)

    bench = Bench(on_event)
    bench.driver.run(lambda now: bench.core.happened.extend(["bad", "good"]))
    assert taken == ["good"]
    assert [note.name for note in bench.notes] == ["event_failed"]


async def test_timers_that_fail_again_and_again_do_not_spin() -> None:
    bench = Bench()

    def fail(now: float) -> None:
        bench.core.wake_ups += 1
        raise RuntimeError("stuck")

    bench.core.handle_timers = fail  # type: ignore[method-assign]
    bench.driver.run(bench.core.set)
    await asyncio.sleep(0.25)
    bench.driver.close()
    assert 2 <= bench.core.wake_ups <= 4
    assert {note.name for note in bench.notes} == {"timers_failed"}
