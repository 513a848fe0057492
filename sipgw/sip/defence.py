"""What is dropped before it is read, and who may not begin anything more: the agent's outer wall.

None of it is for sources that the configuration names by address (trunks', routes', `never_banned`) and registrars that
we are registered with: datagrams with their addresses may be forged, and must not shut them out. Of the others, those
who sent something within a dialog know a tag that only went to them: they have *proven* their address. What comes in
datagrams does not get them banned either, nor do the floods of those who have proven nothing take their place.
"""

import re

from sipgw.errors import PeerError
from sipgw.flow import Flow, Networks
from sipgw.options import SipOptions
from sipgw.sip.bans import Bans
from sipgw.sip.buckets import Bucket, Buckets
from sipgw.sip.exchange import Exchange
from sipgw.sip.recent import Recent
from sipgw.sip.source import source_key
from sipgw.sip.trust import Trust

_KEPT = 10_000
"""Sources of which something is remembered, of each kind."""
_PROVEN_SECONDS = 3600.0
_RETRY_AFTER = "5"
_WHOLE_INTERNET = frozenset({"0.0.0.0/0", "::/0"})
_LOOKS_LIKE_SIP = re.compile(rb"[\r\n]*+(?:SIP/[0-9]|[!-~]++ [^\r\n]*?SIP/[0-9])", re.IGNORECASE)
"""A status line or a request line; torture tests have some with blanks of all kinds, but none without this."""


class Defence:
    """Decides by source, and by as little of a message as it takes.

    Args:
        options: limits, and whom the configuration names.
        trust: knows strangers, registrars and certificates.
        exchange: the transactions there are.
    """

    def __init__(self, options: SipOptions, trust: Trust, exchange: Exchange) -> None:
        self._exchange = exchange
        self._silent = options.strangers == "silence"
        self._ours = f"{options.node}-".encode()
        """In every tag of ours."""
        self.bans = Bans(options.defence)
        self._named_hosts: dict[str, bool] = {}
        self._proven: Recent[str, float] = Recent(_KEPT)
        """Hosts, and when they last were."""
        self._buckets = Buckets(_KEPT)
        self._unproven = Bucket()
        self.reconfigure(options, trust)

    def reconfigure(self, options: SipOptions, trust: Trust) -> None:
        """Other names and limits from now on; bans stay."""
        self._options = self.bans.options = options.defence
        self._trust = trust
        sources = (one for trunk in options.trunks for one in trunk.sources)
        named = (*options.defence.never_banned, *options.known, *sources)
        self._named = Networks(text for text in named if text not in _WHOLE_INTERNET)
        self._named_hosts.clear()

    def turned_away(self, data: bytes, source: Flow, now: float) -> str:
        """Why something that came is to be dropped unread; empty where it is not."""
        if self.bans.bars(source.remote[0], reliable=source.reliable, now=now):
            return "banned"
        if self._silent and self._trust.is_stranger(source) and self._ours not in data:
            return "stranger"
        if not self.spares(source) and (reason := self._haste(source, now)):
            return reason
        if not _LOOKS_LIKE_SIP.match(data) and data.strip(b"\r\n\0 "):
            self.offence("not_sip", source, now)
            return "not_sip"
        return ""

    def crowded(self, method: str, source: Flow) -> PeerError | None:
        """How a request outside of any dialog is refused because too much waits already; None where it is not."""
        if self.spares(source):
            return None
        options, waiting = self._options, self._exchange.half_open
        full = _over(len(self._exchange), options.transactions)
        if method == "INVITE":
            full = full or _over(len(waiting), options.half_open)
            full = full or _over(waiting.of(source_key(source.remote[0])), options.half_open_per_source)
        return PeerError(503, "", (("Retry-After", _RETRY_AFTER),)) if full else None

    def offence(self, reason: str, source: Flow, now: float) -> None:
        """A source did what those do who try things out."""
        host = source.remote[0]
        if not self.spares(source) and (source.reliable or not self._has_proven(host, now)):
            self.bans.offence(host, reason, reliable=source.reliable, now=now)

    def may_be_forged(self, source: Flow, now: float) -> bool:
        """Whether the address something came from may be that of somebody who knows nothing of it."""
        return not source.reliable and not self._has_proven(source.remote[0], now) and not self.spares(source)

    def prove(self, source: Flow, now: float) -> None:
        """What came from there could only be said by somebody who got what we sent there."""
        self._proven.put(source.remote[0], now)

    def spares(self, source: Flow) -> bool:
        """Whether no limit is for this source."""
        host = source.remote[0]
        named = self._named_hosts.get(host)
        if named is None:
            if len(self._named_hosts) >= _KEPT:
                self._named_hosts.clear()
            named = self._named_hosts[host] = host in self._named
        return named or self._trust.vouches(source)

    def _haste(self, source: Flow, now: float) -> str:
        """Take a message into account; why it is one too many, or nothing."""
        host, rate = source.remote[0], self._options.messages_per_second
        if rate:
            bucket = self._buckets.of(source_key(host))
            if not bucket.spend(rate, now):
                if bucket.blame(now):
                    self.offence("too_many_messages", source, now)
                return "too_many_messages"
        whole = self._options.unproven_messages_per_second
        if whole and not self._has_proven(host, now) and not self._unproven.spend(whole, now):
            return "too_many_unproven"
        return ""

    def _has_proven(self, host: str, now: float) -> bool:
        when = self._proven.get(host)
        return when is not None and now - when < _PROVEN_SECONDS


def _over(count: int, limit: int) -> bool:
    return bool(limit) and count >= limit
