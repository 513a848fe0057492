"""`sipgw run`: load the settings, serve until told to stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import uvloop
from rich.console import Console
from structlog.typing import FilteringBoundLogger

from sipgw.app.check import WRONG, examined_or_told
from sipgw.app.gateway import Gateway, token
from sipgw.app.supervisor import CRASHED, SUPERVISOR
from sipgw.errors import SipgwError, Unavailable
from sipgw.flow import reachable, written
from sipgw.io.process import hear_of_parents_death
from sipgw.ops.logs import configure
from sipgw.settings import Examined, Settings, embedded, examine
from sipgw.settings.backends import Backend
from sipgw.settings.calls import Route
from sipgw.tools.echo_ai import EchoAi
from sipgw.tools.prove import prove, show

T = TypeVar("T")

_SWITCH = 0.000_5
"""Seconds a thread that computes may keep the interpreter from the loop that wakes up. Python's own 5 ms, time and
again, made ticks 20 to 40 ms late (p99) with 300 webhooks a second over TLS; so they are as punctual as without."""


def main(config: Path | None, *, prove_it: bool = False, once: bool = False) -> int:
    """Serve `config` until SIGTERM or Ctrl-C; the process's exit code."""
    examined = examined_or_told(config)
    if examined is None:
        return WRONG
    settings = examined.settings
    log = configure(settings.log.format, settings.log.level, secrets=settings.secrets())
    for warning in examined.warnings:
        log.warning("think about the configuration", what=str(warning))
    sys.setswitchinterval(_SWITCH)
    if os.environ.get(SUPERVISOR) == str(os.getppid()):
        # Without it nobody would start us again: finish what runs, and make room.
        hear_of_parents_death(signal.SIGTERM)
    try:
        return uvloop.run(_serve(settings, log, config, prove_it=prove_it, once=once))
    except Exception:
        log.critical("crashed", exc_info=True)
        return CRASHED


async def _serve(
    settings: Settings, log: FilteringBoundLogger, config: Path | None, *, prove_it: bool, once: bool
) -> int:
    stopping, hanging_up = _set_by(signal.SIGTERM, signal.SIGINT), _set_by(signal.SIGHUP)
    async with AsyncExitStack() as stack:
        called = f"proof-{token()}"
        ai = await stack.enter_async_context(EchoAi()) if prove_it else None

        def with_proof(settings: Settings) -> Settings:
            return _with_proof(settings, called, ai.url) if ai else settings

        def read() -> Examined:
            examined = examine(config)
            return examined._replace(settings=with_proof(examined.settings))

        gateway = Gateway(with_proof(settings), log, read)
        stack.push_async_callback(gateway.stop)
        try:
            await gateway.start()
        except Unavailable as error:
            _complain(error)
            return 1
        reloads = asyncio.create_task(_reload_whenever(hanging_up, gateway, log))
        stack.callback(reloads.cancel)
        worked = ai is None or await _unless(stopping, _proven(gateway, called, ai))
        if once:
            return 0 if worked else 1
        if ai is not None and not stopping.is_set():
            _say_what_next(gateway)
        await stopping.wait()
        # Let the running calls finish; a second signal ends them at once.
        stopping.clear()
        await _unless(stopping, gateway.drain())
    return 0


def _set_by(*signals: signal.Signals) -> asyncio.Event:
    """Set by these; clear it to hear the next one."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in signals:
        loop.add_signal_handler(number, told.set)
    # Under a supervisor we begin with them blocked, so that none ends us before we know what to do.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    return told


async def _reload_whenever(told: asyncio.Event, gateway: Gateway, log: FilteringBoundLogger) -> None:
    """Read the configuration again at each SIGHUP."""
    while await told.wait():
        told.clear()
        try:
            await gateway.reload()
        except Exception:
            log.error("reload failed", exc_info=True)


async def _unless(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What `work` comes to; None where we are told to stop first, and then it has been cancelled."""
    task, told = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((task, told), return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        for each in (task, told):
            each.cancel()
        await asyncio.gather(task, told, return_exceptions=True)


def _with_proof(settings: Settings, called: str, url: str) -> Settings:
    """The settings with a route to the proof's AI, which nobody else can guess."""
    backend = Backend(dialect="sipgw", url=url, live=True)
    near = reachable((settings.sip.host, settings.sip.port))[0]
    route = Route(number=called, targets=(called,), sources=(near,), last_resort="503")
    return settings.model_copy(
        update={"backends": {**settings.backends, called: backend}, "routes": (route, *settings.routes)}
    )


async def _proven(gateway: Gateway, called: str, ai: EchoAi) -> bool:
    try:
        proof = await prove(reachable(gateway.address), called, ai, embedded("pcaps/first-call.pcap"))
    except SipgwError as error:
        _complain(error)
        return False
    show(proof, Console())
    return not proof.failures


def _say_what_next(gateway: Gateway) -> None:
    console = Console(highlight=False, soft_wrap=True)
    sipgw = os.path.relpath(sys.argv[0])
    console.print()
    console.print(
        f"Call it:       {sipgw} call sip:demo@{written(reachable(gateway.address))} --dtmf 5", soft_wrap=True
    )
    console.print(f"Make it yours: {sipgw} run -c my.yaml   (a copy of config/sipgw.yaml)", soft_wrap=True)
    console.print("Your own AI:   config/backends/example_backend.py   (Ctrl-C stops)", soft_wrap=True)


def _complain(error: SipgwError) -> None:
    Console(stderr=True, highlight=False).print(str(error), style="red", markup=False, soft_wrap=True)
