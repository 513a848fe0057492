"""All calls of this node: finds the one an event concerns, admits new ones, drains, and counts how calls end.

A call that breaks, by a defect of ours, is ended; the others go on.
"""

import traceback
from collections import Counter
from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from secrets import token_bytes

from sipgw.call import effects as do
from sipgw.call.admission import Admission
from sipgw.call.call import Call
from sipgw.call.causes import Refusal
from sipgw.call.commands import Command, NoSuchCall
from sipgw.call.destinations import Destinations
from sipgw.call.effects import Effect
from sipgw.call.events import CallEvent, HookEvent, PortEvent, PortsOpened, TimerFired
from sipgw.call.feed import Kind, Publish, unheard
from sipgw.call.ids import call_id, owner
from sipgw.call.pressure import Load
from sipgw.call.routing import Routes
from sipgw.call.snapshot import CallSnapshot
from sipgw.call.states import State
from sipgw.call.surroundings import Surroundings
from sipgw.call.view import CallView, view_of
from sipgw.errors import Cause
from sipgw.media import plane
from sipgw.options import CallOptions, MediaOptions
from sipgw.sdp.crypto import RandomBytes
from sipgw.sip.events import Invited, Reinvited, SipEvent
from sipgw.trace import Mark, Note, Trace, silent

DRAIN_TIMER = "drain"


