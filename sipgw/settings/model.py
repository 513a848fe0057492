"""Every key of the configuration: its type, its default and what it means."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from sipgw.options import BackendOptions, CallOptions, MediaOptions, RouteOptions, SipOptions
from sipgw.settings.dialects import USUAL, Usual
from sipgw.settings.secrets import hide, secrets_in

Port = Annotated[int, Field(ge=1, le=65_535)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Wait = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        coerce_numbers_to_str=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )


class Sip(_Section):
    """Where SIP is spoken."""

    host: str = "127.0.0.1"
    """IP address to listen on for SIP over UDP."""
    port: Port = 5060
    """UDP port to listen on; SIPGW_SIP_PORT overrides it."""
    advertised: str = ""
    """Address others reach us at, where it differs from `host` (behind NAT); goes into Via and Contact."""
    user_agent: str = "sipgw"
    """What we call ourselves in User-Agent and Server."""
    t1: Seconds = 0.5
    """Estimate of the round trip to the far end (RFC 3261 timer T1)."""
    t2: Seconds = 4.0
    """Longest pause between repeats of a message (RFC 3261 timer T2)."""
    t4: Seconds = 5.0
    """How long a message may linger in the network (RFC 3261 timer T4)."""
    max_message_bytes: Annotated[int, Field(ge=1500, le=65_535)] = 65_535
    """Longer datagrams are dropped."""


class Media(_Section):
    """Where RTP goes in and out."""

    host: str = "127.0.0.1"
    """IP address of the RTP sockets."""
    advertised: str = ""
    """Address put into SDP, where it differs from `host` (behind NAT)."""
    ports: Annotated[str, Field(pattern=r"^\d{1,5}-\d{1,5}$")] = "20000-29999"
    """First and last UDP port for RTP and RTCP; a call takes two. SIPGW_MEDIA_PORTS overrides it."""
    port_rest: Wait = 5.0
    """Seconds a pair of ports rests after a call."""
    codecs: tuple[Literal["PCMU", "PCMA"], ...] = ("PCMU", "PCMA")
    """Codecs we take, the preferred first."""
    ptime_ms: Literal[10, 20, 30, 40, 60] = 20
    """Milliseconds of sound in each packet we send, where the far end does not ask for another length."""
    first_packet_timeout: Seconds = 30.0
    """Seconds an answered call may stay without its first packet."""
    inactivity_timeout: Seconds = 30.0
    """Seconds without any packet after which a call is ended; not while it is on hold."""
    reorder_wait_ms: Annotated[int, Field(ge=0, le=500)] = 40
    """Milliseconds a missing packet is waited for before it is concealed."""
    fill_after_ms: Annotated[int, Field(ge=20, le=2000)] = 60
    """Milliseconds without packets after which the AI is sent silence instead."""
    relatch_after_ms: Annotated[int, Field(ge=20, le=60_000)] = 500
    """Milliseconds the caller's address must be silent before packets from another are taken in its place."""

    @property
    def range(self) -> tuple[int, int]:
        """First and last port."""
        first, _, last = self.ports.partition("-")
        return int(first), int(last)


class Calls(_Section):
    """Limits and patience."""

    max_calls: Annotated[int, Field(ge=0)] = 0
    """Calls at a time; 0: as many as there are ports. More get 503 with Retry-After."""
    first_rtp_wait: Wait = 0.3
    """Seconds after the ACK to wait for the caller's first packet before the AI may begin to speak."""
    farewell_limit: Wait = 10.0
    """Seconds a hang-up by the AI waits for its last words to be played."""
    drain_limit: Wait = 300.0
    """Seconds running calls may go on after SIGTERM."""
    retry_after: Annotated[int, Field(ge=0)] = 30
    """Seconds callers are told to wait when they are refused because we are full or stopping."""


