"""The keys of `sip`."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from sipgw.options import (
    AddressOptions,
    ListenerOptions,
    PhoneOptions,
    RedirectOptions,
    SipOptions,
    StreamOptions,
    TlsOptions,
    TrunkOptions,
)
from sipgw.settings.addresses import media_of, plain
from sipgw.settings.defence import Defence
from sipgw.settings.section import Dscp, Port, Seconds, Section

Transport = Literal["udp", "tcp", "tls", "ws", "wss"]


class Certificate(Section):
    """A certificate and its key."""

    certificate: str
    """PEM file: the certificate, and those that it takes to believe it."""
    private_key: str = ""
    """PEM file of its key, where that is not in the same."""


class Listener(Section):
    """One more place where SIP is spoken."""

    transport: Transport
    """`udp`, `tcp`, `tls`, `ws` or `wss` (SIP over WebSocket, for browsers)."""
    host: str = ""
    """IP address to listen on; that of `sip` where it is left out."""
    port: Port
    """Port to listen on."""
    advertised: str = ""
    """Address or name others reach it at; goes into Via and Contact. Some carriers want a name: Teams does."""
    media_host: str = ""
    """IP address of the RTP of its calls; left out: that of `media`, or `host` where that is of another family."""
    media_advertised: str = ""
    """Address put into the SDP of its calls, where it differs from `media_host` or is not that of `media`."""
    certificate: str = ""
    """tls and wss: PEM file with the certificate to show, and those that it takes to believe it."""
    private_key: str = ""
    """tls and wss: PEM file with its key, where that is not in the same."""
    authorities: str = ""
    """tls and wss: PEM file of further authorities that a peer's certificate may come from."""
    clients: Literal["none", "optional", "required"] = "none"
    """tls and wss: whether who connects must have a certificate of an authority we believe."""
    minimum: Literal["1.2", "1.3"] = "1.2"
    """tls and wss: the oldest version of TLS."""
    further: tuple[Certificate, ...] = ()
    """tls and wss: more certificates; which is shown is for the name that the peer asks for."""
    origins: tuple[str, ...] = ()
    """ws and wss: web pages that may connect, such as `https://phone.example.com`; `*` for all."""

    def options(self, host: str, media: AddressOptions) -> ListenerOptions:
        """As the transports see it; `host` is that of `sip`, `media` where RTP goes unless it says otherwise."""
        here = plain(self.host or host)
        further = tuple((one.certificate, one.private_key) for one in self.further)
        tls = TlsOptions(self.certificate, self.private_key, self.authorities, self.clients, self.minimum, further)
        return ListenerOptions(
            self.transport, here, self.port, self.advertised,
            media_of(here, plain(self.media_host), self.media_advertised, media),
            tls, self.origins,
        )  # fmt: skip


class Streams(Section):
    """Patience and limits of TCP, TLS and WebSocket connections."""

    connections: Annotated[int, Field(ge=1)] = 2000
    """Connections at a time, over all listeners."""
    connections_per_source: Annotated[int, Field(ge=1)] = 100
    """Connections from one address at a time."""
    handshake_limit: Seconds = 10.0
    """Seconds for a connection to be made, and for TLS to agree."""
    message_limit: Seconds = 10.0
    """Seconds for a message that has begun to be complete; who feeds it in drops is cut off."""
    idle_limit: Seconds = 600.0
    """Seconds without a word after which a connection is closed; keep-alives count."""
    keep_alive: Seconds = 30.0
    """Seconds between pings on connections that we opened."""
    pong_limit: Seconds = 10.0
    """Seconds for the answer to a ping; a peer that never answers any is not held to it."""
    backlog_bytes: Annotated[int, Field(ge=65_536)] = 1_048_576
    """Unsent bytes at which a peer that does not read is cut off."""


class Redirects(Section):
    """How far calls of ours that are redirected (3xx) are followed."""

    limit: Annotated[int, Field(ge=0, le=20)] = 5
    """Places tried after the first; 0 follows none."""
    hosts: tuple[str, ...] = ()
    """Where to, besides the host called first: names, `*.domain`, addresses, ranges, or `*` for anywhere."""


