"""`sipgw replay`: a capture's callers against the gateway's own cores, and what came of it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from sipgw.errors import SipgwError
from sipgw.tools.ladder.command import write_page
from sipgw.tools.replay import expectation
from sipgw.tools.replay.outcome import Outcome
from sipgw.tools.replay.show import as_json, ladder_of, show, show_differences
from sipgw.tools.replay.simulation import Gateway, Simulation
from sipgw.tools.replay.source import callers

MakeGateway = Callable[[str | None, str | None], Gateway]
"""Takes the name of a backend and the number of a route, either of which may be None."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The command's arguments."""

    capture: Path
    call: str | None = None
    backend: str | None = None
    route: str | None = None
    expect: Path | None = None
    write_expect: Path | None = None
    as_json: bool = False
    html: Path | None = None


def replay(plan: Plan, make: MakeGateway, console: Console) -> int:
    """Replay and print; the exit code: 0, 1 where it is not as expected, 2 where it cannot be done."""
    try:
        wanted = expectation.read(plan.expect) if plan.expect is not None else None
        backend = plan.backend or (wanted.backend if wanted is not None else None)
        route = plan.route or (wanted.route if wanted is not None else None)
        outcome, cpu_seconds = run(plan.capture, make(backend, route), plan.call)
        if plan.write_expect is not None:
            expectation.write(plan.write_expect, plan.capture, outcome, backend, route)
        if plan.html is not None:
            write_page(plan.html, f"replay of {plan.capture.name}", [ladder_of(call) for call in outcome.calls])
    except SipgwError as error:
        Console(stderr=True).print(Text(str(error), style="red"), soft_wrap=True)
        return 2
    differences = expectation.compare(wanted, outcome) if wanted is not None else None
    if plan.as_json:
        print(json.dumps(as_json(outcome, cpu_seconds, differences), indent=2, ensure_ascii=False))
    else:
        show(outcome, cpu_seconds, console)
        if differences is not None:
            show_differences(differences, console)
    return 1 if differences else 0


def run(capture: Path, gateway: Gateway, call: str | None = None) -> tuple[Outcome, float]:
    """What becomes of a capture, and the CPU seconds it took, reading included.

    Raises:
        CaptureError: it cannot be read or replayed.
    """
    began = time.process_time()
    parts, first = callers(capture, call)
    outcome = Simulation(gateway, parts, first).run()
    return outcome, time.process_time() - began
