"""Puts callers, network and gateway together, and lets them run in simulated time until nothing more happens."""

import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from sipgw.ai.dialect import Connect
from sipgw.ai.registry import Prompts
from sipgw.call.cdr import CallRecord
from sipgw.call.registry import Calls
from sipgw.errors import PeerError
from sipgw.flow import Endpoint, Flow
from sipgw.media import plane
from sipgw.options import CallOptions, MediaOptions, SipOptions
from sipgw.rtp.packet import parse as parse_rtp
from sipgw.sip.agent import Agent
from sipgw.sip.message import Malformed, Request, Response, parse
from sipgw.tools.listening import Heard as HeardPacket
from sipgw.tools.listening import hearing
from sipgw.tools.replay.caller import Caller, Network
from sipgw.tools.replay.control import Control
from sipgw.tools.replay.fingerprint import fingerprint
from sipgw.tools.replay.media import Media, Surroundings
from sipgw.tools.replay.outcome import CallOutcome, Flight, Message, Outcome, label, narrow
from sipgw.tools.replay.script import Part
from sipgw.tools.replay.timeline import Timeline
from sipgw.tools.replay.witness import Heard
from sipgw.tools.wav import Pcm
from sipgw.trace import Mark, Note

_PATIENCE = 60.0
"""After everything captured was replayed, callers hang up: longer than the gateway waits for media that stays away."""
_ENDING = 40.0
"""Longer than a BYE is repeated (RFC 3261 section 17.1.2.2, timer F)."""
_SEED = 20_260_101


@dataclass(frozen=True, slots=True)
class Gateway:
    """What the capture is replayed against."""

    sip: SipOptions
    media: MediaOptions
    calls: CallOptions
    prompts: Prompts = field(repr=False)


@dataclass(slots=True)
class _Watched:
    """What is seen of one call while it runs."""

    messages: list[Message] = field(default_factory=list)
    keys: list[tuple[float, str]] = field(default_factory=list)
    talks: list[Heard] = field(default_factory=list)
    heard: dict[str, list[HeardPacket]] = field(default_factory=dict)
    """By session: a Call-ID may have several."""
    said: list[float] = field(default_factory=list)
    record: CallRecord | None = None


