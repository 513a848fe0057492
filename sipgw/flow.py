"""Where a SIP message came from or goes to: the identity of one transport path (RFC 3261 section 18, RFC 5626)."""

from dataclasses import dataclass

Endpoint = tuple[str, int]
"""Host (an IP address literal) and port."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One path between a listener of ours and a peer.

    A dialog's requests leave from the listener they came in on, so the path names both ends.
    """

    transport: str
    """`udp`, `tcp`, `tls`, `ws` or `wss`."""
    local: Endpoint
    remote: Endpoint

    @property
    def reliable(self) -> bool:
        """Whether the transport repeats lost data itself (RFC 3261 section 17)."""
        return self.transport != "udp"

    def __str__(self) -> str:
        host, port = self.remote
        return f"{self.transport}:[{host}]:{port}" if ":" in host else f"{self.transport}:{host}:{port}"
