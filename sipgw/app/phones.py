"""The phones of one gateway: what is told of their comings and goings, and what of them outlives the process."""

import asyncio
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from sipgw.call.feed import Happening, Kind, Publish
from sipgw.flow import Flow
from sipgw.ops.api.gateway import ContactView, PhoneView
from sipgw.options import PhoneOptions
from sipgw.records.keeper import Keeper
from sipgw.records.shelf import KeptBinding
from sipgw.records.store import said
from sipgw.sip.bindings import Binding, BindingEvent, PhoneBound
from sipgw.sip.registrar import Registrar
from sipgw.sip.values import NameAddr

_LOAD_LIMIT = 3.0
"""Seconds to wait for the database at the start; phones it is late for are known once they register again."""


class Phones:
    """Watches a registrar.

    Args:
        registrar: the agent's.
        records: keeps bindings.
        node: ours: others may use the same database.
        log: takes a line for each coming and going.
        publish: takes it as well.
        wall: Unix time of a moment of the agent's.
    """

    def __init__(
        self,
        registrar: Registrar,
        records: Keeper,
        node: str,
        log: FilteringBoundLogger,
        publish: Publish,
        wall: Callable[[float], float],
    ) -> None:
        self._registrar, self._records, self._node = registrar, records, node
        self._log, self._publish, self._wall = log, publish, wall

    def views(self, after: str, limit: int) -> tuple[PhoneView, ...]:
        """Phones of the configuration and where each is: by name the first so many after this one."""
        wanted = sorted((one for one in self._registrar.phones if one.name > after), key=lambda one: one.name)
        return tuple(map(self._view, wanted[:limit]))

    def counts(self) -> dict[str, int]:
        """By phone the number of places it is registered at."""
        return {one.name: len(self._registrar.bindings.of(one.name)) for one in self._registrar.phones}

    async def load(self, now: float) -> None:
        """Take what an earlier process knew, before the first call; then tell of all that happens."""
        if self._registrar.open:
            await self._restore(now)
        self._registrar.bindings.told = self._heard

    async def _restore(self, now: float) -> None:
        try:
            kept = await asyncio.wait_for(self._records.bindings(self._node), _LOAD_LIMIT)
        except Exception as error:  # noqa: BLE001 whatever a driver raises, phones register again by themselves
            self._log.warning("phones not known until they register again", reason=said(error))
            return
        for phone, bindings in kept.items():
            taken = [self._registrar.restore(self._binding(phone, one), now) for one in bindings]
            if not all(taken):
                self._keep(phone)
        known = {name: count for name, count in self.counts().items() if count}
        if known:
            self._log.info("phones known from before", phones=len(known), contacts=sum(known.values()))

    def _heard(self, event: BindingEvent, now: float) -> None:
        """Something happened to a binding."""
        one = event.binding
        self._keep(one.phone)
        if isinstance(event, PhoneBound):
            if event.new:
                expires = round(one.until - now)
                self._tell(Kind.PHONE_REGISTERED, "phone registered", one, now, expires=expires)
        else:
            self._tell(Kind.PHONE_UNREGISTERED, "phone unregistered", one, now, reason=event.reason)

    def _tell(self, kind: Kind, line: str, one: Binding, now: float, **more: int | str) -> None:
        data = {"phone": one.phone, "contact": str(one.contact.uri), "source": str(one.source), **more}
        self._log.info(line, **data)
        self._publish(Happening(kind, "", self._wall(now), data))

    def _keep(self, phone: str) -> None:
        bindings = self._registrar.bindings.of(phone)
        self._records.keep_bindings(self._node, phone, [self._kept(one) for one in bindings])

    def _kept(self, one: Binding) -> KeptBinding:
        flow = one.flow
        return KeptBinding(
            contact=str(one.contact),
            transport=flow.transport,
            local=flow.local,
            remote=flow.remote,
            source=one.source.remote,
            registered=self._wall(one.since),
            expires=self._wall(one.until),
            call_id=one.call_id,
            cseq=one.cseq,
            path=one.path,
            direct=one.direct,
            natted=one.natted,
            user_agent=one.user_agent,
        )

    def _binding(self, phone: str, kept: KeptBinding) -> Binding:
        start = self._wall(0.0)
        return Binding(
            phone=phone,
            contact=NameAddr.parse(kept.contact),
            flow=Flow(kept.transport, kept.local, kept.remote),
            source=Flow(kept.transport, kept.local, kept.source),
            until=kept.expires - start,
            since=kept.registered - start,
            call_id=kept.call_id,
            cseq=kept.cseq,
            path=kept.path,
            direct=kept.direct,
            natted=kept.natted,
            user_agent=kept.user_agent,
        )

    def _view(self, phone: PhoneOptions) -> PhoneView:
        bindings = self._registrar.bindings.preferred(phone.name)
        return PhoneView(phone.name, phone.user, phone.display_name, tuple(map(self._contact, bindings)))

    def _contact(self, one: Binding) -> ContactView:
        return ContactView(
            uri=str(one.contact.uri),
            source=str(one.source),
            q=one.q,
            registered=self._wall(one.since),
            expires=self._wall(one.until),
            instance=one.instance,
            user_agent=one.user_agent,
            path=one.path,
        )
