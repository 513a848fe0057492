"""Whom a request comes from: a trunk known by address, by certificate or by digest, a phone, somebody else, a stranger.

A stranger gets silence: an answer would tell a scanner that here is something to scan, and whoever's address was
forged would get it. What follows for a call is decided above; here is only who it is.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sipgw.flow import Flow, Networks
from sipgw.options import NOBODY, CredentialOptions, IdentityOptions, Nat, PhoneOptions, SipOptions, TrunkOptions
from sipgw.sip.accounts import Accounts, Proof
from sipgw.sip.digest import Credentials
from sipgw.sip.leg import Extra
from sipgw.sip.message import Request

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who it is."""

    trunk: str = ""
    """The trunk's name, or the phone's as `phone:NAME`; empty for somebody known otherwise."""
    credentials: tuple[Credentials, ...] = ()
    """What to say where that trunk asks who we are."""
    challenge: Extra = ()
    """Not known yet: ask with these headers."""
    reason: str = ""
    """Why it is asked."""
    identity: IdentityOptions = NOBODY
    """What is believed of what it says about its callers."""
    nat: Nat = "auto"
    """Whether its Contact is replaced by its source."""


class Trust:
    """The trunks and others we know.

    Args:
        options: says who they are.
        token: makes nonces.
        before: what was believed until now: its registrars stay known, as far as their trunks are there.

    Raises:
        ValueError: a source is neither an address nor a range.
    """

    def __init__(self, options: SipOptions, token: Callable[[], str], before: "Trust | None" = None) -> None:
        self._trunks = tuple(_Trunk(one) for one in options.trunks)
        self._phones = tuple(_Trunk(_as_trunk(one), one.transports) for one in options.phones)
        self._ask = (*(one for one in self._trunks if one.options.users), *self._phones)
        """Those that prove by digest who they are."""
        self._known = Networks(options.known)
        passwords = {user.username: user.password for one in self._ask for user in one.options.users if user.password}
        hashes = {one.user: dict(one.hashes) for one in options.phones if one.hashes}
        self._accounts = Accounts(passwords, options.realm, options.algorithms, token(), token, hashes)
        self._seen: dict[str, bool] = {}
        self._by_name = {one.options.name: one for one in self._trunks}
        registrars: dict[str, str] = before._registrars if before is not None else {}
        self._registrars: dict[str, str] = {host: trunk for host, trunk in registrars.items() if trunk in self._by_name}
        """Whoever we are registered with sends us calls: the trunk of each host."""

    def admit(self, host: str, trunk: str) -> None:
        """We are registered with this trunk there: calls from that host are its, once proven where it has users."""
        if trunk in self._by_name:
            self._registrars[host] = trunk

    def credentials_of(self, trunk: str) -> tuple[Credentials, ...]:
        """What to say where a trunk asks who we are; nothing for one that nobody knows."""
        return self._by_name[trunk].credentials if trunk in self._by_name else ()

    def is_stranger(self, source: Flow) -> bool:
        """Whether nobody we know sends from there. A connection with a certificate is judged by its names as well."""
        host = source.remote[0]
        if host in self._registrars:
            return False
        known = self._seen.get(host)
        if known is None:
            known = self._is_known(host)
            if len(self._seen) >= _KEPT:
                self._seen.clear()
            self._seen[host] = known
        return not known and not self._is_certified(source)

    def vouches(self, source: Flow) -> bool:
        """Whether it is a trunk by its certificate, or a registrar that we are registered with."""
        return source.remote[0] in self._registrars or self._is_certified(source)

    def goes_on(self, trunk: str, before: Flow, source: Flow) -> bool:
        """Whether a peer that called us may go on with its dialog from another place.

        Where it had proved by certificate who it is, it must prove it again, or come from an address of its trunk:
        whoever has read Call-ID and tags somewhere could end the call, or take its media, otherwise.

        Args:
            trunk: by which the call came.
            before: where the peer was last heard.
            source: where it is heard now.
        """
        if not before.names or set(before.names) & set(source.names):
            return True
        return any(one.options.name == trunk and one.here(source) for one in self._trunks)

    def judge(self, request: Request, source: Flow, now: float, phone: str = "") -> Verdict:
        """Who sent a request that belongs to no dialog.

        Args:
            request: the request.
            source: where it came from.
            now: seconds.
            phone: the address of the phone that is registered there; over UDP anybody may claim to be there.
        """
        if phone and source.reliable:
            return Verdict(phone)
        if phone:
            return self._by_digest(request, source, now, must=True)
        placed = [trunk for trunk in self._trunks if trunk.here(source)]
        for trunk in placed:
            if not trunk.options.users:
                return trunk.verdict
        registrar = self._registrars.get(source.remote[0])
        if registrar is not None and not self._by_name[registrar].options.users:
            return self._by_name[registrar].verdict
        if not any(one.takes(source) for one in self._ask):
            return Verdict()
        return self._by_digest(request, source, now, must=bool(placed) or registrar is not None)

    def judge_phone(self, request: Request, source: Flow, now: float) -> Verdict:
        """Which phone sent a REGISTER; it has to prove it, wherever it comes from. Another's proof is no phone's."""
        return self._by_digest(request, source, now, must=True)

    def _by_digest(self, request: Request, source: Flow, now: float, *, must: bool) -> Verdict:
        """Who proves to be who; `must`: an address alone is not enough."""
        checked = self._accounts.check(request, now)
        if checked.proof is Proof.GOOD:
            for one in self._ask:
                if one.takes(source) and any(user.username == checked.username for user in one.options.users):
                    return one.verdict
        if checked.proof is Proof.NONE and not must and source.remote[0] in self._known:
            return Verdict()
        stale = checked.proof in (Proof.STALE, Proof.REPLAYED)
        reason = checked.proof.value if checked.proof is not Proof.GOOD else "wrong_place"
        return Verdict(challenge=self._accounts.challenge(now, stale=stale), reason=reason)

    def _is_certified(self, source: Flow) -> bool:
        return bool(source.names) and any(trunk.named(source.names) for trunk in self._trunks)

    def _is_known(self, host: str) -> bool:
        everybody = (*self._trunks, *self._phones)
        return host in self._known or any(one.anywhere or host in one.networks for one in everybody)


class _Trunk:
    """One trunk, ready for use; or a phone, which may have to come by certain transports."""

    def __init__(self, options: TrunkOptions, transports: tuple[str, ...] = ()) -> None:
        self.options, self._transports = options, transports
        self.networks = Networks(options.sources)
        self.credentials = tuple(Credentials(one.username, one.password, one.realm) for one in options.credentials)
        self.anywhere = bool(options.users) and not options.sources and not options.names
        """It is known by digest alone."""
        self.verdict = Verdict(options.name, self.credentials, identity=options.identity, nat=options.nat)

    def here(self, source: Flow) -> bool:
        """Whether it comes from there."""
        return source.remote[0] in self.networks or self.named(source.names)

    def takes(self, source: Flow) -> bool:
        """Whether who proves from there to be one of its users is one."""
        by = not self._transports or source.transport in self._transports
        return by and (self.anywhere or self.here(source))

    def named(self, names: tuple[str, ...]) -> bool:
        """Whether a certificate with these names is its."""
        return any(name in self.options.names for name in names)


def _as_trunk(phone: PhoneOptions) -> TrunkOptions:
    """A phone says nothing about its callers that would have to be believed: it has none."""
    users = (CredentialOptions(phone.user, phone.password),)
    return TrunkOptions(phone.address, phone.sources, users=users, identity=NOBODY)
