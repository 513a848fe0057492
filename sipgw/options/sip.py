"""What the SIP agent and its transports get to see of the settings."""

from dataclasses import dataclass, field

from sipgw.options.defence import DefenceOptions
from sipgw.options.media import AddressOptions
from sipgw.options.phone import PhoneOptions
from sipgw.options.trunk import TrunkOptions

SECURE = frozenset({"tls", "wss"})
"""Transports that need a certificate."""


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How one listener proves itself, and whom it believes."""

    certificate: str = ""
    """PEM file: the certificate and what it takes to believe it; empty where we only call others."""
    private_key: str = ""
    """PEM file; empty where it is in `certificate` as well."""
    authorities: str = ""
    """PEM file of further authorities that a peer's certificate may come from; the system's count as well."""
    clients: str = "none"
    """Whether who connects to us must have a certificate: `none`, `optional` or `required`."""
    minimum: str = "1.2"
    """The oldest version: `1.2` or `1.3`."""
    further: tuple[tuple[str, str], ...] = ()
    """More certificates and keys: which is shown is for the name to say that the peer asks for (SNI, RFC 6066)."""


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """One place where SIP is spoken."""

    transport: str = "udp"
    """`udp`, `tcp`, `tls`, `ws` or `wss`."""
    host: str = "127.0.0.1"
    """Address it binds."""
    port: int = 5060
    advertised: str = ""
    """Address or name put into Via and Contact; empty means `host`."""
    media: tuple[AddressOptions, ...] = (AddressOptions(),)
    """Where the RTP of its calls goes in and out: the first of the family that the far end speaks."""
    tls: TlsOptions = TlsOptions()
    origins: tuple[str, ...] = ()
    """Web pages that may connect over WebSocket, as `https://phone.example.com`; `*` for all (RFC 6454)."""

    @property
    def local(self) -> tuple[str, int]:
        """What it binds."""
        return self.host, self.port


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """Patience and limits of TCP, TLS and WebSocket connections."""

    connections: int = 2000
    """At a time, over all listeners."""
    connections_per_source: int = 100
    handshake_limit: float = 10.0
    """For a connection to be made, and for TLS to agree."""
    message_limit: float = 10.0
    """For a message that has begun to be complete: who feeds it in drops is cut off."""
    idle_limit: float = 600.0
    """Without a word from the peer; keep-alives count."""
    keep_alive: float = 30.0
    """Between pings on connections that we opened (RFC 5626 section 3.5.1)."""
    pong_limit: float = 10.0
    """For the answer to a ping, once the peer has ever answered one."""
    backlog_bytes: int = 1 << 20
    """Unsent bytes at which a peer that does not read is cut off."""
    dscp: int = 24
    """Class of service of what leaves, as for datagrams."""


@dataclass(frozen=True, slots=True)
class RedirectOptions:
    """How far calls of ours that are redirected (3xx) are followed."""

    limit: int = 5
    """Places tried after the first; 0 follows none."""
    hosts: tuple[str, ...] = ()
    """Where to, besides the host called first: names, `*.domain`, addresses, ranges, or `*` for anywhere."""


@dataclass(frozen=True, slots=True)
class SipOptions:
    """The SIP agent's view."""

    listeners: tuple[ListenerOptions, ...] = (ListenerOptions(), ListenerOptions("tcp"))
    user_agent: str = "sipgw"
    node: str = "n1"
    """Names this node in the Call-IDs and tags it makes."""
    t1: float = 0.5
    """Round-trip estimate (RFC 3261 section 17.1.1.1)."""
    t2: float = 4.0
    """Longest interval between repeats of a non-INVITE request or a 2xx."""
    t4: float = 5.0
    """Longest a message stays in the network."""
    max_message_bytes: int = 65_535
    dscp: int = 24
    """Class of service of the datagrams that leave (RFC 2474): CS3 (RFC 4594 section 4.2)."""
    session_expires: int = 1800
    """Seconds after which a call that nobody refreshed is over (RFC 4028); 0: we ask for no session timer."""
    min_session_expires: int = 90
    """The least that a peer may ask for."""
    min_register_expires: int = 60
    """The least that a phone may register for (RFC 3261 section 10.3)."""
    max_register_expires: int = 3600
    """What a phone gets that asks for more, or does not say."""
    datagram_limit_bytes: int = 1300
    """Larger requests go over TCP where there is a listener for it (RFC 3261 section 18.1.1)."""
    dns_servers: tuple[str, ...] = ()
    """Whom to ask for the addresses of registrars and targets; empty for the system's."""
    streams: StreamOptions = StreamOptions()
    redirects: RedirectOptions = RedirectOptions()
    trunks: tuple[TrunkOptions, ...] = ()
    phones: tuple[PhoneOptions, ...] = ()
    known: tuple[str, ...] = ("0.0.0.0/0", "::/0")
    """Addresses and ranges that get answers, besides those of trunks."""
    realm: str = "sipgw"
    """What we call ourselves to those who have to prove who they are."""
    algorithms: tuple[str, ...] = ("SHA-256", "MD5")
    """Of digest, as we ask for them: the preferred first."""
    strangers: str = "silence"
    """What those get who are not known: `silence`, or `refuse` (403)."""
    defence: DefenceOptions = field(default_factory=DefenceOptions)
