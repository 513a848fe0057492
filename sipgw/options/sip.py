"""What the SIP agent gets to see of the settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SipOptions:
    """The SIP agent's view."""

    host: str = "127.0.0.1"
    """Address the UDP listener binds."""
    port: int = 5060
    advertised: str = ""
    """Host put into Via and Contact; empty means `host`."""
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
