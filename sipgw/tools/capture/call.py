"""Gathers the messages of one Call-ID, and says how the call went: delays, who ended it, how."""

from collections.abc import Iterable
from typing import NamedTuple

from sipgw.errors import PeerError
from sipgw.flow import Endpoint
from sipgw.sip.body import sdp_of
from sipgw.sip.message import Request, Response
from sipgw.sip.their_info import key_of
from sipgw.tools.capture.descriptions import Description, descriptions_of
from sipgw.tools.capture.model import CallTrace, Key, SipMessage
from sipgw.tools.capture.tcp import Path

CALLER, CALLEE = "caller", "callee"
OF_CALLS = frozenset({"INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "INFO", "REFER"})
"""Methods that belong to a call; others with a Call-ID are counted only."""
_MOST_MESSAGES = 5000
_CHALLENGES = (401, 407)


class Sighting(NamedTuple):
    """What matters of a message for the story of its call."""

    when: float
    source: Endpoint
    destination: Endpoint
    party: str
    """Who sent it."""
    method: str
    """Of the request, or of the request that a response is to."""
    status: int
    """0 for a request."""
    cseq: int
    initial: bool
    """Outside a dialog: To has no tag yet, or this is a response to such a request."""
    repeated: bool


class CallBuilder:
    """The messages of one Call-ID."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.messages: list[SipMessage] = []
        self.sightings: list[Sighting] = []
        self.descriptions: list[Description] = []
        self.keys: list[Key] = []
        self.left_out = 0
        """Messages beyond what is kept."""
        self._caller_tag: str | None = None
        self._caller = self._callee = ""
        self._initial: set[int] = set()
        self._seen: set[int] = set()

    def receive(
        self,
        when: float,
        path: Path,
        transport: str,
        data: bytes,
        message: Request | Response,
        number: int,
    ) -> list[Description]:
        """Take a message; returns the descriptions in it.

        Raises:
            PeerError: 400: a header that names its place in the call cannot be read.
        """
        sighting = self._sight(when, path, data, message)
        if len(self.messages) >= _MOST_MESSAGES:
            self.left_out += 1
            return []
        label = message.method if isinstance(message, Request) else f"{message.status} {message.reason}".strip()
        label = label if isinstance(message, Request) else f"{label} ({sighting.method})"
        self.messages.append(SipMessage(when, *path, transport, data, label, sighting.repeated, number))
        self.sightings.append(sighting)
        if sighting.repeated:
            return []
        self._press(message, sighting)
        return self._describe(message, sighting)

    @property
    def is_call(self) -> bool:
        """Whether an INVITE or a request within its dialog was seen."""
        return bool(self.sightings)

    def trace(self) -> CallTrace:
        """The story so far, without media."""
        invites = [s for s in self.sightings if s.method == "INVITE" and s.initial]
        began = next((s.when for s in invites if not s.status), None)
        final = _final(invites)
        answered = next((s.when for s in invites if 200 <= s.status < 300), None)
        ended, ended_by = self._ending(final)
        outcome = self._outcome(began, final)
        return CallTrace(
            self.call_id,
            tuple(self.messages),
            keys=tuple(self.keys),
            caller=self._caller,
            callee=self._callee,
            status=final.status if final else None,
            outcome=outcome,
            setup_delay=_delay(began, (s.when for s in invites if s.status > 100)),
            ringing_delay=_delay(began, (s.when for s in invites if s.status in (180, 183))),
            answer_delay=_delay(began, [answered] if answered is not None else []),
            answered=answered,
            ended=ended,
            ended_by=ended_by,
            retransmissions=sum(s.repeated for s in self.sightings),
        )

    def _sight(
        self, when: float, path: tuple[Endpoint, Endpoint], data: bytes, message: Request | Response
    ) -> Sighting:
        from_tag = message.from_.params.get("tag") or ""
        if self._caller_tag is None:
            self._caller_tag = from_tag
            self._caller, self._callee = message.from_.uri.raw, message.to.uri.raw
        ours = from_tag == self._caller_tag
        cseq = message.cseq
        request = isinstance(message, Request)
        if request and "tag" not in message.to.params and cseq.method == "INVITE":
            self._initial.add(cseq.number)
        fingerprint = hash((path, data))
        repeated = fingerprint in self._seen
        if len(self._seen) < _MOST_MESSAGES:
            self._seen.add(fingerprint)
        return Sighting(
            when,
            *path,
            CALLER if ours == request else CALLEE,
            cseq.method.upper(),
            0 if isinstance(message, Request) else message.status,
            cseq.number,
            cseq.number in self._initial and ours,
            repeated,
        )

    def _describe(self, message: Request | Response, sighting: Sighting) -> list[Description]:
        try:
            body = sdp_of(message)
        except PeerError:
            return []
        if not body or b"v=" not in body:
            return []
        found = descriptions_of(body, sighting.when, self.call_id, sighting.party, sighting.source[0])
        self.descriptions += found
        return found

    def _press(self, message: Request | Response, sighting: Sighting) -> None:
        """A key in an INFO request: `application/dtmf-relay`, or `application/dtmf` with the key alone."""
        if not isinstance(message, Request) or message.method != "INFO":
            return
        try:
            digit, duration_ms = key_of(message)
        except PeerError:
            return  # about something else
        self.keys.append(Key(sighting.when, digit, duration_ms or 0, "info"))

    def _ending(self, final: Sighting | None) -> tuple[float | None, str]:
        """When and by whom it was ended."""
        for sighting in self.sightings:
            if sighting.method in ("BYE", "CANCEL") and not sighting.status:
                return sighting.when, sighting.party
        if final is not None and final.status >= 300:
            return final.when, CALLEE
        return None, ""

    def _outcome(self, began: float | None, final: Sighting | None) -> str:
        if began is None:
            return "unknown"
        if final is None:
            return "cancelled" if any(s.method == "CANCEL" for s in self.sightings) else "unanswered"
        if final.status < 300:
            return "answered"
        return "cancelled" if final.status == 487 else "refused"


def _final(invites: list[Sighting]) -> Sighting | None:
    """The last word on the INVITE: a success, or the last refusal that is no challenge, or the last challenge."""
    finals = [s for s in invites if s.status >= 200]
    for good in (
        [s for s in finals if s.status < 300][:1],
        [s for s in finals if s.status not in _CHALLENGES],
        finals,
    ):
        if good:
            return good[-1]
    return None


def _delay(began: float | None, whens: Iterable[float]) -> float | None:
    """From the beginning to the first of these times."""
    first = next(iter(whens), None)
    return None if began is None or first is None else first - began
