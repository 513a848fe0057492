"""Where a call of ours that is redirected may go: which Contacts of a 3xx are tried, in which order, and how many.

The target set of RFC 3261 section 8.1.3.4. Each response may add to it; what was tried is not tried again.
"""

from dataclasses import dataclass
from ipaddress import ip_network

from sipgw.errors import PeerError
from sipgw.flow import Networks
from sipgw.options import RedirectOptions
from sipgw.sip.message import Response
from sipgw.sip.uri import Uri
from sipgw.sip.values import NameAddr

_USE_PROXY = 305
_MOST = 16
"""Contacts read of one response."""


@dataclass(frozen=True, slots=True)
class Target:
    """One place to call."""

    uri: str
    """The Request-URI."""
    proxy: str = ""
    """The URI of the proxy that it has to go by (section 21.3.4); empty for none."""

    @property
    def hop(self) -> str:
        """The URI that says where the INVITE is sent."""
        return self.proxy or self.uri


class Redirects:
    """The places to which one call was sent on, the best first.

    Args:
        first: the Request-URI that was called first.
        options: how many are tried, and on which hosts besides that one's.
    """

    def __init__(self, first: str, options: RedirectOptions) -> None:
        self._first = _read(first)
        self._left = options.limit
        self._allowed = _Hosts(options.hosts)
        self._waiting: list[tuple[float, Target]] = []
        self._known = {_key(Target(first))}

    def take(self, asked: str, response: Response) -> list[str]:
        """Read the Contacts of a 3xx to an INVITE for `asked`; returns those that may not be followed, and why."""
        refused: list[str] = []
        for contact in _contacts(response):
            target = self._target(asked, contact, response.status)
            objection = self._objection(target)
            if objection:
                refused.append(f"{target.hop}: {objection}")
                continue
            self._known.add(_key(target))
            self._waiting.append((_preference(contact), target))
        # Stable: among equals the order in which they came.
        self._waiting.sort(key=lambda one: -one[0])
        return refused

    def is_home(self, target: Target) -> bool:
        """Whether it is on the host that was called first."""
        uri = _read(target.hop)
        return uri is not None and self._first is not None and uri.address.lower() == self._first.address.lower()

    def next(self) -> Target | None:
        """Take the best that is left; None where there is none, or enough were tried."""
        if not self._waiting or not self._left:
            return None
        self._left -= 1
        return self._waiting.pop(0)[1]

    def _target(self, asked: str, contact: NameAddr, status: int) -> Target:
        # Headers in the URI would let whoever redirects write our request.
        uri = contact.uri.raw.partition("?")[0] if contact.uri.is_sip else contact.uri.raw
        return Target(asked, uri) if status == _USE_PROXY else Target(uri)

    def _objection(self, target: Target) -> str:
        """Why this is not followed; empty where nothing speaks against it."""
        uri = _read(target.hop)
        if uri is None or not uri.is_sip:
            return "no SIP URI"
        if self._first is not None and self._first.scheme == "sips" and uri.scheme != "sips":
            return "not secure, as the call was to be"
        if _key(target) in self._known:
            return "tried already"
        if not self.is_home(target) and uri.address not in self._allowed:
            return "host not allowed"
        return ""


class _Hosts:
    """Names, `*.domain`, addresses and ranges, or `*` for all."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        ranges = [one for one in allowed if _is_range(one)]
        self._networks = Networks(ranges)
        self._names = tuple(one.lower() for one in allowed if one not in ranges)

    def __contains__(self, host: str) -> bool:
        name = host.lower()
        return host in self._networks or any(
            one in ("*", name) or (one.startswith("*.") and name.endswith(one[1:])) for one in self._names
        )


def _is_range(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _contacts(response: Response) -> list[NameAddr]:
    """Those that can be read: a bad one costs itself."""
    found: list[NameAddr] = []
    for item in response.headers.listed("Contact")[:_MOST]:
        try:
            found.append(NameAddr.parse(item))
        except PeerError:
            continue
    return found


def _preference(contact: NameAddr) -> float:
    """The q of a Contact, 0 to 1 (section 20.10): 1 where there is none, 0 where it is nonsense."""
    text = contact.params.get("q")
    if text is None:
        return 1.0
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0.0 <= value <= 1.0 else 0.0


def _read(uri: str) -> Uri | None:
    try:
        return Uri.parse(uri)
    except PeerError:
        return None


def _key(target: Target) -> tuple[str, ...]:
    """What two targets that are the same have in common."""
    uri = _read(target.hop)
    if uri is None or not uri.is_sip:
        return (target.hop,)
    transport = (uri.param("transport") or "").lower()
    asked = target.uri if target.proxy else ""
    return uri.scheme, uri.user_text, uri.address.lower(), str(uri.port or ""), transport, asked
