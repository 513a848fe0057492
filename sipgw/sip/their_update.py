"""An UPDATE of the peer's: a refresh of the session, or an offer within a dialog, answered at once (RFC 3311)."""

from sipgw.errors import PeerError
from sipgw.sip.core import Core
from sipgw.sip.events import Reinvited
from sipgw.sip.leg import Extra, Leg, Stage
from sipgw.sip.message import Request, Response
from sipgw.sip.server_transaction import ServerTransaction
from sipgw.sip.transaction import State


class TheirUpdate:
    """One UPDATE with an offer. It is answered like a re-INVITE, but nobody acknowledges the answer."""

    unacknowledged: tuple[Request, Response] | None = None

    def __init__(self, core: Core, leg: Leg, request: Request, server: ServerTransaction) -> None:
        self.request, self.server = request, server
        self._core, self._leg = core, leg

    @property
    def waits(self) -> bool:
        """Whether it has no final response yet."""
        return self.server.state in (State.TRYING, State.PROCEEDING)

    def respond(self, status: int, now: float, reason: str = "", headers: Extra = (), body: bytes = b"") -> None:
        """Send a response."""
        if 100 < status < 300:
            headers = self._core.capable(self._leg.flow, headers)
        response = self._core.respond(self.request, status, reason=reason, headers=headers, body=body)
        self.server.respond(response, now)

    def accept(self, body: bytes, now: float, headers: Extra) -> None:
        """Send 200; that is all there is to it."""
        self.respond(200, now, headers=headers, body=body)
        self.settle()

    def acknowledged(self, ack: Request) -> bool:
        """An ACK is for something else."""
        return False

    def abandon(self, now: float) -> None:
        """The dialog ends."""
        if self.waits:
            self.respond(487, now)
        self.settle()

    def settle(self) -> None:
        """Nothing is left to be done."""
        if self._leg.theirs is self:
            self._leg.theirs = None


def receive_update(core: Core, leg: Leg, request: Request, server: ServerTransaction, now: float) -> None:
    """Their UPDATE (RFC 3311 section 5.2).

    Before the answer to the INVITE nothing of ours can be negotiated anew yet: 500, later.
    """
    timer = core.timer_of(leg)
    timer.asked(request)
    if not request.body:
        if leg.dialog is not None:
            leg.dialog.refresh(request)
            core.changed(leg.name)
        headers = timer.accept(now) if leg.stage is Stage.UP else ()
        server.respond(core.respond(request, 200, headers=core.capable(leg.flow, headers)), now)
        return
    if leg.stage is not Stage.UP:
        raise PeerError(500, "", (("Retry-After", str(core.spread(10))),))
    if leg.ours is not None or (leg.theirs is not None and not leg.theirs.waits):
        raise PeerError(491)
    if leg.theirs is not None:
        raise PeerError(500, "", (("Retry-After", str(core.spread(10))),))
    leg.theirs = TheirUpdate(core, leg, request, server)
    core.tell(Reinvited(leg.name, request))
