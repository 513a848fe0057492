"""Reads from an INVITE who calls whom, and what a backend may know of it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sipgw.ai.events import CallFacts
from sipgw.call.advice import Question
from sipgw.sip.events import Invited
from sipgw.sip.uri import Uri

_NUMBER = re.compile(r"(\+?[0-9*#().\-]*[0-9*#][().\-]*)(?:;|\Z)")
"""A telephone number, and then parameters or nothing; `alice;day=tuesday` is a name (RFC 3261 section 19.1.2)."""
_SEPARATORS = str.maketrans("", "", "().-")
_PASSED_ON = "user-to-user"
"""Besides `X-*` (RFC 7433)."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who calls whom."""

    caller: str
    """The user part of From, or its host where it has none."""
    caller_name: str
    called: str
    """The user part of the Request-URI, or its host where it has none."""
    sip_call_id: str
    source: str
    """The address the INVITE came from."""
    trunk: str
    """The trunk it came by; empty for somebody else."""
    headers: dict[str, str]
    """`X-*` and `User-to-User`, names as they came; of repeated ones the first."""

    @classmethod
    def of(cls, event: Invited) -> "Invitation":
        """Read an INVITE.

        Raises:
            PeerError: 400 where a header is malformed.
        """
        request = event.request
        return cls(
            caller=party(request.from_.uri),
            caller_name=request.from_.display,
            called=party(request.target),
            sip_call_id=request.call_id,
            source=event.flow.remote[0],
            trunk=event.trunk,
            headers=passed_on(request.headers),
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
        )


def _written(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds")


def party(uri: Uri) -> str:
    """How a party is called: its user or number, else its host.

    A number is told without what carriers put beside it (`;npdi`, `;rn=…`: RFC 4694) and without the separators that
    only people read (RFC 3966 section 5.1.1).
    """
    name = uri.user_text or uri.address
    number = _NUMBER.match(name)
    if number is None:
        return name
    readable = uri.scheme == "tel" or number[1].startswith("+")
    return number[1].translate(_SEPARATORS) if readable else number[1]


def passed_on(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers a backend gets."""
    found: dict[str, str] = {}
    for name, value in headers:
        if name.lower().startswith("x-") or name.lower() == _PASSED_ON:
            found.setdefault(name, value)
    return found
