"""Where a SIP URI leads: transport, address and port, the best first (RFC 3263, RFC 2782).

A pure core written as a generator: it yields questions for the DNS and is sent the answers.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from sipgw.errors import PeerError
from sipgw.sip.paths import address_of
from sipgw.sip.uri import Uri

_SERVICES = {"SIPS+D2T": "tls", "SIP+D2T": "tcp", "SIP+D2U": "udp", "SIP+D2W": "ws", "SIPS+D2W": "wss"}
"""NAPTR services (RFC 3263 section 4.1, RFC 7118 section 6)."""
_PREFIXES = {"tls": "_sips._tcp", "tcp": "_sip._tcp", "udp": "_sip._udp"}
_PORTS = {"tls": 5061}
_MOST = 16
"""Places taken from one URI, at most: a zone may list as many as it likes."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question: `NAPTR`, `SRV`, `A` or `AAAA` of a name."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Naptr:
    """A NAPTR record (RFC 3403)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Srv:
    """An SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


Record = Naptr | Srv | str
"""An A or AAAA record is its address."""
Answers = Sequence[Record]
"""Empty where there is no such record, and where nobody answered."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place to send to."""

    transport: str
    address: str
    port: int
    name: str
    """What a TLS certificate has to prove: the name in the URI, not one that the DNS led to (RFC 3263 section 4.1)."""


Lookup = Generator[Question, Answers, tuple[Place, ...]]


def locate(uri: Uri, transports: Sequence[str], families: Sequence[str], random: Random) -> Lookup:
    """Ask for the places of `uri`.

    Args:
        uri: `sip:` or `sips:`.
        transports: those we can call over, the preferred first.
        families: `A`, `AAAA` or both: the kinds of addresses we can send to.
        random: for the weights of SRV records.

    Raises:
        PeerError: 416 for another scheme, 480 where its transport is none of ours.
    """
    if uri.scheme not in ("sip", "sips"):
        raise PeerError(416)
    secure = uri.scheme == "sips"
    usable = [one for one in transports if not secure or one in ("tls", "wss")]
    wanted = (uri.param("transport") or "").lower()
    if secure and wanted == "tcp":
        wanted = "tls"
    if (wanted and wanted not in usable) or not usable:
        raise PeerError(480, f"No Transport For {wanted or uri.scheme}")
    name = uri.host.strip("[]").rstrip(".")
    default = wanted or ("tls" if secure else "udp" if "udp" in usable else usable[0])
    if (address := address_of(uri.host)) is not None:
        return (Place(default, str(address), uri.port or _PORTS.get(default, 5060), name),)
    if uri.port is not None:
        return (yield from _hosts([(default, name, uri.port)], name, families))
    services = [(wanted, f"{_PREFIXES[wanted]}.{name}")] if wanted in _PREFIXES else (yield from _naptr(name, usable))
    servers = yield from _servers(services, random)
    if not servers:
        servers = [(default, name, _PORTS.get(default, 5060))]
    return (yield from _hosts(servers, name, families))


def _naptr(name: str, usable: Sequence[str]) -> Generator[Question, Answers, list[tuple[str, str]]]:
    """Transports and SRV names: by the zone's NAPTR records, or else by ours."""
    answers = yield Question("NAPTR", name)
    records = sorted(
        (one for one in answers if isinstance(one, Naptr) and one.flags.lower() == "s"),
        key=lambda one: (one.order, one.preference),
    )
    found = [(_SERVICES.get(one.service.upper(), ""), one.replacement.rstrip(".")) for one in records]
    named = [(transport, replacement) for transport, replacement in found if transport in usable]
    return named or [(one, f"{_PREFIXES[one]}.{name}") for one in usable if one in _PREFIXES]


def _servers(
    services: Iterable[tuple[str, str]], random: Random
) -> Generator[Question, Answers, list[tuple[str, str, int]]]:
    """Transport, host and port of each SRV record, in the order to be tried."""
    found: list[tuple[str, str, int]] = []
    for transport, service in services:
        answers = yield Question("SRV", service)
        records = [one for one in answers if isinstance(one, Srv)]
        if [one.target for one in records] == ["."]:
            continue  # the zone says that there is no such service (RFC 2782)
        found += [(transport, one.target.rstrip("."), one.port) for one in weighted(records, random)]
    return found


def weighted(records: Iterable[Srv], random: Random) -> list[Srv]:
    """In the order of priority; those of the same by luck, each as likely as its weight (RFC 2782)."""
    ordered: list[Srv] = []
    left = sorted(records, key=lambda one: (one.priority, one.weight))
    while left:
        same = [one for one in left if one.priority == left[0].priority]
        # A weight of nothing still has a small chance, as it stands first.
        at = random.randint(0, sum(one.weight for one in same))
        chosen = next(one for one, upto in zip(same, _sums(same), strict=True) if upto >= at)
        ordered.append(chosen)
        left.remove(chosen)
    return ordered


def _sums(records: Sequence[Srv]) -> list[int]:
    sums, total = [], 0
    for one in records:
        total += one.weight
        sums.append(total)
    return sums


def _hosts(
    servers: Sequence[tuple[str, str, int]], name: str, families: Sequence[str]
) -> Generator[Question, Answers, tuple[Place, ...]]:
    """The places of hosts, by their addresses."""
    places: list[Place] = []
    for transport, host, port in servers:
        addresses: list[Record] = []
        for family in families:
            addresses += yield Question(family, host)
        places += [Place(transport, str(address), port, name) for address in addresses if isinstance(address, str)]
        if len(places) >= _MOST:
            break
    return tuple(dict.fromkeys(places))[:_MOST]
