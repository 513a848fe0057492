"""Reads from an INVITE who calls whom, and what others may know of it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sipgw.ai.carried import NOTHING, Carried
from sipgw.ai.events import CallFacts
from sipgw.call.advice import Question
from sipgw.call.caller import Caller, Drop, Reader, party
from sipgw.call.carried import carried, passed_on
from sipgw.options import CallOptions
from sipgw.sip.events import Invited


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who calls whom."""

    number: str
    """The caller's number, withheld or not: for what is decided in here, never for others."""
    caller: str
    """The same, or the user part or host that stands for it; `anonymous` where it is withheld."""
    caller_name: str
    called: str
    """The user part of the Request-URI, or its host where it has none."""
    sip_call_id: str
    source: str
    """The address the INVITE came from."""
    trunk: str
    """The trunk it came by; empty for somebody else."""
    headers: dict[str, str]
    """Those that the configuration lets through, names as they came; of repeated ones the first."""
    carried: Carried = NOTHING

    @classmethod
    def of(cls, event: Invited, options: CallOptions, drop: Drop) -> "Invitation":
        """Read an INVITE; `drop` hears of what is left out of it.

        Raises:
            PeerError: 400 where a header is malformed that a call cannot do without.
        """
        request = event.request
        reader = Reader(request, drop)
        caller = Caller.of(reader, event.identity)
        return cls(
            number=caller.number,
            caller=caller.shown_number,
            caller_name=caller.shown_name,
            called=party(request.target),
            sip_call_id=request.call_id,
            source=event.flow.remote[0],
            trunk=event.trunk,
            headers=passed_on(reader, caller, options),
            carried=carried(reader, caller, event.identity.believed),
        )

    def question(self, call: str, node: str, route: str, started: float) -> Question:
        """For a hook. `started` is a Unix time."""
        return Question(
            call=call,
            node=node,
            route=route,
            trunk=self.trunk,
            caller=self.caller,
            caller_name=self.caller_name,
            called=self.called,
            source=self.source,
            headers=self.headers,
            sip_call_id=self.sip_call_id,
            started=_written(started),
            carried=self.carried,
        )

    def facts(self, call: str, codec: str, started: float, variables: dict[str, str], instructions: str) -> CallFacts:
        """For the backend. `started` is a Unix time."""
        return CallFacts(
            call=call,
            caller=self.caller,
            called=self.called,
            caller_name=self.caller_name,
            headers=self.headers,
            sip_call_id=self.sip_call_id,
            codec=codec,
            started=_written(started),
            variables=variables,
            instructions=instructions,
            carried=self.carried,
        )


def _written(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds")
