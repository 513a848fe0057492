"""What the SIP agent gets to see of `sip.defence`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DefenceOptions:
    """How much those may ask of us whom the configuration does not name by address. 0 is no limit."""

    messages_per_second: int = 1000
    """Of one source; a second's worth may come at once."""
    unproven_messages_per_second: int = 4000
    """Of all sources together that have not shown yet that they get what we send them."""
    half_open: int = 2000
    """INVITEs that wait for our answer or for the ACK to it, of all sources."""
    half_open_per_source: int = 250
    transactions: int = 20_000
    """At a time; beyond that nothing new is begun for them."""
    offences: int = 20
    """Within `offence_seconds`: then its source is banned. 0: nobody is."""
    offence_seconds: float = 60.0
    ban_seconds: float = 600.0
    never_banned: tuple[str, ...] = ()
    """Addresses and ranges that no limit here is for, as it is for none of the trunks' and routes' `sources`."""
