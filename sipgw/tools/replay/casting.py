"""Finds the caller's part of each call in a capture. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sipgw.flow import Endpoint
from sipgw.rtp.packet import is_rtcp
from sipgw.sdp.formats import STATIC
from sipgw.sip.message import Request, Response
from sipgw.tools.capture.ip import Datagram
from sipgw.tools.capture.model import SipMessage
from sipgw.tools.replay.described import described
from sipgw.tools.replay.script import Act, MediaPacket, Part, Reaction

_CHALLENGES = (401, 407)
_LINGER = 2.0
"""Media is a call's up to so many seconds after its last message."""


class Datagrams:
    """Captured datagrams by who sent and who got them.

    Args:
        captured: all of them.
        began: the capture's first time.
    """

    def __init__(self, captured: Iterable[Datagram], began: float) -> None:
        self._packets: list[tuple[float, Endpoint, bytes]] = []
        self._places: dict[tuple[bool, Endpoint], list[int]] = defaultdict(list)
        for one in captured:
            self._places[True, one.source].append(len(self._packets))
            self._places[False, one.destination].append(len(self._packets))
            self._packets.append((round(one.when - began, 6), one.source, one.payload))

    def between(
        self, first: float, last: float, sources: set[Endpoint], targets: set[Endpoint]
    ) -> Iterator[MediaPacket]:
        """What came from one of `sources` or went to one of `targets` in a time, in the capture's order."""
        wanted = [self._places.get((True, one), []) for one in sorted(sources)]
        wanted += [self._places.get((False, one), []) for one in sorted(targets)]
        for place in sorted({place for places in wanted for place in places}):
            when, source, data = self._packets[place]
            if first <= when <= last and data:
                yield MediaPacket(when, source, data, is_rtcp(data))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A message that has been read."""

    when: float
    source: Endpoint
    destination: Endpoint
    message: Request | Response

    def asks(self, method: str) -> bool:
        """Whether it is such a request."""
        return isinstance(self.message, Request) and self.message.method == method

    def answers(self, number: int, method: str = "INVITE") -> bool:
        """Whether it is a response to that request."""
        cseq = self.message.cseq
        return isinstance(self.message, Response) and cseq.number == number and cseq.method == method


def part_of(messages: Sequence[SipMessage], datagrams: Datagrams, began: float) -> Part | None:
    """The caller's part of the call these messages of one Call-ID belong to; None where nobody called."""
    all_ = [_Seen(round(one.when - began, 6), one.source, one.destination, one.message) for one in messages]
    left_out: Counter[str] = Counter()
    first = _first_invite(all_, left_out)
    if first is None:
        return None
    here, there = first.source, first.destination
    later = [one for one in all_ if one.when >= first.when]
    sent = [one for one in later if _is(one.source, here, there)]
    got = [one for one in later if _is(one.destination, here, there)]
    number = first.message.cseq.number
    answered = next((one.when for one in got if one.answers(number) and _status(one) // 100 == 2), None)
    sources, targets = _ends(sent), _ends(got)
    return Part(
        call_id=first.message.call_id,
        transport=messages[0].transport,
        caller=here,
        callee=there,
        acts=tuple(_acts(sent, number, answered, left_out)),
        media=tuple(datagrams.between(first.when, all_[-1].when + _LINGER, sources, targets - sources)),
        acks=_acks(sent, got),
        replies=_replies(sent, got),
        answered=answered,
        hung_up=next((one.when for one in got if one.asks("BYE")), None),
        names=_names(sent, got),
        left_out=left_out,
    )


def _status(one: _Seen) -> int:
    return one.message.status if isinstance(one.message, Response) else 0


def _is(end: Endpoint, here: Endpoint, there: Endpoint) -> bool:
    """Whether an address is the caller's: the same, or another port of its host where the far end has another host."""
    return end == here or (end[0] == here[0] and here[0] != there[0])


def _first_invite(all_: list[_Seen], left_out: Counter[str]) -> _Seen | None:
    """The INVITE that the call began with; where one was challenged, the one after it."""
    invites = [one for one in all_ if one.asks("INVITE") and not one.message.to.tag]
    challenged = {one.message.cseq.number for one in all_ if _status(one) in _CHALLENGES}
    good = [one for one in invites if one.message.cseq.number not in challenged]
    if good and good[0] is not invites[0]:
        left_out["challenged_invite"] += 1
    return next(iter(good or invites), None)


def _acts(sent: list[_Seen], number: int, answered: float | None, left_out: Counter[str]) -> Iterator[Act]:
    """What the caller did by itself, from the INVITE with that number on."""
    for one in sent:
        request = one.message
        if not isinstance(request, Request) or request.method == "ACK":
            continue
        if request.method == "PRACK":  # nothing of ours is sent reliably, so there is nothing to acknowledge
            left_out["prack"] += 1
            continue
        if not request.to.tag and request.cseq.number != number:  # a call of its own, under the same Call-ID
            left_out["another_invite"] += 1
            continue
        yield Act(one.when, one.source, request, answered is not None and one.when > answered)


def _acks(sent: list[_Seen], got: list[_Seen]) -> dict[int, Reaction | None]:
    """The ACK of each INVITE that was answered or refused; a refusal without one is left to the phone."""
    acks: dict[int, Reaction | None] = {}
    for one in got:
        response = one.message
        if not isinstance(response, Response) or response.status < 200 or response.cseq.method != "INVITE":
            continue
        number = response.cseq.number
        ack = next((ack for ack in sent if ack.asks("ACK") and ack.message.cseq.number == number), None)
        if ack is not None:
            acks.setdefault(number, Reaction(max(ack.when - one.when, 0.0), ack.message))
        elif response.status < 300:
            acks.setdefault(number, None)
    return acks


def _replies(sent: list[_Seen], got: list[_Seen]) -> dict[str, Reaction]:
    """The first final response to each kind of request."""
    asked: dict[tuple[int, str], float] = {}
    for one in got:
        if isinstance(one.message, Request):
            asked.setdefault((one.message.cseq.number, one.message.method), one.when)
    replies: dict[str, Reaction] = {}
    for one in sent:
        cseq = one.message.cseq
        when = asked.get((cseq.number, cseq.method))
        if when is not None and _status(one) >= 200:
            replies.setdefault(cseq.method, Reaction(max(one.when - when, 0.0), one.message))
    return replies


def _names(sent: list[_Seen], got: list[_Seen]) -> dict[int, str]:
    """The far end's word on payload types counts more than the caller's: it chose what it wants to get."""
    names = dict(STATIC)
    for one in (*sent, *got):
        if (sdp := described(one.message.body)) is not None:
            names.update(sdp.names)
    return names


def _ends(messages: list[_Seen]) -> set[Endpoint]:
    """Where the maker of these messages receives RTP and RTCP."""
    found = (described(one.message.body) for one in messages)
    return {end for sdp in found if sdp is not None for end in (sdp.rtp, sdp.rtcp)}
