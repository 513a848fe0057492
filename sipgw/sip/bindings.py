"""Where phones are: the bindings of a registrar, until they end (RFC 3261 section 10, RFC 5626 section 6)."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from sipgw.flow import Flow
from sipgw.options.phone import PREFIX
from sipgw.sip.paths import next_hop
from sipgw.sip.same_uri import same_uri
from sipgw.sip.timers import Timer, Timers
from sipgw.sip.values import NameAddr, same_address


@dataclass(frozen=True, slots=True)
class Binding:
    """One place where a phone can be reached."""

    phone: str
    """Its name."""
    contact: NameAddr
    """As it was registered, parameters and all, without `expires`."""
    flow: Flow
    """How it is reached: the connection it registered on; over UDP its Contact, or its source behind a NAT."""
    source: Flow
    """Whom the REGISTER came from; the same as `flow`, but for phones that are reached elsewhere."""
    until: float
    since: float
    """When it was there first."""
    call_id: str
    cseq: int
    path: tuple[str, ...] = ()
    """Proxies between us and it, the first hop first (RFC 3327)."""
    direct: bool = True
    """Nobody stands between us and it."""
    natted: bool = False
    """It names itself by another address than it sends from."""
    outbound: bool = False
    """It is reached on its connection and nowhere else (RFC 5626)."""
    user_agent: str = ""
    serial: int = 0
    """The same through every refresh, and nobody else's."""

    @property
    def q(self) -> float:
        """How much the phone likes to be reached there, from 0 to 1 (RFC 3261 section 20.10)."""
        try:
            return min(max(float(self.contact.params.get("q") or 1.0), 0.0), 1.0)
        except ValueError:
            return 1.0

    @property
    def instance(self) -> str:
        """Which device it is, whatever its address (RFC 5626 section 4.1); empty where it does not say."""
        return self.contact.params.get("+sip.instance") or ""

    @property
    def line(self) -> tuple[str, str] | None:
        """Device and number of its path to us, by which a new binding takes the place of an old one (RFC 5626 6)."""
        return line_of(self.contact)

    def is_for(self, contact: NameAddr) -> bool:
        """Whether a REGISTER that names `contact` is about this one."""
        if (line := line_of(contact)) is not None or self.line is not None:
            return line == self.line
        return same_uri(self.contact.uri, contact.uri)


def line_of(contact: NameAddr) -> tuple[str, str] | None:
    """Instance and reg-id; None where not both are there."""
    instance, number = contact.params.get("+sip.instance"), contact.params.get("reg-id")
    return (instance, number) if instance and number else None


@dataclass(frozen=True, slots=True)
class PhoneBound:
    """A phone can be reached at one more place, or for longer."""

    binding: Binding
    new: bool


@dataclass(frozen=True, slots=True)
class PhoneUnbound:
    """A phone can no longer be reached there."""

    binding: Binding
    reason: str
    """`left`, `expired`, `connection_lost`, `crowded_out` (by newer ones) or `removed` (from the configuration)."""


BindingEvent = PhoneBound | PhoneUnbound
Told = Callable[[BindingEvent, float], None]
"""Takes what happened to a binding, and the time. Must not raise, block or call back."""


def nobody(event: BindingEvent, now: float) -> None:
    """Nobody wants to know."""


class Bindings:
    """All there are, each until its time is over or its connection is lost.

    Args:
        timers: of the agent.
    """

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._of: dict[str, tuple[Binding, ...]] = {}
        self._by_source: dict[Flow, dict[int, Binding]] = {}
        self._expiries: dict[int, Timer] = {}
        self.told: Told = nobody

    def of(self, phone: str) -> tuple[Binding, ...]:
        """Those of a phone; the one refreshed last comes last."""
        return self._of.get(phone, ())

    def preferred(self, phone: str) -> list[Binding]:
        """The same in the order in which they are to be called: by q, then the newest first."""
        newest_first = self.of(phone)[::-1]
        return sorted(newest_first, key=lambda one: -one.q)

    def phone_at(self, source: Flow) -> str:
        """The address of the phone that sends from there itself; empty where there is none, or more than one."""
        found = {one.phone for one in self._by_source.get(source, {}).values() if one.direct}
        return f"{PREFIX}{found.pop()}" if len(found) == 1 else ""

    def settle(self, phone: str, bindings: Sequence[Binding], reason: str, now: float) -> None:
        """From now on a phone has these; `reason` says why others of it are no more."""
        before, kept = self.of(phone), {one.serial for one in bindings}
        for old in before:
            self._drop(old)
        if bindings:
            self._of[phone] = tuple(bindings)
        else:
            self._of.pop(phone, None)
        for one in bindings:
            self._add(one)
        known = {old.serial: old for old in before}
        for old in before:
            if old.serial not in kept:
                self.told(PhoneUnbound(old, reason), now)
        for one in bindings:
            if known.get(one.serial) is not one:
                self.told(PhoneBound(one, new=one.serial not in known), now)

    def lost(self, flow: Flow, now: float) -> None:
        """A connection is over; a phone that takes one at its Contact as well keeps its binding (RFC 3261 18.4)."""
        for one in tuple(self._by_source.get(flow, {}).values()):
            others = [other for other in self.of(one.phone) if other is not one]
            if (again := _anew(one)) is None:
                self.settle(one.phone, others, "connection_lost", now)
            elif again != flow:
                self.settle(one.phone, [*others, replace(one, flow=again, source=again)], "", now)

    def keep_only(self, phones: Collection[str], now: float) -> None:
        """Only these phones are there from now on."""
        for phone in tuple(self._of):
            if phone not in phones:
                self.settle(phone, (), "removed", now)

    def _add(self, one: Binding) -> None:
        self._by_source.setdefault(one.source, {})[one.serial] = one
        self._expiries[one.serial] = self._timers.start(one.until, lambda now: self._expire(one, now))

    def _drop(self, one: Binding) -> None:
        there = self._by_source[one.source]
        del there[one.serial]
        if not there:
            del self._by_source[one.source]
        self._timers.stop(self._expiries.pop(one.serial))

    def _expire(self, one: Binding, now: float) -> None:
        self.settle(one.phone, [other for other in self.of(one.phone) if other is not one], "expired", now)


def _anew(one: Binding) -> Flow | None:
    """The path to its Contact or its proxy by a connection of ours; None where it takes none that could be told."""
    if one.flow.transport != "tcp" or one.natted or one.outbound:
        return None
    uri = NameAddr.parse(one.path[0]).uri if one.path else one.contact.uri
    again = next_hop(uri, one.flow, behind_nat=False, gone=True)
    return again if same_address(uri.host, again.remote[0]) else None
