"""One running gateway: put together from its settings, drained, stopped."""

import asyncio
import gc
import secrets
import time
from collections.abc import Callable
from functools import partial

from structlog.typing import FilteringBoundLogger

from sipgw.app.api import Api, Steered
from sipgw.app.bans import Bans
from sipgw.app.control import Control
from sipgw.app.ledger import Changes, Ledger, Remembered
from sipgw.app.load import LoadWatch
from sipgw.app.locator import Locator
from sipgw.app.media import media_plane
from sipgw.app.phones import Phones
from sipgw.app.places import Places, all_addresses
from sipgw.app.prompts import load_prompts, seconds
from sipgw.app.reach import Reach
from sipgw.app.recordings import Recordings
from sipgw.app.registrations import Registrations
from sipgw.app.reload import Reloaded, Reloading, tell
from sipgw.app.room import calls_within, descriptors_for, wanted_calls
from sipgw.app.signalling import Signalling
from sipgw.app.state import StateFolder
from sipgw.call.cdr import CallRecord
from sipgw.call.feed import Happening, Kind
from sipgw.call.registry import Calls
from sipgw.flow import Endpoint
from sipgw.io.clock import MonotonicClock
from sipgw.io.dns import Dns
from sipgw.io.port_pools import PortPools
from sipgw.io.ports import raise_descriptor_limit
from sipgw.ops.feed import Entry, Feed
from sipgw.ops.logs import LogTrace, both, configure
from sipgw.ops.metrics import Metrics
from sipgw.ops.webhooks.service import Webhooks
from sipgw.options import AddressOptions
from sipgw.records.keeper import Keeper
from sipgw.settings import Examined, Settings
from sipgw.sip.agent import Agent
from sipgw.worker.known import Adopted

_STOP_LIMIT = 5.0
"""Seconds for the last BYEs to be answered."""


def token() -> str:
    """A word for ids, tags and branches that nobody can guess."""
    return secrets.token_hex(8)


