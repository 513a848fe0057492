"""Prometheus counters, and the few lines of HTTP that show them.

They are served from the loop, not by prometheus_client's own server: that one renders in a thread, which takes the
interpreter from the loop for a whole switch interval (5 ms) at a time, while rendering these few series takes less
than one millisecond.
"""

import asyncio
import contextlib
from collections import Counter as Tally
from collections.abc import Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sipgw.io.sockets import bind_error
from sipgw.ops.media_metrics import LagCollector, Lateness, MediaCollector, Workers
from sipgw.ops.record_metrics import RecordCollector, RecordCounts
from sipgw.ops.sip_metrics import PhoneCollector, RegistrationCollector
from sipgw.trace import Mark, Note

_REQUEST_LIMIT = 5.0
"""Seconds a scraper may take to ask."""
_REQUEST_BYTES = 8192
_DELAYS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


class Metrics:
    """What the gateway counts. A label's values are closed vocabularies: causes, layers, reasons, names of errors."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter(
            "sipgw_calls", "Calls that ended, by whether they were answered and why.", ("outcome", "cause"),
            registry=self.registry,
        )  # fmt: skip
        self._active = Gauge("sipgw_calls_active", "Calls that are up or ringing.", registry=self.registry)
        self._seconds = Counter("sipgw_call_seconds", "Seconds of answered calls.", registry=self.registry)
        self._first_audio = Histogram(
            "sipgw_first_audio_seconds", "From the answer to the first packet of the AI's speech.",
            buckets=_DELAYS, registry=self.registry,
        )  # fmt: skip
        self._drops = Counter(
            "sipgw_drops", "What was dropped, by layer and reason.", ("layer", "reason"), registry=self.registry
        )
        self._send_errors = Counter(
            "sipgw_send_errors",
            "SIP messages the system refused to send, by error.",
            ("error",),
            registry=self.registry,
        )
        self._reload_worked = Gauge(
            "sipgw_config_last_reload_successful", "Whether the configuration was good when it was read last.",
            registry=self.registry,
        )  # fmt: skip
        self._reload_worked.set(1)
        self._alarms = Counter(
            "sipgw_alarms", "What an operator should look at, by name.", ("name",), registry=self.registry
        )
        self._bans = Counter(
            "sipgw_bans", "Sources that were banned, by their last offence.", ("reason",), registry=self.registry
        )
        self._banned = Gauge("sipgw_banned", "Sources that are banned.", registry=self.registry)
        self._turned_away: Tally[str] = Tally()
        self._dropped: Tally[tuple[str, str]] = Tally()

    def call_began(self) -> None:
        """An INVITE was taken on."""
        self._active.inc()

    def call_ended(
        self, cause: str, *, answered: bool, seconds: float = 0.0, first_audio_ms: int | None = None
    ) -> None:
        """A call that began is over.

        Args:
            cause: the record's name of the cause.
            answered: whether it ever was.
            seconds: from the answer to the end.
            first_audio_ms: from the answer to the AI's first packet, where there was one.
        """
        self._active.dec()
        self._calls.labels("answered" if answered else "refused", cause).inc()
        self._seconds.inc(max(seconds, 0.0))
        if first_audio_ms is not None:
            self._first_audio.observe(first_audio_ms / 1000)

    def turned_away(self, cause: str) -> None:
        """A call was refused without being taken on. A flood of them costs one dictionary entry each."""
        self._turned_away[cause] += 1

    def trace(self, note: Note) -> None:
        """A trace that counts drops. A flood of them costs one dictionary entry each; locks are taken at scrapes."""
        if note.mark is Mark.DROP:
            self._dropped[note.layer, note.name] += 1

    def dropped(self, layer: str, reason: str, count: int) -> None:
        """Something was dropped, elsewhere."""
        self._dropped[layer, reason] += count

    def watch_media(self, workers: Workers) -> None:
        """Show the media workers' counters from now on, as they are when somebody asks."""
        self.registry.register(MediaCollector(workers))

    def alarm(self, name: str) -> None:
        """Something happened that an operator should look at."""
        self._alarms.labels(name).inc()

    def banned(self, reason: str) -> None:
        """A source was banned."""
        self._bans.labels(reason).inc()

    def watch_bans(self, count: Callable[[], float]) -> None:
        """Show how many are banned from now on."""
        self._banned.set_function(count)

    def watch_records(self, counts: RecordCounts) -> None:
        """Show what became of call records."""
        self.registry.register(RecordCollector(counts))

    def watch_loop(self, lag: Lateness) -> None:
        """Show how late the loop is from now on."""
        self.registry.register(LagCollector(lag))

    def watch_registrations(self, up: Mapping[str, bool]) -> None:
        """Show from now on by trunk whether we are registered."""
        self.registry.register(RegistrationCollector(up))

    def watch_phones(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Show from now on by phone at how many places it is registered."""
        self.registry.register(PhoneCollector(counts))

    def send_error(self, name: str) -> None:
        """The system refused to send a SIP message."""
        self._send_errors.labels(name).inc()

    def reloaded(self, good: bool) -> None:
        """The configuration was read again."""
        self._reload_worked.set(good)

    def render(self) -> bytes:
        """All of it in Prometheus's text format."""
        taken, self._dropped = self._dropped, Tally()
        for (layer, reason), count in taken.items():
            self._drops.labels(layer, reason).inc(count)
        refused, self._turned_away = self._turned_away, Tally()
        for cause, count in refused.items():
            self._calls.labels("refused", cause).inc(count)
        return generate_latest(self.registry)

    async def serve(self, host: str, port: int) -> asyncio.Server:
        """Serve `/metrics` until the server returned is closed.

        Raises:
            Unavailable: the address cannot be bound; PortTaken where another program has the port.
        """
        try:
            return await asyncio.start_server(self._answer, host, port, limit=_REQUEST_BYTES)
        except OSError as error:
            raise bind_error(error, (host, port), "metrics.port", "SIPGW_METRICS_PORT") from None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        with contextlib.closing(writer):
            try:
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _REQUEST_LIMIT)
            except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
                return  # nobody there to be answered
            writer.write(self._response(head))
            with contextlib.suppress(ConnectionError):
                await writer.drain()

    def _response(self, head: bytes) -> bytes:
        method, path, *_ = [*head.split(b"\r\n", 1)[0].split(), b"", b""]
        if path.partition(b"?")[0] != b"/metrics":
            return _http("404 Not Found", b"It is at /metrics.\n")
        if method != b"GET":
            return _http("405 Method Not Allowed", b"GET only.\n")
        return _http("200 OK", self.render(), CONTENT_TYPE_LATEST)


def _http(status: str, body: bytes, kind: str = "text/plain; charset=utf-8") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
