"""A small registrar for the phones of the configuration (RFC 3261 section 10.3, with RFC 3327 and RFC 5626)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import count

from sipgw.errors import PeerError
from sipgw.flow import Flow
from sipgw.options import PhoneOptions, SipOptions
from sipgw.options.phone import PREFIX
from sipgw.sip.bindings import Binding, Bindings
from sipgw.sip.grammar import MAX_32_BIT, number
from sipgw.sip.leg import Extra
from sipgw.sip.message import Request, expires
from sipgw.sip.paths import is_behind_nat, listener_of, next_hop
from sipgw.sip.timers import Timers
from sipgw.sip.values import STAR, NameAddr

_DEFAULT = 3600
"""Seconds that an `expires` which is no number counts as (RFC 3261 section 20.10)."""
_LONGEST = 1000
"""Characters of a Contact, or of a Path, at most: they are kept."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How a phone is called at one of its places."""

    uri: str
    """The Request-URI: its Contact as it was registered."""
    flow: Flow
    headers: Extra = ()
    """The Route by which it wants to be reached, where there is one (RFC 3327)."""


class Registrar:
    """Who may register, and what comes of it.

    Args:
        options: with the phones.
        timers: of the agent.
    """

    def __init__(self, options: SipOptions, timers: Timers) -> None:
        self._options = options
        self._phones = {one.name: one for one in options.phones}
        self._serial = count(1).__next__
        self.bindings = Bindings(timers)

    @property
    def phones(self) -> Collection[PhoneOptions]:
        """All that may register."""
        return self._phones.values()

    @property
    def open(self) -> bool:
        """Whether there is any phone that may register."""
        return bool(self._phones)

    def reconfigure(self, options: SipOptions, now: float) -> None:
        """Only these phones are there from now on; one that proves otherwise who it is has to do so anew."""
        self._options = options
        before, self._phones = self._phones, {one.name: one for one in options.phones}
        same = {name for name, one in self._phones.items() if _proof(before.get(name)) == _proof(one)}
        self.bindings.keep_only(same, now)

    def locate(self, address: str) -> tuple[Reach, ...]:
        """How a phone is called, the best place first.

        Args:
            address: `phone:NAME`.

        Raises:
            PeerError: 404 where there is no such phone, 480 where it is not registered.
        """
        name = address.removeprefix(PREFIX)
        if name not in self._phones:
            raise PeerError(404, f"no phone {name}")
        bindings = self.bindings.preferred(name)
        if not bindings:
            raise PeerError(480, f"phone {name} is not registered")
        return tuple(_reach(one) for one in bindings)

    def restore(self, binding: Binding, now: float) -> bool:
        """Take a binding of an earlier run; whether it still leads to the phone: a connection does not outlive us."""
        flow = binding.flow
        known = binding.phone in self._phones and listener_of(self._options, flow) is not None
        if flow.reliable or not known or binding.until <= now:
            return False
        kept = self.bindings.of(binding.phone)
        self.bindings.settle(binding.phone, [*kept, replace(binding, serial=self._serial())], "", now)
        return True

    def register(self, request: Request, phone: str, source: Flow, now: float) -> Extra:
        """Do what a REGISTER asks for; the headers of its 200.

        Args:
            request: the REGISTER.
            phone: the address of the phone that has proven to have sent it.
            source: where it came from.
            now: seconds.

        Raises:
            PeerError: why nothing was changed.
        """
        one = self._owner(request, phone)
        before, path = self.bindings.of(one.name), _path(request)
        if request.contacts:
            after = self._after(request, one, path, source, now)
            self.bindings.settle(one.name, after, "left", now)
            self.bindings.settle(one.name, after[-one.max_contacts :], "crowded_out", now)
        left = self.bindings.preferred(one.name)
        headers = [("Contact", _written(binding, now)) for binding in left]
        headers += [("Path", value) for value in path]
        new = [binding for binding in left if binding not in before]
        if request.supports("outbound") and any(binding.outbound for binding in new):
            headers += [("Require", "outbound"), ("Flow-Timer", str(int(self._options.streams.idle_limit)))]
        return (*headers, ("Supported", "path, outbound"))

    def _owner(self, request: Request, phone: str) -> PhoneOptions:
        """Whose address it is about: that of whoever sent it, and nobody else's."""
        asked = request.to.uri.user_text
        found = next((one for one in self._phones.values() if one.user == asked), None)
        if found is None:
            raise PeerError(404)
        if found.address != phone:
            raise PeerError(403)
        return found

    def _after(
        self, request: Request, phone: PhoneOptions, path: tuple[str, ...], source: Flow, now: float
    ) -> list[Binding]:
        """Its bindings as they are to be; the newest last."""
        kept = list(self.bindings.of(phone.name))
        if any(contact.uri == STAR for contact in request.contacts):
            return self._none(request, kept)
        asked = [(contact, self._seconds(contact, request)) for contact in request.contacts]
        if sum(1 for _, seconds in asked if seconds) > phone.max_contacts:
            raise PeerError(403, "Too Many Contacts")
        for contact, seconds in asked:
            _check(contact)
            old = next((one for one in kept if one.is_for(contact)), None)
            if old is not None:
                _in_order(request, old)
                kept.remove(old)
            if seconds:
                kept.append(self._bound(request, phone.name, contact, path, source, now, seconds, old))
        return kept

    def _none(self, request: Request, kept: Sequence[Binding]) -> list[Binding]:
        """`Contact: *` takes all of them away, and stands alone (section 10.2.2)."""
        if len(request.contacts) > 1 or expires(request) != 0:
            raise PeerError(400, "Bad Contact")
        for one in kept:
            _in_order(request, one)
        return []

    def _bound(
        self, request: Request, phone: str, contact: NameAddr, path: tuple[str, ...], source: Flow, now: float,
        seconds: int, old: Binding | None,
    ) -> Binding:  # fmt: skip
        natted = is_behind_nat(request, source)
        direct = not path and len(request.vias) == 1
        flow = source if path or source.reliable else next_hop(contact.uri, source, behind_nat=natted)
        plain = replace(contact, params=contact.params.without("expires"))
        return Binding(
            phone=phone,
            contact=plain,
            flow=flow,
            source=source,
            until=now + seconds,
            since=old.since if old is not None else now,
            call_id=request.call_id,
            cseq=request.cseq.number,
            path=path,
            direct=direct,
            natted=natted,
            outbound=direct and source.reliable and plain.params.get("reg-id") is not None,
            user_agent=(request.headers.get("User-Agent") or "")[:200],
            serial=old.serial if old is not None else self._serial(),
        )

    def _seconds(self, contact: NameAddr, request: Request) -> int:
        """How long a binding is to last, by its Contact, else by Expires, else as long as may be (10.3 step 7)."""
        options = self._options
        text = contact.params.get("expires")
        if text is None:
            asked = expires(request)
            wanted = options.max_register_expires if asked is None else asked
        else:
            wanted = _number(text)
        if 0 < wanted < options.min_register_expires:
            raise PeerError(423, "", (("Min-Expires", str(options.min_register_expires)),))
        return min(wanted, options.max_register_expires)