class Log(_Section):
    """What is written to standard error."""

    format: Literal["console", "json"] = "console"
    """`console` for people, `json` for machines."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """`info` is a line at answer and one at the end; `debug` every message, and every drop with its reason."""


class Metrics(_Section):
    """Prometheus counters over HTTP, at `/metrics`."""

    host: str = "127.0.0.1"
    """IP address to serve them on."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """TCP port; 0: not served. SIPGW_METRICS_PORT overrides it."""


class Backend(_Section):
    """One AI that can take calls."""

    dialect: str
    """What it speaks: `sipgw`, `openai-realtime`, or one built in: `echo`, `demo`, `tone`."""
    url: str = ""
    """Where it listens: `ws://…` or `wss://…`."""
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    """Sent when the WebSocket is opened; never printed or logged."""
    ca_file: str = ""
    """PEM file of further authorities that its certificate may come from; the system's count as well."""
    audio: Literal["pcm16/24000", "pcm16/16000", "pcm16/8000", "pcmu/8000", "pcma/8000"] = "pcm16/24000"
    """Sound on its side: encoding and samples a second."""
    barge_in: Literal["backend", "local", "both", "off"] | None = None
    """Who notices that the caller interrupts: the `backend`, our own voice detection (`local`), `both`, or `off`."""
    live: bool | None = None
    """Its sound comes in real time (an echo, a person), so a standing queue is delay and gets trimmed."""
    connect_timeout: Seconds = 5.0
    """Seconds to connect and set the session up."""
    ping_interval: Seconds = 20.0
    """Seconds between WebSocket pings."""
    ping_timeout: Seconds = 20.0
    """Seconds to wait for the pong before the connection counts as lost."""
    reconnects: Annotated[int, Field(ge=0, le=10)] = 0
    """How often a connection lost during a call is opened again."""
    settings: dict[str, object] = Field(default_factory=dict)
    """What only this dialect understands: model, voice, instructions …"""

    def options(self, name: str) -> BackendOptions:
        """As the layers below see it, with what its dialect sets where the file says nothing."""
        usual = USUAL.get(self.dialect, Usual())
        values = self.model_dump(exclude={"headers", "barge_in", "live"})
        headers = {header: value.get_secret_value() for header, value in self.headers.items()}
        return BackendOptions(
            name=name,
            **values,
            headers=headers,
            barge_in=self.barge_in or usual.barge_in,
            live=usual.live if self.live is None else self.live,
        )


class Route(_Section):
    """Which calls go where. The first route that fits takes the call."""

    number: str = "*"
    """The called number or name: exact, a prefix such as `+49*`, or `*` for any."""
    targets: tuple[str, ...]
    """Backends, tried in this order."""
    anyone: bool = False
    """Take calls from any address. Only where nobody else can reach us."""
    sources: tuple[str, ...] = ()
    """Addresses or ranges that may call, such as `203.0.113.0/24`; all others get 403."""
    target_timeout: Seconds = 5.0
    """Seconds a target may take to get ready before the next is tried."""
    ring: bool = True
    """Ring (180) while a target gets ready."""
    last_resort: str = "apology"
    """When no target works: `apology` answers and says so, a SIP code such as `503` refuses."""
    max_duration: Seconds = 14_400.0
    """Seconds after which a call is ended."""


class Settings(_Section):
    """The whole configuration."""

    node: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,16}$")] = "n1"
    """Names this gateway in the Call-IDs it makes; letters, digits and `-`."""
    workers: int | Literal["auto"] = 0
    """Processes for media; 0 is the only choice yet: media runs in the main process."""
    sip: Sip = Field(default_factory=Sip)
    """Where SIP is spoken."""
    media: Media = Field(default_factory=Media)
    """Where RTP goes in and out."""
    calls: Calls = Field(default_factory=Calls)
    """Limits and patience."""
    log: Log = Field(default_factory=Log)
    """What is written to standard error."""
    metrics: Metrics = Field(default_factory=Metrics)
    """Prometheus counters."""
    backends: dict[str, Backend]
    """The AIs that can take calls, by names of your choice."""
    routes: tuple[Route, ...]
    """Which calls go where, first fit."""

    @field_validator("workers")
    @classmethod
    def _only_one_process(cls, value: int | str) -> int | str:
        if value != 0:
            raise ValueError("is not possible yet: this version runs media in the main process; set workers: 0")
        return value

    def sip_options(self) -> SipOptions:
        """What the SIP agent gets to see."""
        return SipOptions(node=self.node, **self.sip.model_dump())

    def media_options(self) -> MediaOptions:
        """What the media plane gets to see."""
        first, last = self.media.range
        return MediaOptions(first_port=first, last_port=last, **self.media.model_dump(exclude={"ports"}))

    def call_options(self) -> CallOptions:
        """What the call core gets to see."""
        routes = tuple(RouteOptions(**route.model_dump()) for route in self.routes)
        return CallOptions(node=self.node, routes=routes, backends=tuple(self._backends()), **self.calls.model_dump())

    def secrets(self) -> frozenset[str]:
        """Every value that must not be printed or logged."""
        return frozenset(secret for backend in self._backends() for secret in secrets_in(backend))

    def printable(self) -> dict[str, object]:
        """The configuration in force, secrets masked."""
        printed = self.model_dump(mode="json")
        secrets = self.secrets()
        return {key: hide(value, secrets) for key, value in printed.items()}

    def _backends(self) -> Iterator[BackendOptions]:
        for name, backend in self.backends.items():
            yield backend.options(name)