class Calls:
    """The calls.

    Args:
        options: routes, backends, limits.
        media: codecs and addresses for SDP.
        token: makes a word nobody else has, for each call's id.
        wall: turns the core's `now` into Unix time.
        trace: takes notes.
        publish: takes what may be known outside.
        changed: hears the id of a call whose snapshot may be another one from now on, before its effects are there.
        random: makes keys, which nobody must be able to guess.
    """

    def __init__(
        self,
        options: CallOptions,
        media: MediaOptions,
        *,
        token: Callable[[], str],
        wall: Callable[[float], float],
        trace: Trace = silent,
        publish: Publish = unheard,
        changed: Callable[[str], None] = lambda call: None,
        random: RandomBytes = token_bytes,
    ) -> None:
        self._options = options
        self._token = token
        self._trace = trace
        self._changed = changed
        self._admission = Admission(options)
        routes, limits = Routes.of(options), self._admission.limits
        destinations = Destinations(media, self._is_ours)
        self._around = Surroundings(
            options, media, routes, limits, trace, wall, publish, destinations=destinations, random=random
        )  # fmt: skip
        self._calls: dict[str, Call] = {}
        self._legs: dict[str, Call] = {}
        self._serial = 0
        self.causes: Counter[str] = Counter()
        """How many calls ended, by the record's name of the cause."""

    def _is_ours(self, port: int) -> bool:
        return any(port in (call.port, call.port + 1) for call in self._calls.values())

    @property
    def draining(self) -> bool:
        """Whether no new calls are taken, for good."""
        return self._admission.draining

    @property
    def idle(self) -> bool:
        """Whether there is no call."""
        return not self._calls

    def calls(self) -> tuple[CallView, ...]:
        """A snapshot of all calls."""
        return tuple(map(view_of, self._calls.values()))

    def reconfigure(self, options: CallOptions) -> None:
        """New calls go by these options, and limits count at once; calls that are there keep what they began with."""
        self._options = options = replace(options, node=self._options.node)
        self._admission.reconfigure(options)
        self._around = replace(self._around, options=options, routes=Routes.of(options))

    @property
    def lagging(self) -> bool:
        """Whether the node is too busy for new calls."""
        return self._admission.pressure.high

    @property
    def full(self) -> bool:
        """Whether there are as many calls as are allowed at a time."""
        most = self._options.max_calls
        return bool(most) and len(self._calls) >= most

    def ids(self) -> tuple[str, ...]:
        """The ids of all calls, the oldest first."""
        return tuple(self._calls)

    def view(self, call: str) -> CallView | None:
        """One call as it stands; None where there is none of that id."""
        found = self._calls.get(call)
        return None if found is None else view_of(found)

    # --- what outlives the process --------------------------------------------------------------------------------

    def snapshot(self, call: str) -> CallSnapshot | None:
        """What `restore` needs to go on with a call; None where there is none that was answered."""
        found = self._calls.get(call)
        return found.snapshot() if found is not None else None

    def restore(self, kept: Iterable[CallSnapshot], sessions: Container[str], now: float) -> list[Effect]:
        """Go on with calls that another process wrote down, or end them. One that cannot be read is traced.

        Args:
            kept: the calls.
            sessions: those of the media plane that live on; a call without is ended.
            now: the time.
        """
        calls: list[Call] = []
        for one in sorted(kept, key=lambda one: one.noted.started):
            try:
                call = Call.restore(one, self._around, one.session in sessions, now)
            except Exception:  # noqa: BLE001 the other calls are still to be gone on with
                self._trace(Note(now, "call", Mark.DROP, "not_restored", one.call, traceback.format_exc()))
                continue
            self._add(call)
            calls.append(call)
        return self._each(calls, lambda call: None, now)

    def reunite(self, alive: plane.Alive, now: float) -> list[Effect]:
        """A session lives on: see whether its call knows of it what there is to know. After `restore`."""
        call = self._calls.get(owner(alive.session))
        return [] if call is None else self._each((call,), lambda call: call.reunite(alive, now), now)

    # --- what happens ---------------------------------------------------------------------------------------------

    def on_sip(self, event: SipEvent, now: float) -> list[Effect]:
        """The SIP agent said something."""
        if isinstance(event, Invited):
            return self._replacing(event, now) if event.replaces else self._invited(event, now)
        call = self._legs.get(event.leg)
        if call is not None:
            return self._deliver(call, event, now)
        self._unknown(event, event.leg, now)
        return [do.Refuse(event.leg, 481)] if isinstance(event, Reinvited) else []

    def on_media(self, event: plane.Event, now: float) -> list[Effect]:
        """The media plane said something."""
        return self._of_owner(event, event.session, now)

    def on_ports(self, event: PortEvent, now: float) -> list[Effect]:
        """Ports were opened, or could not be."""
        if isinstance(event, PortsOpened) and owner(event.id) not in self._calls:
            self._unknown(event, event.id, now)
            return [do.ReleasePorts(event.id)]
        return self._of_owner(event, event.id, now)

    def on_hook(self, event: HookEvent, now: float) -> list[Effect]:
        """A hook answered, or did not."""
        return self._of_owner(event, event.id, now)

    def on_timer(self, timer: str, now: float) -> list[Effect]:
        """A timer is due."""
        if timer == DRAIN_TIMER:
            return self.shut_down(now)
        return self._of_owner(TimerFired(timer), timer, now)

    def on_load(self, load: Load, now: float) -> list[Effect]:
        """How busy the node was in the last second. Too busy for too long means no new calls, and an alarm."""
        before = self._admission.pressure.high
        for name, detail in self._admission.pressure.measured(load, self._options, now):
            self._around.happened(Kind.ALARM, "", now, name=name, detail=detail)
        high = self._admission.pressure.high
        if high is before:
            return []
        self._trace(Note(now, "call", Mark.STATE, "lagging" if high else "keeping_up", detail=str(load)))
        return [do.Log("too busy for new calls" if high else "new calls are taken again", load._asdict())]

    def on_command(self, command: Command, now: float) -> list[Effect]:
        """Somebody outside wants something of a call.

        Raises:
            NoSuchCall: it is over, or never was.
            WrongState: that cannot be had now; nothing has changed.
        """
        call = self._calls.get(command.call)
        if call is None:
            raise NoSuchCall(command.call)
        call.check(command)
        return self._deliver(call, command, now)

    def on_failure(self, effect: Effect, now: float) -> list[Effect]:
        """An effect could not be carried out, by a defect of ours: the call it was for waits in vain, and is ended."""
        call = self._whose(effect)
        if call is None:
            return []
        self._trace(Note(now, "call", Mark.DROP, "effect_failed", call.id, type(effect).__name__))
        # A 200 that did not leave: to the call its leg is up, but the caller still waits for a final response.
        unanswered = [do.Refuse(effect.leg, Cause.INTERNAL.status)] if isinstance(effect, do.Answer) else []
        return [*unanswered, *self._each((call,), lambda call: call.broke(now), now)]

    def drain(self, now: float) -> list[Effect]:
        """Take no new calls; those running may go on for a while, then they are hung up."""
        if self.draining:
            return []
        self._admission.draining = True
        self._trace(Note(now, "call", Mark.STATE, "draining", detail=f"{len(self._calls)} calls"))
        return [do.StartTimer(DRAIN_TIMER, now + self._options.drain_limit)]

    def shut_down(self, now: float) -> list[Effect]:
        """Take no new calls, and end those there are."""
        self._admission.draining = True
        return self._each(tuple(self._calls.values()), lambda call: call.shut_down(now), now)

    # --- new calls ------------------------------------------------------------------------------------------------

    def door(self, source: str, now: float) -> Refusal | None:
        """How to refuse a call from this address without taking it on at all; None where that is to be done.

        Asked for every call that comes, so that a flood of those that would be refused anyway costs next to nothing.
        """
        refusal = self._admission.at_the_door(len(self._calls), source, now)
        if refusal is not None:
            cause = refusal.cause.record
            self.causes[cause] += 1
            self._trace(Note(now, "call", Mark.DROP, cause, detail=f"at the door, from {source}"))
        return refusal

    def _invited(self, event: Invited, now: float) -> list[Effect]:
        refusal = self._admission.refusal(len(self._calls), event.flow.remote[0], now)
        call = Call(call_id(self._options.node, self._token()), event.leg, self._around, now)
        self._add(call)
        if refusal is None:
            return self._deliver(call, event, now)
        self._admission.refused(now)
        return self._each((call,), lambda call: call.turn_away(event, refusal, now), now)

    def _replacing(self, event: Invited, now: float) -> list[Effect]:
        """A leg that is to take the place of another, in the same call. Whatever becomes of that, it gets an answer."""
        call = self._legs.get(event.replaces)
        if call is None:
            self._unknown(event, event.replaces, now)
            return [do.Refuse(event.leg, 481)]
        self._legs[event.leg] = call
        effects = self._deliver(call, event, now)
        self._legs.pop(event.replaces if call.leg == event.leg else event.leg, None)
        if not any(isinstance(one, do.Answer | do.Refuse) and one.leg == event.leg for one in effects):
            effects.append(do.Refuse(event.leg, Cause.INTERNAL.status))
        return effects

    def _add(self, call: Call) -> None:
        self._serial = call.serial = self._serial + 1
        self._calls[call.id] = self._legs[call.leg] = call

    # --- delivery -------------------------------------------------------------------------------------------------

    def _of_owner(self, event: CallEvent, name: str, now: float) -> list[Effect]:
        call = self._calls.get(owner(name))
        if call is None:
            self._unknown(event, name, now)
            return []
        return self._deliver(call, event, now)

    def _whose(self, effect: Effect) -> Call | None:
        match effect:
            case do.Ring(leg=leg) | do.Answer(leg=leg) | do.Refuse(leg=leg) | do.HangUp(leg=leg) | do.Reinvite(leg=leg):
                return self._legs.get(leg)
            case do.Media(command=command):
                return self._calls.get(owner(command.session))
            case do.Ask(id=name) | do.StopAsking(id=name):
                return self._calls.get(owner(name))
            case do.OpenPorts(id=name) | do.ReleasePorts(id=name) | do.StartTimer(id=name) | do.CancelTimer(id=name):
                return self._calls.get(owner(name))
        return None

    def _deliver(self, call: Call, event: CallEvent, now: float) -> list[Effect]:
        return self._each((call,), lambda call: call.on(event, now), now)

    def _each(self, calls: Iterable[Call], act: Callable[[Call], None], now: float) -> list[Effect]:
        """Let each call act, whatever becomes of it, and take what it wants done."""
        effects: list[Effect] = []
        for call in calls:
            try:
                act(call)
            except Exception:  # noqa: BLE001 a defect met by one call must not end all the others
                self._broke(call, now)
            effects += call.take()
            self._changed(call.id)
            if call.state is State.ENDED:
                del self._calls[call.id], self._legs[call.leg]
                self._admission.limits.release(call.id)
                self.causes[call.draft.cause.record] += 1
        return effects

    def _broke(self, call: Call, now: float) -> None:
        """End a call that raised; if even that goes wrong, at least nothing of it is kept."""
        self._note_broken(call, now)
        try:
            call.broke(now)
        except Exception:  # noqa: BLE001 as above
            self._note_broken(call, now)
            call.abandon()

    def _note_broken(self, call: Call, now: float) -> None:
        self._trace(Note(now, "call", Mark.DROP, "call_broke", call.id, traceback.format_exc()))

    def _unknown(self, event: object, name: str, now: float) -> None:
        self._trace(Note(now, "call", Mark.DROP, "no_such_call", detail=f"{type(event).__name__} {name}"))
