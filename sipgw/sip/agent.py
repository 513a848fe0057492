"""The user agent: bytes and commands in, bytes and events out (RFC 3261). A pure core; see `sipgw/io/driver.py`.

Commands name a leg. One for a leg that has just ended, or that waits for nothing, is no error: the event that says so
may still be on its way up. It is traced as `late_command`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sipgw.errors import UsageError
from sipgw.flow import Flow
from sipgw.options import SipOptions, TrunkOptions
from sipgw.sip import bye, calling, memory, our_invite, our_update, refresh, serving, their_invite, their_update
from sipgw.sip.bans import Bans
from sipgw.sip.core import Changed, Core, Door, unheard
from sipgw.sip.dialog import Dialog
from sipgw.sip.digest import Credentials
from sipgw.sip.events import SipEvent
from sipgw.sip.leg import Extra, Leg, Stage
from sipgw.sip.paths import Naming
from sipgw.sip.registrar import Registrar
from sipgw.sip.registration import Registration, RegistrationEvent
from sipgw.trace import Trace, silent


class Agent:
    """One SIP user agent.

    Args:
        options: how to behave.
        token: gives a random word, different each time, of letters and digits; it must be hard to guess.
        trace: hears what comes, goes and is dropped. The `call` of its notes is the leg's name, where one is known.
        changed: hears the name of a leg whose snapshot may be another one from now on, before anything is sent.
    """

    def __init__(
        self, options: SipOptions, *, token: Callable[[], str], trace: Trace = silent, changed: Changed = unheard
    ) -> None:
        self._core = Core(options, token, trace, changed)
        self._core.refresh, self._core.expire = refresh.refresh, refresh.expire

    @property
    def draining(self) -> bool:
        """Whether OPTIONS is answered with 503, so that carriers send new calls elsewhere."""
        return self._core.draining

    @draining.setter
    def draining(self, value: bool) -> None:
        self._core.draining = value

    def reconfigure(self, options: SipOptions, now: float) -> None:
        """Believe from now on whom these options name: trunks, phones, known addresses; defend us as they say."""
        self._core.reconfigure(options, now)

    @property
    def registrar(self) -> Registrar:
        """Who among the phones is registered, and how they are called."""
        return self._core.registrar

    @property
    def door(self) -> Door:
        """Who says of every new call whether it is refused at once, without a transaction (RFC 3261 section 8.2.7)."""
        return self._core.door

    @door.setter
    def door(self, value: Door) -> None:
        self._core.door = value

    @property
    def bans(self) -> Bans:
        """Who gets nothing for a while: to be looked at, to be lifted, and to hear of."""
        return self._core.defence.bans

    def spares(self, source: Flow) -> bool:
        """Whether limits are not for this source: the configuration names it, or its certificate proves who it is."""
        return self._core.defence.spares(source)

    @property
    def naming(self) -> Naming:
        """Who says by which host the far end of a flow reaches us; goes into Via and Contact."""
        return self._core.naming

    @naming.setter
    def naming(self, value: Naming) -> None:
        self._core.naming = value

    def receive(self, data: bytes, source: Flow, now: float) -> None:
        """A datagram came."""
        serving.receive(self._core, data, source, now)

    def transport_failed(self, flow: Flow, now: float) -> None:
        """What was sent on `flow` could not be delivered: requests on it fail with 503 (RFC 3261 8.1.3.1)."""
        self._core.exchange.transport_failed(flow, now)

    def flow_lost(self, flow: Flow, now: float) -> None:
        """A connection is over, or could not be made: requests on it fail, and its dialogs need another."""
        self._core.flow_lost(flow, now)

    def stream_broke(self, error: Exception, flow: Flow, now: float) -> None:
        """A stream cannot be read on: say why, where that much of a request came that it can be answered."""
        serving.reject_stream(self._core, error, flow, now)

    def handle_timers(self, now: float) -> None:
        """Do what is due."""
        self._core.exchange.timers.run(now)

    def next_timer(self) -> float | None:
        """When `handle_timers` is wanted next, or None."""
        return self._core.exchange.timers.next()

    def to_send(self) -> list[tuple[bytes, Flow]]:
        """Take the datagrams to send, in order."""
        return self._core.exchange.to_send()

    def events(self) -> list[SipEvent]:
        """Take what happened, in order."""
        taken, self._core.events = self._core.events, []
        return taken

    def ring(self, leg: str, now: float, status: int = 180, body: bytes = b"", headers: Extra = ()) -> None:
        """Send a provisional response to the INVITE that waits; with a body it is early media's offer or answer.

        Raises:
            UsageError: `status` is not 101 to 199.
        """
        if not 100 < status < 200:
            raise UsageError(f"{status} is no provisional response")
        if found := self._find(leg, now, "ring"):
            their_invite.ring(self._core, found, now, status, body, headers)

    def answer(self, leg: str, body: bytes, now: float, headers: Extra = ()) -> None:
        """Accept the INVITE or re-INVITE that waits. The 200 is repeated until its ACK comes: then `Confirmed`.

        If none comes in 64 * T1, `Lost` is told with `no_ack` and a BYE is sent. An offer that came meanwhile, in an
        UPDATE or PRACK (`Reinvited`), is answered first; nobody confirms that.
        """
        found = self._find(leg, now, "answer")
        if found is not None and found.offer is not None:
            their_update.answer(self._core, found.offer, found, body, now, headers)
        elif found is not None:
            their_invite.answer(self._core, found, body, now, headers)

    def refuse(self, leg: str, status: int, now: float, reason: str | None = None, headers: Extra = ()) -> None:
        """Refuse the INVITE that waits, which ends the leg without an event, or the re-INVITE, which does not end it.

        An offer that came meanwhile, in an UPDATE or PRACK (`Reinvited`), is refused first, which ends nothing.

        Raises:
            UsageError: `status` is not 300 to 699.
        """
        if not 300 <= status < 700:
            raise UsageError(f"{status} is no refusal")
        found = self._find(leg, now, "refuse")
        if found is not None and found.offer is not None:
            their_update.refuse(self._core, found.offer, found, status, now, reason or "", headers)
        elif found is not None:
            their_invite.refuse(self._core, found, status, now, reason or "", headers)

    def hang_up(self, leg: str, now: float, headers: Extra = ()) -> None:
        """End the leg: BYE, or CANCEL where our INVITE has no answer. Either waits until it may be sent.

        Then `Released` is told, or `Lost` where nobody answered the BYE.

        Raises:
            UsageError: the leg is theirs and has no answer; that is for `refuse`.
        """
        if found := self._find(leg, now, "hang_up"):
            if found.stage is Stage.ASKED:
                if their_invite.withdraw(self._core, found, now):
                    return
                raise UsageError("an unanswered call is refused, not hung up")
            bye.hang_up(self._core, found, now, headers)

    def invite(
        self,
        uri: str,
        flows: Flow | Sequence[Flow],
        body: bytes,
        now: float,
        *,
        from_: str,
        to: str | None = None,
        headers: Extra = (),
        credentials: Sequence[Credentials] = (),
    ) -> str:
        """Call `uri`; the name of the new leg.

        Args:
            uri: the Request-URI.
            flows: the path to the next hop, or several: the next is taken where one does not work (RFC 3263 4.3).
            body: the SDP offer; empty to get one in a response, which `acknowledge` answers.
            now: seconds.
            from_: the From value without a tag, `"name" <sip:…>` or `<sip:…>`.
            to: the To value; `uri` where it is None.
            headers: further headers.
            credentials: for who asks who we are; also for what is sent within the dialog.
        """
        paths = (flows,) if isinstance(flows, Flow) else flows
        return calling.invite(
            self._core, uri, paths, body, now, from_=from_, to=to, headers=headers, credentials=credentials
        )

    def follow(self, leg: str, flows: Sequence[Flow], now: float) -> None:
        """The answer to `Redirected`: the paths to that place, the best first; none where it cannot be found.

        Then the next place is asked for; `Refused` is told where there is none.
        """
        if found := self._find(leg, now, "follow"):
            calling.follow(self._core, found, flows, now)

    def reinvite(self, leg: str, body: bytes, now: float, headers: Extra = ()) -> None:
        """Offer anew within a confirmed leg: `Answered`, or `Refused` with `initial` false. Without a body they are to.

        While another INVITE of the leg is pending, `Refused` comes at once with 491: try again later (RFC 3261 14.1).
        """
        if found := self._find(leg, now, "reinvite"):
            our_invite.reinvite(self._core, found, body, now, headers)

    def acknowledge(self, leg: str, body: bytes, now: float, phone: str = "") -> None:
        """Answer the offer in a response to our INVITE without one (`offers` of `Answered` and `Progressed`).

        Args:
            leg: whose.
            body: the SDP answer; it goes into the ACK, or into the PRACK of a provisional response.
            now: seconds.
            phone: which one's, where several ring; empty for the one that offered first.
        """
        if found := self._find(leg, now, "acknowledge"):
            our_invite.acknowledge(self._core, found, body, now, phone)

    def update(self, leg: str, body: bytes, now: float, headers: Extra = ()) -> None:
        """Offer anew by an UPDATE (RFC 3311): `Answered`, or `Refused` with `initial` false.

        Also before the answer to an INVITE, once its offer has been answered for certain (RFC 3262); nobody has to
        be asked before it is answered. While another offer waits for its answer, `Refused` comes at once with 491.
        """
        if found := self._find(leg, now, "update"):
            our_update.offer(self._core, found, body, now, headers)

    def register(self, trunk: TrunkOptions, now: float) -> None:
        """Register with a trunk, and stay so; `registration_events` tell what is wanted and what became of it."""
        self._core.registrations[trunk.name] = Registration(self._core, trunk, now)

    def places(self, trunk: str, flows: Sequence[Flow], now: float) -> None:
        """The answer to `PlacesWanted`."""
        if registration := self._core.registrations.get(trunk):
            registration.places(flows, now)

    def leave(self, trunk: str, now: float) -> None:
        """Take the registration with a trunk back; `Unregistered` follows where there was one."""
        if registration := self._core.registrations.get(trunk):
            registration.leave(now)

    def tell_of_registrations(self, moved: Callable[[], None]) -> None:
        """From now on call `moved`, which must not call us back at once, when `registration_events` has more."""
        self._core.registrations_moved = moved

    def registration_events(self) -> list[RegistrationEvent]:
        """Take what registrations want, and what became of them."""
        taken, self._core.registration_events = self._core.registration_events, []
        return taken

    def dialog(self, leg: str) -> Dialog | None:
        """The leg's dialog, to be read only; None where there is none yet or no longer."""
        found = self._core.legs.get(leg)
        return found.dialog if found is not None else None

    def snapshot(self, leg: str) -> dict[str, Any] | None:
        """What of the leg is to outlive us, as plain data; None where that is nothing."""
        found = self._core.legs.get(leg)
        return memory.written(found) if found is not None else None

    def restore(self, leg: str, plain: Mapping[str, Any], now: float) -> None:
        """Go on with a leg by its snapshot, also one that went through JSON.

        Raises:
            ValueError: it was written by a version that we do not know.
        """
        memory.restored(self._core, leg, plain, now)

    def _find(self, leg: str, now: float, command: str) -> Leg | None:
        found = self._core.legs.get(leg)
        if found is None:
            self._core.drop("late_command", now, command, leg)
        return found
