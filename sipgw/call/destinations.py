"""Where RTP may go on the word of a description alone: no SDP can make us send to where its sender could not.

A place that may not be named is not used: media waits for the far end's packets, which show where it is. So a phone
that names the wrong address by mistake is heard and hears, and nobody gets us to shoot at this machine, at our own
calls or at a whole network.
"""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

from sipgw.flow import Endpoint, Networks
from sipgw.options import MediaOptions

_BROADCAST = Networks(["255.255.255.255", "240.0.0.0/4", "0.0.0.0/8"])


class Destinations:
    """The rule.

    Args:
        options: our addresses, and what is allowed in spite of all.
        ours: whether an RTP or RTCP port is one of ours now.
    """

    def __init__(self, options: MediaOptions, ours: Callable[[int], bool] = lambda port: False) -> None:
        self._allowed = Networks(options.allowed_destinations)
        self._hosts = {options.host, options.advertised, *options.hosts}
        self._everywhere = not self._hosts.isdisjoint(("0.0.0.0", "::"))
        self._ours = ours

    def objection(self, place: Endpoint, own: str, source: str) -> str:
        """Why nothing may be sent there, as a name for the trace; empty where nothing speaks against it.

        Args:
            place: what the description names, an IP address and a port.
            own: our address in the answer.
            source: where the far end's SIP comes from: who is on this machine, or on our link, may say so.
        """
        host, port = place
        if host in self._allowed:
            return ""
        address = ip_address(host)
        if self._is_our_host(address, own) and self._ours(port):
            return "own_port_named"
        for name, narrow in (("loopback_named", _loopback), ("link_local_named", _link_local)):
            if narrow(address) and not (source and narrow(ip_address(source))):
                return name
        return "multicast_named" if address.is_multicast else "broadcast_named" if host in _BROADCAST else ""

    def _is_our_host(self, address: IPv4Address | IPv6Address, own: str) -> bool:
        return str(address) in {own, *self._hosts} or (self._everywhere and address.is_loopback)


def _loopback(address: IPv4Address | IPv6Address) -> bool:
    return address.is_loopback


def _link_local(address: IPv4Address | IPv6Address) -> bool:
    return address.is_link_local
