"""One running gateway: put together from its settings, drained, stopped."""

import asyncio
import gc
import secrets
import time

from structlog.typing import FilteringBoundLogger

from sipgw.app.control import Control
from sipgw.app.prompts import load_prompts
from sipgw.call.registry import Calls
from sipgw.flow import Endpoint, Flow
from sipgw.io.clock import MonotonicClock
from sipgw.io.driver import Driver
from sipgw.io.ports import PortPool, raise_descriptor_limit
from sipgw.io.udp import UdpListener
from sipgw.ops.logs import both, trace_to
from sipgw.ops.metrics import Metrics
from sipgw.settings import Settings
from sipgw.sip.agent import Agent
from sipgw.sip.events import SipEvent
from sipgw.worker.local import LocalPlane

_DESCRIPTORS_A_CALL = 6
"""Two ports here and their duplicates in the worker, the AI's socket, and one to spare."""
_STOP_LIMIT = 5.0
"""Seconds for the last BYEs and closing handshakes."""


def token() -> str:
    """A word for ids, tags and branches that nobody can guess."""
    return secrets.token_hex(8)


class Gateway:
    """Made inside a running loop; `start`, then `drain` and `stop`."""

    def __init__(self, settings: Settings, log: FilteringBoundLogger) -> None:
        self._settings, self._log = settings, log
        self._clock = MonotonicClock()
        self.metrics = Metrics()
        self._trace = both(trace_to(log), self.metrics.trace)
        media = settings.media_options()
        self._pool = PortPool(media)
        self._agent = Agent(settings.sip_options(), token=token, trace=self._trace)
        self._plane = LocalPlane(media, load_prompts(), self._trace)
        offset = time.time() - self._clock.now()
        self._calls = Calls(
            settings.call_options(), media, token=token, wall=lambda now: now + offset, trace=self._trace
        )
        self._control = Control(
            self._calls,
            self._agent,
            self._plane,
            self._pool,
            media.advertised or media.host,
            clock=self._clock,
            log=log,
            metrics=self.metrics,
        )
        self._listener: UdpListener | None = None
        self._driver: Driver[SipEvent] | None = None
        self._scrapes: asyncio.Server | None = None

    @property
    def address(self) -> Endpoint:
        """Where SIP is listened to."""
        assert self._listener is not None
        return self._listener.local

    async def start(self) -> None:
        """Listen. Raises Unavailable (PortTaken) where an address cannot be had."""
        raise_descriptor_limit(1024 + _DESCRIPTORS_A_CALL * self._pool.size)
        sip, media, metrics = self._settings.sip, self._settings.media, self._settings.metrics
        listener = self._listener = UdpListener.open((sip.host, sip.port), self._send_failed)
        driver = self._driver = Driver(
            self._agent, listener.send, self._control.on_sip, clock=self._clock, trace=self._trace
        )
        self._control.drive(driver)
        if metrics.port:
            self._scrapes = await self.metrics.serve(metrics.host, metrics.port)
        listener.start(driver.receive)
        # What is alive now stays so: a full collection would cost a whole tick.
        gc.collect()
        gc.freeze()
        self._log.info("ready", sip=f"udp:{sip.host}:{sip.port}", rtp=f"{media.host}:{media.ports}")

    async def drain(self) -> None:
        """Refuse new calls with 503 and wait until the running ones are over, which is limited."""
        self._control.drain()
        await self._control.idle.wait()

    async def stop(self) -> None:
        """Close everything. Calls that are still up lose their media."""
        await self._plane.close()
        self._control.close()
        if self._driver is not None:
            self._driver.close()
        if self._listener is not None:
            self._listener.close()
        if self._scrapes is not None:
            self._scrapes.close()
            await self._scrapes.wait_closed()
        self._log.info("stopped")

    def _send_failed(self, name: str, flow: Flow) -> None:
        self.metrics.send_error(name)
        if self._driver is not None:
            self._driver.run(lambda now: self._agent.transport_failed(flow, now))
