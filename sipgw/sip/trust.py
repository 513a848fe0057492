"""Whom a request comes from: a trunk known by address, by certificate or by digest, somebody else, or a stranger.

A stranger gets silence: an answer would tell a scanner that here is something to scan, and whoever's address was
forged would get it. What follows for a call is decided above; here is only who it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sipgw.flow import Flow, Networks
from sipgw.options import NOBODY, IdentityOptions, SipOptions, TrunkOptions
from sipgw.sip.accounts import Accounts, Proof
from sipgw.sip.digest import Credentials
from sipgw.sip.leg import Extra
from sipgw.sip.message import Request

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who it is."""

    trunk: str = ""
    """The trunk's name; empty for somebody known otherwise."""
    credentials: tuple[Credentials, ...] = ()
    """What to say where that trunk asks who we are."""
    challenge: Extra = ()
    """Not known yet: ask with these headers."""
    reason: str = ""
    """Why it is asked."""
    identity: IdentityOptions = NOBODY
    """What is believed of what it says about its callers."""


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
        self._known = Networks(options.known)
        passwords = {user.username: user.password for one in options.trunks for user in one.users}
        self._accounts = Accounts(passwords, options.realm, options.algorithms, token(), token)
        self._asks = bool(passwords)
        self._seen: dict[str, bool] = {}
        names = {one.name for one in options.trunks}
        registrars: dict[str, Verdict] = before._registrars if before is not None else {}
        self._registrars: dict[str, Verdict] = {
            host: replace(verdict, identity=self._identity_of(verdict.trunk))
            for host, verdict in registrars.items()
            if verdict.trunk in names
        }
        """Whoever we are registered with sends us calls."""

    def admit(self, host: str, trunk: str, credentials: tuple[Credentials, ...]) -> None:
        """We are registered with this trunk there: calls from that host are its."""
        self._registrars[host] = Verdict(trunk, credentials, identity=self._identity_of(trunk))

    def credentials_of(self, trunk: str) -> tuple[Credentials, ...]:
        """What to say where a trunk asks who we are; nothing for one that nobody knows."""
        return next((one.credentials for one in self._trunks if one.options.name == trunk), ())

    def _identity_of(self, trunk: str) -> IdentityOptions:
        return next((one.options.identity for one in self._trunks if one.options.name == trunk), NOBODY)

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
        return not known and not any(trunk.named(source.names) for trunk in self._trunks)

    def judge(self, request: Request, source: Flow, now: float) -> Verdict:
        """Who sent a request that belongs to no dialog."""
        placed = [trunk for trunk in self._trunks if trunk.here(source)]
        for trunk in placed:
            if not trunk.options.users:
                return trunk.verdict
        if (registrar := self._registrars.get(source.remote[0])) is not None:
            return registrar
        if not self._asks or not (placed or any(trunk.anywhere for trunk in self._trunks)):
            return Verdict()
        return self._by_digest(request, source, placed, now)

    def _by_digest(self, request: Request, source: Flow, placed: "list[_Trunk]", now: float) -> Verdict:
        checked = self._accounts.check(request, now)
        if checked.proof is Proof.GOOD:
            for trunk in (*placed, *(one for one in self._trunks if one.anywhere)):
                if any(user.username == checked.username for user in trunk.options.users):
                    return trunk.verdict
        if checked.proof is Proof.NONE and not placed and source.remote[0] in self._known:
            return Verdict()
        stale = checked.proof in (Proof.STALE, Proof.REPLAYED)
        reason = checked.proof.value if checked.proof is not Proof.GOOD else "wrong_place"
        return Verdict(challenge=self._accounts.challenge(now, stale=stale), reason=reason)

    def _is_known(self, host: str) -> bool:
        everywhere = any(trunk.anywhere for trunk in self._trunks)
        return everywhere or host in self._known or any(host in trunk.networks for trunk in self._trunks)


class _Trunk:
    """One trunk, ready for use."""

    def __init__(self, options: TrunkOptions) -> None:
        self.options = options
        self.networks = Networks(options.sources)
        self.credentials = tuple(Credentials(one.username, one.password, one.realm) for one in options.credentials)
        self.anywhere = bool(options.users) and not options.sources and not options.names
        """It is known by digest alone."""
        self.verdict = Verdict(options.name, self.credentials, identity=options.identity)

    def here(self, source: Flow) -> bool:
        """Whether it comes from there."""
        return source.remote[0] in self.networks or self.named(source.names)

    def named(self, names: tuple[str, ...]) -> bool:
        """Whether a certificate with these names is its."""
        return any(name in self.options.names for name in names)
