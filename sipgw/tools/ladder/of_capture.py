"""From a captured call to its ladder: who the parties are, what passed between them, and where it went wrong."""

from collections.abc import Iterator
from dataclasses import dataclass

from sipgw.flow import Endpoint
from sipgw.tools.capture.model import CallTrace, Key, SipMessage, Stream
from sipgw.tools.ladder.draw import Step
from sipgw.tools.replay.described import described


@dataclass(frozen=True, slots=True)
class Ladder:
    """One call, ready to be drawn."""

    title: str
    call_id: str
    parties: tuple[str, ...]
    """In the order in which they appear."""
    steps: tuple[Step, ...]
    facts: tuple[tuple[str, str], ...] = ()
    """Name and value of what is worth telling."""


def ladder_of(call: CallTrace) -> Ladder:
    """The ladder of a captured call; times count from its first message."""
    parties = Parties(call)
    steps = (*_messages(call, parties), *_streams(call, parties), *_keys(call, parties), *_problems(call, parties))
    title = f"{_short(call.caller)} calls {_short(call.callee)}"
    return Ladder(title, call.call_id, parties.names, tuple(steps), tuple(_facts(call, parties)))


class Parties:
    """Names the columns: hosts, or endpoints where two parties share a host.

    Media of an address that somebody's SDP names belongs to that party's column where both have the same host.
    """

    def __init__(self, call: CallTrace) -> None:
        self._by_port = any(one.source[0] == one.destination[0] for one in call.messages)
        self._owners: dict[Endpoint, str] = {}
        names: dict[str, None] = {}
        for one in call.messages:
            names.setdefault(self._name(one.source))
            names.setdefault(self._name(one.destination))
            self._note_media(one)
        for stream in call.streams:
            names.setdefault(self.of(stream.source))
            names.setdefault(self.of(stream.destination))
        self.names = tuple(names)

    def of(self, end: Endpoint) -> str:
        """The column of an address."""
        return self._owners.get(end) or self._name(end)

    def _name(self, end: Endpoint) -> str:
        host, port = end
        if not self._by_port:
            return host
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _note_media(self, one: SipMessage) -> None:
        sdp = described(one.data.partition(b"\r\n\r\n")[2])
        if sdp is not None and sdp.rtp[0] == one.source[0]:
            self._owners.setdefault(sdp.rtp, self._name(one.source))


def _messages(call: CallTrace, parties: Parties) -> Iterator[Step]:
    for one in call.messages:
        label = f"{one.label}, again" if one.repeated else one.label
        ends = parties.of(one.source), parties.of(one.destination)
        detail = one.data.decode("utf-8", "replace").replace("\r\n", "\n")
        yield Step(one.when - call.first, *ends, label, detail=detail)


def _streams(call: CallTrace, parties: Parties) -> Iterator[Step]:
    for stream in call.streams:
        ends = parties.of(stream.source), parties.of(stream.destination)
        for number, span in enumerate(stream.spans):
            label = f"{span.packets} packets {stream.codec}"
            detail = _stream_detail(stream) if number == 0 else ""
            first, last = span.first - call.first, span.last - call.first
            yield Step(first, *ends, label, media=True, until=last, detail=detail)
        for key in stream.keys:
            yield Step(key.when - call.first, *ends, f"key {key.digit}, {key.duration_ms} ms", media=True)


def _stream_detail(stream: Stream) -> str:
    """What there is to say of a stream."""
    rows = [
        f"{_end(stream.source)} → {_end(stream.destination)}",
        f"SSRC {stream.ssrc:#010x}, {stream.codec}" + (f", {stream.ptime_ms:g} ms a packet" if stream.ptime_ms else ""),
        f"{stream.packets} packets, {stream.missing} missing ({stream.loss_share:.1%} lost), "
        f"{stream.duplicates} twice, {stream.reordered} out of order",
        f"jitter {stream.jitter_ms:.1f} ms on average, {stream.max_jitter_ms:.1f} ms at most",
    ]
    if stream.mos is not None:
        rows.append(f"MOS {stream.mos:.1f} (E-model)")
    if stream.level_dbfs is not None:
        rows.append(f"level {stream.level_dbfs:.0f} dBFS, {stream.silent_share or 0:.0%} of it silence")
    return "\n".join(rows)


def _keys(call: CallTrace, parties: Parties) -> Iterator[Step]:
    """Keys by SIP INFO, noted beside the party that pressed them."""
    for key in call.keys:
        asked = (one for one in call.messages if one.when <= key.when and one.label.startswith("INFO"))
        sender = max(asked, key=lambda one: one.when, default=None)
        if sender is not None:
            party = parties.of(sender.source)
            yield Step(key.when - call.first, party, party, f"key {key.digit} by INFO")


def _problems(call: CallTrace, parties: Parties) -> Iterator[Step]:
    for one in call.problems:
        party = parties.names[0]
        detail = f"{one.name}\n{one.sentence}"
        yield Step(one.when - call.first, party, party, f"▲ {one.name}: {one.sentence}", detail=detail, problem=True)


def _facts(call: CallTrace, parties: Parties) -> Iterator[tuple[str, str]]:
    ended = f", ended by the {call.ended_by}" if call.ended_by else ""
    status = f" ({call.status})" if call.status else ""
    yield "outcome", f"{call.outcome or 'unknown'}{status}{ended}"
    if call.answer_delay is not None:
        yield "answered after", f"{call.answer_delay:.2f} s"
    if call.answered is not None and call.ended is not None:
        yield "talked for", f"{call.ended - call.answered:.2f} s"
    if digits := "".join(key.digit for key in _callers_keys(call, parties)):
        yield "keys", digits
    yield "messages", f"{len(call.messages)}, {call.retransmissions} of them repeated"


def _callers_keys(call: CallTrace, parties: Parties) -> list[Key]:
    """By INFO, and in the caller's own streams: an echo presses none."""
    caller = parties.of(call.messages[0].source)
    sent = (key for one in call.streams if parties.of(one.source) == caller for key in one.keys)
    return sorted((*call.keys, *sent), key=lambda key: key.when)


def _short(uri: str) -> str:
    """A URI without its scheme and parameters."""
    return uri.partition(":")[2].partition(";")[0] or uri or "somebody"


def _end(end: Endpoint) -> str:
    host, port = end
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
