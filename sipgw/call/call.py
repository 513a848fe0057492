"""One incoming call: takes whatever concerns it through the table in `states`.

`on(event, now)` may be called with any event at any time; what is to be done lies in `take()` afterwards.
"""

from typing import Self

from sipgw.call.causes import Refusal
from sipgw.call.cdr import Draft
from sipgw.call.commands import Command, WrongState
from sipgw.call.deeds import DEEDS, Deeds
from sipgw.call.effects import Effect
from sipgw.call.events import CallEvent
from sipgw.call.feed import Kind, Value
from sipgw.call.holdings import Holdings
from sipgw.call.reading import Reading
from sipgw.call.snapshot import VERSION, CallSnapshot
from sipgw.call.states import TABLE, Seen, State
from sipgw.call.surroundings import Moment, Surroundings
from sipgw.errors import Cause
from sipgw.media import plane
from sipgw.sip.events import Invited


class Call:
    """An incoming call from its INVITE to its record.

    Args:
        call: its id.
        leg: the SIP agent's name for the caller's dialog.
        around: what all calls share.
        now: when the INVITE came.
    """

    def __init__(self, call: str, leg: str, around: Surroundings, now: float) -> None:
        self.id = call
        self.serial = 0
        """Its place among the calls of this run."""
        self.state = State.NEW
        self.draft = Draft(call, now, around.options.node, wall=around.wall)
        self._around = around
        self._held = Holdings(call, leg)
        self._deeds = Deeds(call, self._held, self.draft, around, self._happened)
        self._reading = Reading(self._held, self.draft, self._drop, self._happened, around.options.transcript)

    @classmethod
    def restore(cls, kept: CallSnapshot, around: Surroundings, alive: bool, now: float) -> Self:
        """Go on with a call that another process wrote down, or end it. What is to be done for that lies in `take()`.

        Args:
            kept: of `snapshot`.
            around: what all calls share.
            alive: its media session lives on; without, the call ends.
            now: the time.

        Raises:
            ValueError: it was written by a version that we do not know.
        """
        if kept.version != VERSION:
            raise ValueError(f"call snapshot of version {kept.version}, not {VERSION}")
        call = cls(kept.call, kept.leg, around, now)

        def clock(unix: float) -> float:
            return unix - around.wall(0.0)

        call.draft.take(kept.noted.by(clock))
        call.draft.cause, call.state = Cause[kept.cause], State(kept.state)
        call._held.restore(kept.held, clock, alive)
        call._deeds.restore(kept.deeds, now)
        if not alive:
            call._see(Seen.MEDIA_GONE, None, now)
        return call

    def reunite(self, alive: plane.Alive, now: float) -> None:
        """Agree with the session again, after what was on its way to the process that died."""
        if self.state is not State.ENDING:
            for event in self._deeds.reunite(alive, self.state):
                self.on(event, now)

    def snapshot(self) -> CallSnapshot | None:
        """What `restore` needs; None where the call was not answered: its caller, if still there, calls anew."""
        if self.draft.answered is None or self.state is State.ENDED:
            return None
        deeds = self._deeds.snapshot()
        if deeds is None:
            return None
        wall = self._around.wall
        return CallSnapshot(
            VERSION, self.id, self.leg, self._held.session, self.state.value, self.draft.cause.name,
            self.draft.by(wall), self._held.snapshot(wall), deeds,
        )  # fmt: skip

    def on(self, event: CallEvent, now: float) -> None:
        """Something happened."""
        seen = self._reading.seen(event, now)
        if seen is not None:
            self._see(seen, event, now)

    def check(self, command: Command) -> None:
        """Whether the command can be carried out now, by `on`.

        Raises:
            WrongState: it cannot.
        """
        seen = self._reading.told(command)
        if (self.state, seen) not in TABLE:
            possible = sorted(state.name.lower() for state, other in TABLE if other is seen)
            raise WrongState(f"the call is {self.state.name.lower()}; that is possible while it is {_or(possible)}")
        if objection := self._deeds.objection(command):
            raise WrongState(objection)

    def turn_away(self, event: Invited, refusal: Refusal, now: float) -> None:
        """Refuse a new call without looking at its offer."""
        unreadable = self._deeds.note_caller(Moment(Seen.INVITED, event, now))
        self._see(unreadable or self._deeds.refuse(refusal, now), event, now)

    def shut_down(self, now: float) -> None:
        """The gateway stops."""
        self._see(Seen.SHUT_DOWN, None, now)

    def broke(self, now: float) -> None:
        """An exception came out of one of the above: end as well as still possible. May raise in turn."""
        if self.state is State.ENDED:
            self.abandon()
        elif self.state is State.ENDING:
            self._let_go()
            self._see(Seen.WAITED_ENOUGH, None, now)
        else:
            self._see(Seen.BROKE, None, now)

    def abandon(self) -> None:
        """End without a record, as none can be made; give everything back. Does not raise."""
        self.state = State.ENDED
        self._let_go()
        self._held.give_ports_back()

    @property
    def port(self) -> int:
        """Our RTP port; RTCP has the next."""
        return self._deeds.port

    @property
    def leg(self) -> str:
        """The SIP agent's name for the caller's leg, which another may have taken the place of."""
        return self._held.leg_id

    @property
    def held_by(self) -> tuple[str, ...]:
        """Who has it on hold."""
        return self._deeds.held_by

    @property
    def prompt(self) -> str:
        """The prompt that plays."""
        return self._held.prompt

    @property
    def recording(self) -> str:
        """`on`, `paused` or `off`."""
        return self._deeds.recording

    def take(self) -> list[Effect]:
        """Take what is to be done, in order."""
        taken, self._held.effects = self._held.effects, []
        return taken

    def _see(self, seen: Seen | None, event: object, now: float) -> None:
        """Follow the table until nothing more is seen."""
        while seen is not None:
            row = TABLE.get((self.state, seen))
            if row is None:
                self._drop("out_of_place", f"{seen.name.lower()} while {self.state.name.lower()}", now)
                return
            state, words = row
            self._enter(state, seen, now)
            seen = self._act(words, Moment(seen, event, now))

    def _enter(self, state: State, seen: Seen, now: float) -> None:
        if state is not self.state:
            self.state = state
            self._around.entered(self.id, state.name.lower(), seen.name.lower(), now)

    def _act(self, words: tuple[str, ...], moment: Moment) -> Seen | None:
        for word in words:
            seen = DEEDS[word](self._deeds, moment)
            self._deeds.tell_oddities(moment.now)
            if seen is not None:
                return seen
        return None

    def _let_go(self) -> None:
        self._held.leave(Cause.INTERNAL, Cause.INTERNAL.status, "", ())
        self._held.let_go(Cause.INTERNAL.record)

    def _happened(self, kind: Kind, now: float, /, **data: Value) -> None:
        self._around.happened(kind, self.id, now, **data)

    def _drop(self, name: str, detail: str, now: float) -> None:
        self._around.drop(self.id, name, detail, now)


def _or(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