def _number(text: str) -> int:
    try:
        return number(text, MAX_32_BIT, "expires")
    except PeerError:
        return _DEFAULT


def _check(contact: NameAddr) -> None:
    if not contact.uri.is_sip or contact.uri.headers or len(str(contact)) > _LONGEST:
        raise PeerError(400, "Bad Contact")


def _in_order(request: Request, old: Binding) -> None:
    """One that was overtaken on the way changes nothing (section 10.3 steps 6 and 7)."""
    if request.call_id == old.call_id and request.cseq.number <= old.cseq:
        raise PeerError(500, "CSeq Out Of Order")


def _path(request: Request) -> tuple[str, ...]:
    values = request.headers.listed("Path")
    for value in values:
        if len(value) > _LONGEST or not NameAddr.parse(value).uri.is_sip:
            raise PeerError(400, "Bad Path")
    return values


def _reach(one: Binding) -> Reach:
    uri = one.contact.uri
    # A method or headers in it are for requests made of links, not for calls (section 19.1.1 table 1).
    plain = replace(uri, params=uri.params.without("method"), written="") if "method" in uri.params else uri
    return Reach(str(plain), one.flow, tuple(("Route", hop) for hop in one.path))


def _written(one: Binding, now: float) -> str:
    """As a 200 lists it (section 10.3 step 8)."""
    return f"{one.contact};expires={max(round(one.until - now), 1)}"


def _proof(one: PhoneOptions | None) -> tuple[object, ...] | None:
    return None if one is None else (one.user, one.password, one.hashes)
