"""`sipgw run` and `sipgw check`: load the settings, say what is wrong, serve until told to stop."""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop
import yaml
from rich.console import Console
from structlog.typing import FilteringBoundLogger

from sipgw.app.gateway import Gateway, token
from sipgw.errors import Unavailable
from sipgw.ops.logs import configure
from sipgw.settings import Settings, SettingsError, embedded, load
from sipgw.settings.model import Backend, Route
from sipgw.tools.echo_ai import EchoAi
from sipgw.tools.prove import prove, show

_WRONG = 2
"""Exit code for a bad configuration, as for a bad argument."""


def main(config: Path | None, *, prove_it: bool = False, once: bool = False) -> int:
    """Serve `config` until SIGTERM or Ctrl-C; the process's exit code."""
    settings = _loaded(config)
    if settings is None:
        return _WRONG
    log = configure(settings.log.format, settings.log.level, secrets=settings.secrets())
    return uvloop.run(_serve(settings, log, prove_it=prove_it, once=once))


def check(config: Path | None, *, show_it: bool = False) -> int:
    """Say what is wrong with `config`, or that nothing is; the process's exit code."""
    settings = _loaded(config)
    if settings is None:
        return _WRONG
    console = Console(highlight=False)
    if show_it:
        console.print(yaml.safe_dump(settings.printable(), sort_keys=False, allow_unicode=True), end="", markup=False)
        return 0
    first, last = settings.media.range
    room = settings.calls.max_calls or (last - first + 1) // 2
    console.print(
        f"The configuration is good: {len(settings.backends)} backends, {len(settings.routes)} routes, "
        f"room for {room} calls, SIP on udp:{settings.sip.host}:{settings.sip.port}."
    )
    return 0


def _loaded(config: Path | None) -> Settings | None:
    try:
        return load(config)
    except SettingsError as error:
        console = Console(stderr=True, highlight=False)
        for problem in error.problems:
            console.print(str(problem), markup=False, soft_wrap=True)
        return None


async def _serve(settings: Settings, log: FilteringBoundLogger, *, prove_it: bool, once: bool) -> int:
    stopping = _stop_signals()
    async with AsyncExitStack() as stack:
        called = f"proof-{token()}"
        ai = await stack.enter_async_context(EchoAi()) if prove_it else None
        gateway = Gateway(_with_proof(settings, called, ai.url) if ai else settings, log)
        try:
            await gateway.start()
        except Unavailable as error:
            Console(stderr=True, highlight=False).print(f"[red]{error}[/red]", soft_wrap=True)
            await gateway.stop()
            return 1
        try:
            worked = ai is None or await _proven(gateway, called, ai)
            if not once:
                if ai is not None:
                    _say_what_next(gateway)
                await stopping.wait()
                await _drained(gateway, stopping)
        finally:
            await gateway.stop()
    return 0 if worked or not once else 1


def _stop_signals() -> asyncio.Event:
    """Set by SIGTERM or Ctrl-C; clear it to hear the next one."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


async def _drained(gateway: Gateway, stopping: asyncio.Event) -> None:
    """Let the running calls finish; a second signal ends them at once."""
    stopping.clear()
    drain, again = asyncio.create_task(gateway.drain()), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((drain, again), return_when=asyncio.FIRST_COMPLETED)
    finally:
        drain.cancel()
        again.cancel()


def _with_proof(settings: Settings, called: str, url: str) -> Settings:
    """The settings with a route to the proof's AI, which nobody else can guess."""
    backend = Backend(dialect="sipgw", url=url, live=True)
    route = Route(number=called, targets=(called,), anyone=True, last_resort="503")
    return settings.model_copy(
        update={"backends": {**settings.backends, called: backend}, "routes": (route, *settings.routes)}
    )


async def _proven(gateway: Gateway, called: str, ai: EchoAi) -> bool:
    proof = await prove(gateway.address, called, ai, embedded("pcaps/first-call.pcap"))
    show(proof, Console())
    return not proof.failures


def _say_what_next(gateway: Gateway) -> None:
    host, port = gateway.address
    console = Console(highlight=False)
    sipgw = os.path.relpath(sys.argv[0])
    console.print()
    console.print(f"Call it:       {sipgw} call sip:demo@{host}:{port} --dtmf 5", soft_wrap=True)
    console.print(f"Make it yours: {sipgw} run -c my.yaml   (a copy of config/sipgw.yaml)", soft_wrap=True)
    console.print("Your own AI:   config/backends/example_backend.py   (Ctrl-C stops)", soft_wrap=True)
