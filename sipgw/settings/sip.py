"""The keys of `sip`."""

from typing import Annotated

from pydantic import Field

from sipgw.settings.section import Port, Seconds, Section


class Sip(Section):
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
