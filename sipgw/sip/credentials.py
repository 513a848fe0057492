"""What we answer to those who want to know who we are (RFC 3261 section 22.2 and 22.3)."""

from collections.abc import Callable, Sequence

from sipgw.sip.digest import Challenge, Credentials, challenges
from sipgw.sip.leg import Extra
from sipgw.sip.message import Request, Response

_HEADERS = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}


class Answers:
    """What one peer, and those on the way to it, have asked for. Kept, so that the next request need not be asked.

    Args:
        known: what we know; the first that is good for a realm is used.
        token: makes client nonces.
    """

    def __init__(self, known: Sequence[Credentials], token: Callable[[], str]) -> None:
        self._known, self._token = tuple(known), token
        self._asked: dict[tuple[str, str], Challenge] = {}
        """By the header of the answer, and realm."""
        self._counts: dict[str, int] = {}
        """How often each nonce was used."""

    def __bool__(self) -> bool:
        return bool(self._known)

    def headers(self, request: Request) -> Extra:
        """What to add to `request`, made of all that was asked so far."""
        return tuple((name, self._answer(challenge, request)) for (name, _), challenge in self._asked.items())

    def learn(self, request: Request, response: Response) -> bool:
        """Take what a 401 or 407 asks for; whether trying again with it may help.

        It does not where our first answer to the same realm was refused, which is then forgotten. A nonce that is
        stale was not refused (RFC 7616 3.3), nor one that was good before: not every server says that it is old.
        """
        if response.status not in _HEADERS:
            return False
        asks, answers = _HEADERS[response.status]
        learned: dict[tuple[str, str], Challenge] = {}
        for challenge in challenges(response.headers.all(asks)):
            key = answers, challenge.realm
            if key in learned or self._credentials(challenge.realm) is None:
                continue
            before = self._asked.get(key)
            sent = before is not None and any(before.nonce in value for value in request.headers.all(answers))
            if before is not None and sent and not challenge.stale and not self._has_aged(before, challenge):
                del self._asked[key]
                return False
            learned[key] = challenge
        self._asked |= learned
        self._counts = {one.nonce: self._counts.get(one.nonce, 0) for one in self._asked.values()}
        return bool(learned)

    def _has_aged(self, before: Challenge, now: Challenge) -> bool:
        """Whether a nonce that was used for several requests gives way to another."""
        return before.nonce != now.nonce and self._counts[before.nonce] > 1

    def _credentials(self, realm: str) -> Credentials | None:
        return next((one for one in self._known if one.realm in ("", realm)), None)

    def _answer(self, challenge: Challenge, request: Request) -> str:
        known = self._credentials(challenge.realm)
        assert known is not None, "only what can be answered is kept"
        count = self._counts[challenge.nonce] = self._counts[challenge.nonce] + 1
        answer = challenge.answered(known, request.method, request.uri, request.body, count=count, cnonce=self._token())
        return str(answer)