class Sip(Section):
    """Where SIP is spoken."""

    host: str = "127.0.0.1"
    """IP address to listen on."""
    port: Port = 5060
    """Port to listen on; SIPGW_SIP_PORT overrides it."""
    transports: tuple[Literal["udp", "tcp"], ...] = ("udp", "tcp")
    """What is spoken on `host` and `port`."""
    advertised: str = ""
    """Address others reach us at, where it differs from `host` (behind NAT); goes into Via and Contact."""
    listeners: tuple[Listener, ...] = ()
    """More places where SIP is spoken: other addresses, TLS, WebSocket."""
    user_agent: str = "sipgw"
    """What we call ourselves in User-Agent and Server."""
    t1: Seconds = 0.5
    """Estimate of the round trip to the far end (RFC 3261 timer T1)."""
    t2: Seconds = 4.0
    """Longest pause between repeats of a message (RFC 3261 timer T2)."""
    t4: Seconds = 5.0
    """How long a message may linger in the network (RFC 3261 timer T4)."""
    dscp: Dscp = 24
    """Class of service in the IP header of what leaves, 0 to 63: CS3 for signalling (RFC 4594)."""
    max_message_bytes: Annotated[int, Field(ge=1500, le=65_535)] = 65_535
    """Longer datagrams are dropped."""
    session_expires: Annotated[int, Field(ge=0)] = 1800
    """Seconds after which a call that nobody refreshed is over (RFC 4028); 0: we ask for no session timer."""
    min_session_expires: Annotated[int, Field(ge=90)] = 90
    """The least seconds that a peer may ask for; less gets 422."""
    min_register_expires: Annotated[int, Field(ge=10, le=3600)] = 60
    """The least seconds that a phone may register for; less gets 423."""
    max_register_expires: Annotated[int, Field(ge=60, le=86_400)] = 3600
    """Seconds after which a phone has to register again, where it asks for more."""
    datagram_limit_bytes: Annotated[int, Field(ge=500, le=65_535)] = 1300
    """Longer requests of ours go over TCP where we listen for it, as they would not fit one packet of the network."""
    realm: str = "sipgw"
    """What we call ourselves to those who have to prove by digest who they are."""
    algorithms: tuple[Literal["SHA-512-256", "SHA-256", "MD5"], ...] = ("SHA-256", "MD5")
    """Of digest, as we ask for them: the preferred first."""
    strangers: Literal["silence", "refuse"] = "silence"
    """What those get whom neither a trunk nor a route knows: `silence`, or `refuse` (403)."""
    dns_servers: tuple[str, ...] = ()
    """Name servers to ask for the addresses of registrars and targets, as `192.0.2.53` or `192.0.2.53:5353`."""
    streams: Streams = Field(default_factory=Streams)
    """Patience and limits of TCP, TLS and WebSocket connections."""
    redirects: Redirects = Field(default_factory=Redirects)
    """Calls of ours that are sent on elsewhere."""
    defence: Defence = Field(default_factory=Defence)
    """How much strangers and unknown callers may ask of us, and when they are shut out."""

    def options(
        self,
        node: str,
        media: AddressOptions,
        trunks: tuple[TrunkOptions, ...] = (),
        known: tuple[str, ...] = (),
        phones: tuple[PhoneOptions, ...] = (),
    ) -> SipOptions:
        """As the agent and its transports see it.

        Args:
            node: names it.
            media: where RTP goes, unless a listener says otherwise.
            trunks: who may send calls.
            known: addresses that get answers, besides those of trunks.
            phones: who may register.
        """
        apart = {"host", "port", "transports", "advertised", "listeners", "streams", "redirects", "defence"}
        return SipOptions(
            listeners=tuple(self._listeners(media)),
            node=node,
            streams=StreamOptions(**self.streams.model_dump(), dscp=self.dscp),
            redirects=RedirectOptions(**self.redirects.model_dump()),
            defence=self.defence.options(),
            trunks=trunks,
            phones=phones,
            known=known,
            **self.model_dump(exclude=apart),
        )

    def _listeners(self, media: AddressOptions) -> Iterator[ListenerOptions]:
        host = plain(self.host)
        for transport in self.transports:
            yield ListenerOptions(transport, host, self.port, self.advertised, media_of(host, "", "", media))
        for listener in self.listeners:
            yield listener.options(self.host, media)
