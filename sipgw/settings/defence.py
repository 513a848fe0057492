"""The keys of `sip.defence`."""

from typing import Annotated

from pydantic import Field

from sipgw.options import DefenceOptions
from sipgw.settings.section import Seconds, Section

Count = Annotated[int, Field(ge=0)]


class Defence(Section):
    """How much those may ask of us whom no trunk's or route's `sources` name. 0 is no limit."""

    messages_per_second: Count = 1000
    """SIP messages of one source (an IPv4 address, or an IPv6 /64); a second's worth may come at once."""
    unproven_messages_per_second: Count = 4000
    """SIP messages of all sources that have had no call with us in the last hour, together."""
    half_open: Count = 2000
    """INVITEs that wait for our answer or for its ACK, of all sources."""
    half_open_per_source: Count = 250
    """The same of one source; more get 503."""
    transactions: Count = 20_000
    """SIP transactions at a time; beyond that nothing new is begun, with 503."""
    offences: Count = 20
    """So many within `offence_seconds`, and the source is banned: messages that are none, wrong passwords, numbers that
    are not there, calls never acknowledged, seconds with too many messages. 0: nobody is banned."""
    offence_seconds: Seconds = 60.0
    """In which offences are counted."""
    ban_seconds: Seconds = 600.0
    """How long nothing is taken from a source that is banned."""
    never_banned: tuple[str, ...] = ()
    """Addresses and ranges, as `192.0.2.0/24`, for which none of these limits is."""

    def options(self) -> DefenceOptions:
        """As the agent sees it."""
        return DefenceOptions(**self.model_dump())
