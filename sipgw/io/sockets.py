"""UDP sockets as the gateway wants them: non-blocking, marked for their class of service, with errors that help."""

import errno
import ipaddress
import socket

from sipgw.errors import Unavailable
from sipgw.flow import Endpoint


class PortTaken(Unavailable):
    """Another program has the port; the message says what moves ours."""


def udp_socket(address: Endpoint, dscp: int, receive_buffer_bytes: int) -> socket.socket:
    """A bound, non-blocking UDP socket. Port 0 takes any.

    Raises:
        OSError: it cannot be bound.
        Unavailable: the host is not an IP address.
    """
    host, port = address
    family = family_of(host)
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        # The kernel silently caps this at net.core.rmem_max.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        _bind(sock, (host, port), dscp)
    except BaseException:
        sock.close()
        raise
    return sock


def tcp_socket(address: Endpoint, dscp: int, backlog: int) -> socket.socket:
    """A listening, non-blocking TCP socket. Port 0 takes any.

    Raises:
        OSError: it cannot be bound.
        Unavailable: the host is not an IP address.
    """
    sock = socket.socket(family_of(address[0]), socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        # A restart must not wait for the connections of the process before.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(sock, address, dscp)
        sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock


def mark(sock: socket.socket, dscp: int) -> None:
    """Mark what leaves `sock` with a class of service (RFC 2474)."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)


def _bind(sock: socket.socket, address: Endpoint, dscp: int) -> None:
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    mark(sock, dscp)
    sock.bind(address)


def family_of(host: str) -> socket.AddressFamily:
    """AF_INET or AF_INET6 of an address literal.

    Raises:
        Unavailable: it is none.
    """
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        raise Unavailable(f"{host!r} is not an IP address") from None
    return socket.AF_INET6 if version == 6 else socket.AF_INET


def bind_error(error: OSError, address: Endpoint, key: str, variable: str) -> Unavailable:
    """What to tell whoever configured `address` under `key`; the environment's `variable` moves the port."""
    host, port = address
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    section = key.rpartition(".")[0]
    match error.errno:
        case errno.EADDRINUSE:
            return PortTaken(f"{where} is taken by another program; {variable} or {key} moves ours")
        case errno.EADDRNOTAVAIL:
            return Unavailable(f"{host} is not an address of this machine; set {section}.host to one that is")
        case errno.EACCES:
            return Unavailable(f"{where}: ports below 1024 are for root; {variable} or {key} moves ours")
    return Unavailable(f"{where} cannot be opened: {error.strerror}")