class Simulation:
    """One run; the same arguments give the same outcome.

    Args:
        gateway: its settings.
        parts: the callers of the capture.
        began: Unix time at which the capture begins.
    """

    def __init__(self, gateway: Gateway, parts: Sequence[Part], began: float) -> None:
        random = Random(_SEED)
        self._timeline = Timeline()
        self._parts = parts
        self._notes: list[Note] = []
        self._warnings: dict[str, None] = {}
        self._watched: dict[str, _Watched] = defaultdict(_Watched)

        def token() -> str:
            return f"{random.getrandbits(64):016x}"

        agent = Agent(gateway.sip, token=token, trace=self._note)
        calls = Calls(
            gateway.calls, gateway.media,
            token=token, wall=lambda now: began + now, trace=self._note, random=random.randbytes,
        )  # fmt: skip
        around = Surroundings(self._timeline, self._note, self._on_media, self._sent, self._witnessed, self._offline)
        self._media = Media(gateway.media, gateway.prompts, around, random, began)
        self._control = Control(
            agent, calls, self._media, gateway.media, self._timeline, self._to_caller, self._recorded
        )
        network = Network(self._from_caller, self._spoken)
        self._callers = {part.call_id: Caller(part, self._timeline, network) for part in parts}

    def run(self) -> Outcome:
        """Run to the end."""
        for caller in self._callers.values():
            caller.start()
        end = max((_end(part) for part in self._parts), default=0.0) + _PATIENCE
        for caller in self._callers.values():
            self._timeline.at(end, caller.leave)
        while (when := self._timeline.next()) is not None and when <= end + _ENDING:
            if when == end and self._control.idle:
                break
            self._guarded(self._timeline.step)
            self._guarded(self._control.settle)
        return self._outcome()

    def _guarded(self, action: Callable[[], None]) -> None:
        """A defect costs what it was met in, as in the gateway, and is told."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 whatever a capture holds, the replay goes on and says what broke
            self._warnings[f"the gateway's own code failed: {error!r}"] = None
            self._note(Note(self._timeline.now, "replay", Mark.DROP, "defect", detail=traceback.format_exc()))

    # --- the network ----------------------------------------------------------------------------------------------

    def _from_caller(self, message: Request | Response, flow: Flow) -> None:
        data = bytes(message)
        self._keep(message, data, by_caller=True)
        self._control.receive(data, flow)

    def _to_caller(self, data: bytes, flow: Flow) -> None:
        try:
            message = parse(data)
        except Malformed as error:  # it repeats what was wrong in the caller's own message
            self._note(Note(self._timeline.now, "network", Mark.DROP, "unreadable_to_caller", detail=str(error)))
            return
        self._keep(message, data, by_caller=False)
        if (caller := self._callers.get(message.call_id)) is not None:
            caller.receive(message)

    def _keep(self, message: Request | Response, data: bytes, *, by_caller: bool) -> None:
        made = Message(self._timeline.now, by_caller, label(message), data)
        self._watched[message.call_id].messages.append(made)

    def _spoken(self, end: Endpoint, data: bytes, source: Endpoint) -> None:
        session = self._control.sessions.get(end)
        if session is None or not self._media.receive(session, data, source, rtcp=end[1] % 2 == 1):
            self._note(Note(self._timeline.now, "network", Mark.DROP, "port_unreachable", detail=str(end)))
        elif end[1] % 2 == 0:
            self._of(session).said.append(self._timeline.now)

    def _sent(self, session: str, datagram: bytes, now: float) -> None:
        packet = parse_rtp(datagram)
        kept = HeardPacket(now, packet.payload_type, packet.sequence, packet.timestamp, packet.payload)
        self._of(session).heard.setdefault(session, []).append(kept)

    # --- what is watched ------------------------------------------------------------------------------------------

    def _of(self, session: str) -> _Watched:
        return self._watched[self._control.calling.get(session, "")]

    def _note(self, note: Note) -> None:
        self._notes.append(note)

    def _on_media(self, event: plane.Event) -> None:
        if isinstance(event, plane.Digit):
            self._of(event.session).keys.append((self._timeline.now, event.digit))
        self._control.on_media(event)

    def _witnessed(self, session: str, heard: Heard) -> None:
        self._of(session).talks.append(heard)

    def _offline(self, backend: str, connect: Connect) -> None:
        self._warnings[f"backend {backend} needs the network, which a replay has not: --backend takes its place"] = None

    def _recorded(self, record: CallRecord) -> None:
        self._watched[record.sip_call_id].record = record

    # --- the end --------------------------------------------------------------------------------------------------

    def _outcome(self) -> Outcome:
        drops = Counter(f"{note.layer}.{note.name}" for note in self._notes if note.mark is Mark.DROP)
        calls = tuple(_of_call(caller, self._watched[caller.part.call_id]) for caller in self._callers.values())
        for call in calls:
            if call.record is None and call.messages:
                self._warnings[f"{call.call_id} was still up after {self._timeline.now:.0f} s; left there"] = None
            if call.record is not None and call.record.stats is not None:
                drops.update({f"media.{name}": count for name, count in call.record.stats.drops.items()})
        return Outcome(calls, _sorted(drops), self._timeline.now, tuple(self._notes), tuple(self._warnings))


def _end(part: Part) -> float:
    """When its last act is due in the capture."""
    media = part.media[-1].when if part.media else 0.0
    return max(part.acts[-1].when, media, part.hung_up or 0.0)


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts)}


def _of_call(caller: Caller, seen: _Watched) -> CallOutcome:
    part = caller.part
    ai_pcm = np.concatenate([np.zeros(0, np.int16), *(narrow(talk.pieces, talk.audio) for talk in seen.talks)])
    caller_pcm = _heard(seen)
    invite = part.invite
    return CallOutcome(
        call_id=part.call_id,
        caller=_user(lambda: invite.from_.uri.user_text),
        called=_user(lambda: invite.target.user_text),
        messages=tuple(seen.messages),
        keys=tuple(seen.keys),
        events=tuple(event for talk in seen.talks for event in talk.events),
        record=seen.record,
        ai_heard=fingerprint(ai_pcm),
        caller_heard=fingerprint(caller_pcm),
        ai_pcm=ai_pcm,
        caller_pcm=caller_pcm,
        said=_flight(seen.said),
        heard=_flight([packet.when for packets in seen.heard.values() for packet in packets]),
        left_out=_sorted(caller.left_out),
    )


def _heard(seen: _Watched) -> Pcm:
    """The sound of our packets, at 8 kHz."""
    codec = seen.record.codec if seen.record is not None else ""
    sounds = [
        hearing(packets, {packet.payload_type: codec for packet in packets}).pcm for packets in seen.heard.values()
    ]
    return np.concatenate([np.zeros(0, np.int16), *(pcm for pcm in sounds if pcm is not None)])


def _flight(times: list[float]) -> Flight | None:
    return Flight(times[0], times[-1], len(times)) if times else None


def _user(read: Callable[[], str]) -> str:
    try:
        return read()
    except PeerError:
        return ""