class Gateway:
    """Made inside a running loop; `start`, then `drain` and `stop`.

    Args:
        settings: what it is made of.
        log: takes its lines.
        read: reads the settings again for `reload`; by default they stay what they are.
    """

    def __init__(
        self, settings: Settings, log: FilteringBoundLogger, read: Callable[[], Examined] | None = None
    ) -> None:
        self._settings, self._log = settings, log
        self.state = StateFolder(settings.state)
        self._clock = MonotonicClock()
        self.metrics = Metrics()
        self.feed = Feed()
        self.webhooks = Webhooks(self.state.path, settings.node, log)
        self.metrics.registry.register(self.webhooks.tally)
        self.feed.listen(self._log_alarm)
        self._log_trace = LogTrace(log)
        self.records = Keeper(settings.record_options(), self.state.path, self._alarm, log)
        self.metrics.watch_records(self.records.counts)
        self._trace = both(self._log_trace, self.metrics.trace)
        media = settings.media_options()
        self._pools = PortPools(media, settings.media_hosts())
        changes = Changes()
        self._agent = Agent(settings.sip_options(), token=token, trace=self._trace, changed=changes.legs.add)
        self._recordings = Recordings(
            settings.recording.place(settings.state), settings.recording.keep_days, self._alarm, log
        )
        self._plane = media_plane(settings, self.state.path, self._log_trace, self.metrics, self._alarm)
        self._calls = Calls(
            settings.call_options(), media,
            token=token, wall=self._wall, trace=self._trace, publish=self.feed.publish, changed=changes.calls.add,
        )  # fmt: skip
        sip = settings.sip_options()
        self._reach = Reach(
            all_addresses(sip), self._moved,
            trace=self._trace, clock=self._clock, kept=self.state.path / "advertised.json",
        )  # fmt: skip
        places = Places(sip, settings.media.address(), self._reach.told)
        self._ledger = Ledger(self.state.path, self._agent, self._calls, changes, log)
        self._control = Control(
            self._calls,
            self._agent,
            self._plane,
            self._pools,
            places,
            clock=self._clock,
            log=log,
            metrics=self.metrics,
            keep=self._keep,
            settled=self._ledger.write,
        )
        self._control.hooks.serve(settings.call_options().hooks)
        self._signalling = Signalling(
            sip, self._agent, self._control.on_sip, self.metrics.send_error,
            clock=self._clock, before_send=self._ledger.write, trace=self._trace,
        )  # fmt: skip
        self._control.drive(self._signalling.driver)
        locator = Locator(Dns(sip.dns_servers, trace=self._trace), sip.listeners)
        self._registrations = Registrations(self._agent, self._signalling.driver, locator, log, self._alarm)
        self.metrics.watch_registrations(self._registrations.up)
        self._phones = Phones(self._agent.registrar, self.records, settings.node, log, self.feed.publish, self._wall)
        self.metrics.watch_phones(self._phones.counts)
        self._agent.door, self._agent.naming = self._control.door, places.name
        self._load = LoadWatch(lambda: self._plane.workers, self._control.on_load, self._clock.now)
        self.metrics.watch_loop(self._load.lag)
        self._scrapes: asyncio.Server | None = None
        self._steered = Steered(
            self._calls,
            self._control,
            self._pools,
            self.feed,
            self.metrics,
            seconds(load_prompts(settings.prompts)),
            self.records,
            self._phones,
            self.reload,
            Bans(self._agent.bans, self._clock.now, self._wall, self.metrics, log),
        )
        self.api = Api(settings.api.options(), self._steered, self.state.path, token(), log)
        self.reloading = Reloading(settings, read or (lambda: Examined(settings)))
        """Where parts of the gateway say which settings they take while it runs."""
        self.reloading.takes("log", take=self._take_log)
        self.reloading.takes("api.tokens", take=lambda settings: self.api.accept(settings.api.options().tokens))
        self.reloading.takes(take=lambda _: self._signalling.reload_certificates())
        self.reloading.takes("records.keep_days", "records.transcript_days", take=self._take_records)
        self.reloading.takes("recording.keep_days", take=self._take_recordings)
        self.reloading.takes(
            "calls",
            "routes",
            "backends",
            "hooks",
            "trunks",
            "sip.defence",
            "phones",
            "media.srtp",
            "records.transcript",
            "recording.name",
            take=self._take_calls,
        )
        self.reloading.takes("webhooks", take=lambda settings: self.webhooks.serve(settings.webhook_options()))

    @property
    def address(self) -> Endpoint:
        """Where SIP is listened to, first of all."""
        return self._signalling.listeners[0].local

    async def start(self) -> None:
        """Listen. Raises Unavailable (PortTaken) where an address or the state folder cannot be had."""
        self.state.open()
        self.records.start()
        self._recordings.start()
        self._want_descriptors(self._settings)
        self.feed.listen(self.webhooks.hear)
        await self.webhooks.start(self._settings.webhook_options())
        media, metrics = self._settings.media, self._settings.metrics
        await self.api.start()
        self._plane.detail(self._log_trace.wanted)
        sessions = await self._plane.adopt()
        await self._plane.start()
        await self._reach.open()
        remembered = self._ledger.open(self._clock.now())
        await self._phones.load(self._clock.now())
        await self._signalling.open()
        self._take_up(remembered, sessions)
        self._control.listen()
        asyncio.get_running_loop().call_soon(self._control.reunite, sessions)
        if metrics.port:
            self._scrapes = await self.metrics.serve(metrics.host, metrics.port)
        self._steered.started = True
        self._load.start()
        self._registrations.want(self._settings.sip_options().trunks)
        # What is alive now stays so: a full collection would cost a whole tick.
        gc.collect()
        gc.freeze()
        self._log.info("ready", sip=", ".join(map(str, self._signalling.listeners)), rtp=f"{media.host}:{media.ports}")

    async def reload(self) -> Reloaded:
        """Read the configuration again. New calls get what is new; a bad one changes nothing. Logged and counted."""
        outcome = await self.reloading.reload()
        self.metrics.reloaded(outcome.good)
        tell(outcome, self._log)
        if not outcome.good:
            self._alarm("reload_refused", str(outcome.problems[0]))
        return outcome

    async def drain(self) -> None:
        """Refuse new calls with 503 and wait until the running ones are over, which is limited."""
        self._control.drain()
        await self._control.idle.wait()

    async def stop(self) -> None:
        """Hang up what is still up, give the far ends a moment to hear of it, and close everything."""
        self._load.stop()
        await self._registrations.leave()
        self._control.shut_down()
        try:
            await asyncio.wait_for(self._control.idle.wait(), _STOP_LIMIT)
        except TimeoutError:
            self._log.warning("calls cut off", seconds=_STOP_LIMIT)
        await self._plane.close()
        await self._control.hooks.close()
        self._control.close()
        await self._signalling.close()
        await self._reach.close()
        await self.api.stop()
        if self._scrapes is not None:
            self._scrapes.close()
            await self._scrapes.wait_closed()
        await self.webhooks.stop()
        await self._recordings.close()
        await self.records.close()
        self._ledger.close()
        self.state.close()
        self._log.info("stopped")

    def _take_up(self, remembered: Remembered, sessions: list[Adopted]) -> None:
        """Go on with the calls of a process that died, as far as their media live on; end the others."""
        when = remembered.written - self._wall(0.0) if remembered.old else self._clock.now()
        self._control.take_up(remembered.calls, remembered.legs, sessions, when)
        self._control.hang_up(remembered.legs - {one.leg for one in remembered.calls})
        if remembered.calls:
            alive = {one.known.session for one in sessions}
            go_on = sum(one.session in alive for one in remembered.calls)
            self._alarm("gateway_restarted", f"{go_on} calls go on, {len(remembered.calls) - go_on} ended")

    def _moved(self, address: AddressOptions, before: str, now: str) -> None:
        """Others reach us elsewhere; calls that are up keep what they were told."""
        self._log.warning("advertised address changed", host=address.host, before=before, now=now)

    def _keep(self, record: CallRecord) -> None:
        self.records.keep(record)
        self._ledger.recorded(record.call)

    def _alarm(self, name: str, detail: str) -> None:
        """Something an operator should look at."""
        self.feed.publish(Happening(Kind.ALARM, "", time.time(), {"name": name, "detail": detail}))

    def _log_alarm(self, entry: Entry) -> None:
        happening = entry.happening
        if happening.kind is Kind.ALARM:
            self._log.error("alarm", **happening.data)
            self.metrics.alarm(str(happening.data.get("name")))

    def _wall(self, now: float) -> float:
        """Unix time; by the clock as it is set now, which may have been wrong when we started."""
        return time.time() - self._clock.now() + now

    def _take_log(self, settings: Settings) -> None:
        configure(settings.log.format, settings.log.level, secrets=settings.secrets())
        self._log_trace.follow()
        self._plane.detail(self._log_trace.wanted)

    def _take_calls(self, settings: Settings) -> None:
        options = settings.call_options()
        self._calls.reconfigure(options)
        self._control.hooks.serve(options.hooks)
        self._signalling.driver.run(partial(self._agent.reconfigure, settings.sip_options()))
        self._registrations.want(settings.sip_options().trunks)
        if settings.calls.max_calls != self.reloading.settings.calls.max_calls:
            self._want_descriptors(settings)

    def _take_records(self, settings: Settings) -> None:
        self.records.reconfigure(settings.record_options())

    def _take_recordings(self, settings: Settings) -> None:
        self._recordings.keep_days = settings.recording.keep_days

    def _want_descriptors(self, settings: Settings) -> None:
        """Make room for as many calls as may come at a time; say so where the system has none."""
        wanted = descriptors_for(wanted_calls(settings))
        limit = raise_descriptor_limit(wanted)
        if limit < wanted:
            self._log.warning(
                "few descriptors", limit=limit, wanted=wanted, calls=calls_within(limit), remedy="raise ulimit -n"
            )
