"""Starts the gateway and SIPp, lets them become steady, and watches."""

import asyncio
import time
from dataclasses import dataclass
from itertools import pairwise

from sipgw.tools.bench.gateway import CALLED, Gateway
from sipgw.tools.bench.sip.caller import Sipp
from sipgw.tools.bench.sip.plan import SipPlan
from sipgw.tools.bench.sip.result import Window
from sipgw.tools.bench.usage import machine_cpu

_GOOD = "ended normal"


@dataclass(frozen=True, slots=True)
class _Look:
    """What everything has used at one time, and how far the calls are."""

    when: float
    ended: int
    control: float
    workers: float
    caller: float
    machine: float

    def until(self, later: "_Look") -> Window:
        """What happened between two looks."""
        control, workers = later.control - self.control, later.workers - self.workers
        caller, seconds = later.caller - self.caller, later.when - self.when
        other = max(later.machine - self.machine - control - workers - caller, 0.0) / seconds
        ended = later.ended - self.ended
        return Window(round(seconds, 3), ended, round(control, 3), round(workers, 3), round(caller, 3), round(other, 2))


async def run(plan: SipPlan) -> tuple[list[Window], int]:
    """The windows, and how many calls went wrong in all.

    Raises:
        Unavailable: the gateway does not start, or SIPp is not here or does not end.
    """
    async with Gateway(settings(plan)) as gateway, Sipp(plan, gateway.address, CALLED) as sipp:
        await asyncio.sleep(plan.warm_up)
        looks = [_look(gateway, sipp)]
        for _ in range(plan.windows):
            await asyncio.sleep(plan.seconds)
            looks.append(_look(gateway, sipp))
        failed = await sipp.finish()
        await gateway.stop()
        wrong = plan.calls - gateway.counted()[_GOOD]
    return [one.until(other) for one, other in pairwise(looks)], max(failed, wrong)


def settings(plan: SipPlan) -> dict[str, object]:
    """A gateway that answers at once, without an AI leg: the built-in tone needs no socket."""
    return {
        "workers": plan.workers,
        "backends": {CALLED: {"dialect": "tone"}},
        "routes": [{"number": CALLED, "targets": [CALLED], "sources": ["127.0.0.0/8"]}],
        **plan.settings,
    }


def _look(gateway: Gateway, sipp: Sipp) -> _Look:
    control, workers = gateway.used()
    return _Look(
        time.monotonic(), gateway.ended(), control.cpu, workers.cpu, sipp.used().cpu, machine_cpu()[0],
    )  # fmt: skip
