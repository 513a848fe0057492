"""Where messages go, and what we call ourselves in them (RFC 3261 section 18.2.2 and 12.2.1.1, RFC 3581).

The rule for a request within a dialog: its next hop is the first route, or else the peer's Contact. It goes there where
that is an IP address which can be right. It goes to where the peer was last heard from, where the next hop

- is a name (a core does not resolve), or wants another transport than the dialog's;
- is no address of one host: unspecified, broadcast, multicast;
- is a private address while the peer's messages come from a public one, or a loopback or link-local one while they
  come from elsewhere;
- is that of a peer whose Via named another address than it sends from, or that we called elsewhere than at the address
  it registered: it sits behind a NAT, and so does its Contact.

A trunk's `nat` may decide it otherwise: `always` to where the peer was last heard from, `never` by the last two points.
"""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

from sipgw.flow import Flow
from sipgw.options import SECURE, ListenerOptions, Nat, SipOptions
from sipgw.sip.message import Request, Response
from sipgw.sip.uri import Uri
from sipgw.sip.values import same_address

DEFAULT_PORT = {"tls": 5061, "wss": 443, "ws": 80}
"""Ports that are not 5060, by transport."""

_TRANSPORT = {
    "udp": "",
    "tcp": ";transport=tcp",
    "tls": ";transport=tls",
    # There is no other name for either (RFC 7118 section 5.2.4).
    "ws": ";transport=ws",
    "wss": ";transport=ws",
}
"""The parameter of a URI that leads to us, by transport."""


def listener_of(options: SipOptions, flow: Flow) -> ListenerOptions | None:
    """The listener a flow belongs to; None where none such is configured, as with a test phone's."""
    return next((one for one in options.listeners if (one.transport, one.local) == (flow.transport, flow.local)), None)


def beside(options: SipOptions, flow: Flow, transport: str) -> Flow | None:
    """Between the same two hosts over another transport, from our listener for it; None where there is none."""
    for one in options.listeners:
        if one.transport == transport and one.host == flow.local[0]:
            return Flow(transport, one.local, flow.remote)
    return None


Naming = Callable[[Flow], str]
"""Takes a flow: by which host its far end reaches us."""


def as_configured(options: SipOptions) -> Naming:
    """By what the listener advertises, or else binds."""

    def named(flow: Flow) -> str:
        listener = listener_of(options, flow)
        return (listener and listener.advertised) or flow.local[0]

    return named


def sent_by(host: str, flow: Flow) -> str:
    """We, as in Via and Contact, for messages on `flow` whose far end reaches us by `host`."""
    return f"{bracketed(host).lower()}:{flow.local[1]}"


def contact(host: str, flow: Flow, *, user: str = "", secure: bool = False) -> str:
    """The URI of our Contact on `flow`.

    Args:
        host: by which its far end reaches us.
        flow: of the message.
        user: the user part; may be empty.
        secure: a SIPS URI is asked for; it is given where we can be reached so. It needs no `transport=tls`.
    """
    secure = secure and flow.transport in SECURE
    scheme = "sips" if secure else "sip"
    transport = "" if secure and flow.transport == "tls" else _TRANSPORT[flow.transport]
    return f"{scheme}:{user and user + '@'}{sent_by(host, flow)}{transport}"


def via(host: str, flow: Flow, branch: str) -> str:
    """Our Via on `flow`; it asks for the response to come back the same way (RFC 3581)."""
    return f"SIP/2.0/{flow.transport.upper()} {sent_by(host, flow)};rport;branch={branch}"


def asks_for_sips(request: Request) -> bool:
    """Whether the Contact in a response to `request` is to be a SIPS URI (RFC 3261 section 12.1.1)."""
    named = request.record_routes[0] if request.record_routes else request.contact
    return "sips" in (request.target.scheme, named and named.uri.scheme)


def bracketed(host: str) -> str:
    """An IPv6 address in the brackets that SIP wants around it."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def response_flow(request: Request, source: Flow) -> Flow:
    """Where responses to `request` go: back to its source, to the port that its Via names unless it says rport."""
    if source.reliable or request.via.wants_rport:
        return source
    port = request.via.port or DEFAULT_PORT.get(source.transport, 5060)
    return Flow(source.transport, source.local, (source.remote[0], port))


def is_behind_nat(message: Request | Response, source: Flow) -> bool:
    """Whether the peer names itself by another address than it sends from."""
    if isinstance(message, Response):
        return False
    via = message.via
    return address_of(via.host) is not None and not same_address(via.host, source.remote[0])


def is_sent_elsewhere(request: Request, flow: Flow) -> bool:
    """Whether a request of ours went to another address than it names, and to no proxy.

    That is how a phone behind a NAT is called: at the source of its REGISTER. Its Contact in what it answers is no
    better than the one that it registered.
    """
    host = request.target.host
    return address_of(host) is not None and not same_address(host, flow.remote[0]) and not request.routes


def next_hop(uri: Uri, flow: Flow, *, behind_nat: bool, nat: Nat = "auto", gone: bool = False) -> Flow:
    """The flow for a request whose next hop is `uri`, in a dialog whose peer was last heard on `flow`.

    A connection that is there is used; where it is `gone`, another is made to the address the peer named.
    """
    behind_nat = nat == "always" or (behind_nat and nat == "auto")
    wanted = (uri.param("transport") or flow.transport).lower()
    there, here = address_of(uri.host), address_of(flow.remote[0])
    if behind_nat or (flow.reliable and not gone) or there is None or here is None or wanted != flow.transport:
        return flow
    if there.is_unspecified or there.is_multicast or str(there) == "255.255.255.255":
        return flow
    if there.version != here.version or (nat == "auto" and _scope(there) < _scope(here)):
        return flow
    port = uri.port or DEFAULT_PORT.get(flow.transport, 5060)
    return Flow(flow.transport, flow.local, (str(there), port), flow.names)


def _scope(address: IPv4Address | IPv6Address) -> int:
    """How far an address is known: on its host, on its link, in its network, everywhere."""
    narrow = (address.is_loopback, address.is_link_local, address.is_private)
    return narrow.index(True) if True in narrow else len(narrow)


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """`host` as an IP address, None for a name."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None
