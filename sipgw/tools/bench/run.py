"""One run: starts the far ends and the gateway (or the floor), lets them settle, measures for a while, ends them."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from sipgw.tools.bench import echo, floor, traffic
from sipgw.tools.bench.analysis import Window, analyse, sent_within
from sipgw.tools.bench.callers import Callers
from sipgw.tools.bench.children import Child
from sipgw.tools.bench.gateway import CALLED, Gateway, tree_usage
from sipgw.tools.bench.plan import HOST, RATES, Plan
from sipgw.tools.bench.result import Run
from sipgw.tools.bench.usage import Usage, machine_cpu

_AFTERGLOW = 0.2
"""Seconds for what is under way at the end to arrive."""
Used = Callable[[], tuple[Usage, Usage]]
"""What control and workers have used so far."""


@dataclass(slots=True)
class _Measured:
    """What the window showed, before the far ends have told what they saw."""

    window: Window
    seconds: float
    control: Usage
    workers: Usage
    other_cores: float
    frames: int


async def floor_ms(plan: Plan, calls: int) -> float:
    """CPU of the floor, in milliseconds a call-second."""
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(Child(echo.serve, plan.frame_bytes, plan.realtime))
        port = await backend.hear()
        relays = await stack.enter_async_context(Child(floor.relay, calls, plan.frame_bytes, (HOST, port)))
        ports = await relays.hear()
        generator = await stack.enter_async_context(Child(traffic.generate, calls, plan.realtime))
        await generator.hear()
        generator.tell(([(HOST, port) for port in ports], [None] * calls))
        measured = await _measure(plan, lambda: (relays.used(), Usage()), generator, backend)
        for end in (generator, relays, backend):
            end.tell("end")
            await end.hear()
    return measured.control.cpu * 1000 / calls / measured.seconds


async def run(plan: Plan, calls: int) -> Run:
    """The gateway, once."""
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(Child(echo.serve, plan.frame_bytes, plan.realtime))
        port = await backend.hear()
        if plan.target is None:
            gateway = await stack.enter_async_context(Gateway(settings(plan, port)))
            address, called, used = gateway.address, CALLED, gateway.used
        else:
            gateway = None
            address, called, used = plan.target.address, plan.target.called, _used_by(plan.target.pid)
        generator = await stack.enter_async_context(Child(traffic.generate, calls, plan.realtime))
        callers = Callers(address, called, await generator.hear(), srtp=plan.srtp)
        await callers.call()
        result = Run(calls, sum(one is not None for one in callers.destinations))
        generator.tell((callers.destinations, callers.keys))
        measured = await _measure(plan, used, generator, backend)
        generator.tell("end")
        seen: traffic.Traffic = await generator.hear()
        await callers.hang_up()
        backend.tell("end")
        heard: echo.Heard = await backend.hear()
        if gateway is not None:
            await gateway.stop()
            result.counted = dict(gateway.counted())
    _fill(result, measured, measures_cpu=plan.target is None or plan.target.pid is not None)
    analyse(result, seen, heard, RATES[plan.backend_audio], measured.window)
    result.heard = round(measured.frames / max(sent_within(seen, measured.window), 1), 4)
    if callers.ended:
        result.invalid.append(f"the gateway ended {callers.ended} calls")
    result.judge()
    return result


def settings(plan: Plan, backend: int) -> dict[str, object]:
    """A gateway whose calls go to the echo backend at this port."""
    echo_backend = {
        "dialect": "sipgw",
        "url": f"ws://{HOST}:{backend}/",
        "audio": plan.backend_audio,
        "live": True,  # an echo comes in real time
    }
    return {
        "workers": plan.workers,
        "backends": {CALLED: echo_backend},
        "routes": [{"number": CALLED, "targets": [CALLED], "anyone": True}],
        **plan.settings,
    }


async def _measure(plan: Plan, used: Used, generator: Child, backend: Child) -> _Measured:
    """Let it settle, then watch for as long as the plan says."""
    await asyncio.sleep(plan.settle)
    frames, before, ends = await _frames(backend), used(), _cpu(generator, backend)
    machine, began, stamp = machine_cpu()[0], time.monotonic(), time.time_ns()
    await asyncio.sleep(plan.seconds)
    after, ends_after = used(), _cpu(generator, backend)
    seconds, stamp_after = time.monotonic() - began, time.time_ns()
    frames_after = await _frames(backend)
    control, workers = (
        Usage(later.cpu - earlier.cpu, later.rss_mb, later.wakeups - earlier.wakeups)
        for earlier, later in zip(before, after, strict=True)
    )
    ours = control.cpu + workers.cpu + ends_after - ends
    other = max(machine_cpu()[0] - machine - ours, 0.0) / seconds
    await asyncio.sleep(_AFTERGLOW)
    return _Measured((stamp, stamp_after), seconds, control, workers, other, frames_after - frames)


def _fill(result: Run, measured: _Measured, *, measures_cpu: bool) -> None:
    result.other_cores = round(measured.other_cores, 2)
    if not measures_cpu:
        return
    call_seconds = max(result.answered, 1) * measured.seconds
    result.cpu_workers_ms = round(measured.workers.cpu * 1000 / call_seconds, 3)
    result.cpu_ms = round(measured.control.cpu * 1000 / call_seconds + result.cpu_workers_ms, 3)
    result.wakeups = round((measured.control.wakeups + measured.workers.wakeups) / measured.seconds)
    result.rss_mb = round(measured.control.rss_mb + measured.workers.rss_mb, 2)


async def _frames(backend: Child) -> int:
    backend.tell("frames")
    return int(await backend.hear())


def _cpu(*children: Child) -> float:
    return sum(child.used().cpu for child in children)


def _used_by(pid: int | None) -> Used:
    return (lambda: (Usage(), Usage())) if pid is None else (lambda: tree_usage(pid))
