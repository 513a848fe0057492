"""Who is who among those that have to prove it: our challenges, and what we make of the answers (RFC 3261 22.1)."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from sipgw.errors import PeerError
from sipgw.sip.digest import Authorization, Challenge, response_by, secret_of
from sipgw.sip.leg import Extra
from sipgw.sip.message import Request

NONCE_LIFE = 300.0
"""Seconds; an answer to an older one is asked for again, and the password is not asked of anybody."""
_KEPT = 10_000
"""Nonces whose counts are remembered; an answer to one that is forgotten is asked for again."""


class Proof(Enum):
    """What an answer is worth."""

    NONE = "no_credentials"
    GOOD = "good"
    STALE = "stale_nonce"
    WRONG = "wrong_credentials"
    REPLAYED = "replayed_credentials"


@dataclass(frozen=True, slots=True)
class Checked:
    """What an answer is worth, and whose it is."""

    proof: Proof
    username: str = ""


class Accounts:
    """All whom we ask.

    Args:
        passwords: by username.
        realm: what we call ourselves to them.
        algorithms: that we ask for, the preferred first; each is a challenge of its own (RFC 8760 section 2.3).
        secret: signs our nonces, so that none needs to be remembered before it is used.
        token: makes nonces that differ.
        hashes: for those without a password, by username and algorithm, what it is hashed to.
    """

    def __init__(
        self,
        passwords: Mapping[str, str],
        realm: str,
        algorithms: tuple[str, ...],
        secret: str,
        token: Callable[[], str],
        hashes: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._passwords, self._realm, self._algorithms = dict(passwords), realm, algorithms
        self._hashes = dict(hashes or {})
        self._secret, self._token = secret.encode(), token
        self._used: dict[str, int] = {}
        """The highest count that each nonce was used with."""
        self._forgotten = -1.0
        """When the newest of those was made whose count is remembered no longer."""

    def challenge(self, now: float, *, stale: bool = False) -> Extra:
        """The WWW-Authenticate headers of a 401."""
        nonce = self._nonce(now)
        return tuple(
            ("WWW-Authenticate", str(Challenge(self._realm, nonce, algorithm, ("auth",), stale=stale)))
            for algorithm in self._algorithms
        )

    def check(self, request: Request, now: float) -> Checked:
        """What the request's Authorization is worth. It costs a few hashes, whatever it says."""
        for value in request.headers.all("Authorization"):
            try:
                authorization = Authorization.parse(value)
            except PeerError:
                return Checked(Proof.WRONG)
            if authorization is not None and authorization.realm == self._realm:
                return self._check(authorization, request, now)
        return Checked(Proof.NONE)

    def _check(self, one: Authorization, request: Request, now: float) -> Checked:
        if not self._is_ours(one.nonce) or now - self._made(one.nonce) > NONCE_LIFE:
            return Checked(Proof.STALE, one.username)
        known = one.algorithm.upper() in (name.upper() for name in self._algorithms)
        if not known or one.qop != "auth" or one.count is None or not one.cnonce:
            return Checked(Proof.WRONG, one.username)
        secret, somebody = self._secret_of(one)
        expected = response_by(one, secret, request.method, request.body)
        if not hmac.compare_digest(expected.encode(), one.response.lower().encode()) or not somebody:
            return Checked(Proof.WRONG, one.username)
        return self._counted(one.nonce, one.count, one.username)

    def _secret_of(self, one: Authorization) -> tuple[str, bool]:
        """What is hashed into an answer in place of its password, and whether somebody has that name.

        A name that nobody has costs as much as a wrong password, so that names cannot be told apart by time.
        """
        password = self._passwords.get(one.username)
        secret = secret_of(one.algorithm, one.username, self._realm, password or "")
        kept = self._hashes.get(one.username, {}).get(one.algorithm.upper())
        return kept or secret, password is not None or kept is not None

    def _counted(self, nonce: str, count: int, username: str) -> Checked:
        if count <= self._used.get(nonce, 0):
            return Checked(Proof.REPLAYED, username)
        if nonce not in self._used and self._made(nonce) <= self._forgotten:
            return Checked(Proof.STALE, username)
        self._used.pop(nonce, None)
        self._used[nonce] = count
        if len(self._used) > _KEPT:
            oldest = next(iter(self._used))
            del self._used[oldest]
            self._forgotten = max(self._forgotten, self._made(oldest))
        return Checked(Proof.GOOD, username)

    def _nonce(self, now: float) -> str:
        made = f"{int(now * 1000):x}.{self._token()}"
        return f"{made}.{self._sign(made)}"

    def _is_ours(self, nonce: str) -> bool:
        made, _, signature = nonce.rpartition(".")
        return hmac.compare_digest(signature.encode(), self._sign(made).encode())

    def _made(self, nonce: str) -> float:
        return int(nonce.partition(".")[0], 16) / 1000

    def _sign(self, made: str) -> str:
        return hmac.new(self._secret, made.encode(), "sha256").hexdigest()[:32]
