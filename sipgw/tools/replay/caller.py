"""Stands in for the caller of one captured call: does what it did, and reacts to what we say as it reacted then.

Its times are the capture's: from the INVITE up to the answer, and from the answer on as far after ours as they were
after the captured one. So a call keeps its length, whoever answers sooner.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sipgw.errors import PeerError
from sipgw.flow import Endpoint, Flow
from sipgw.sip.message import Request, Response
from sipgw.tools.replay import fitting
from sipgw.tools.replay.described import Described, described
from sipgw.tools.replay.fitting import Dialog
from sipgw.tools.replay.script import Act, MediaPacket, Part
from sipgw.tools.replay.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Network:
    """Where a caller's datagrams go."""

    sip: Callable[[Request | Response, Flow], None]
    media: Callable[[Endpoint, bytes, Endpoint], None]
    """Takes our end, the datagram, and where it comes from."""


class Caller:
    """The stand-in for one call's caller.

    Args:
        part: what it did.
        timeline: where it makes its appointments.
        network: takes what it sends.
    """

    def __init__(self, part: Part, timeline: Timeline, network: Network) -> None:
        self.part = part
        self._timeline, self._network = timeline, network
        self._invite = part.invite
        self._dialog = Dialog()
        self._shift: float | None = None
        """From the captured answer to ours; None before ours."""
        self._over = False
        self._ours: Described | None = None
        self._number = part.invite.cseq.number
        self._media = iter(part.media)
        self.left_out: Counter[str] = Counter(part.left_out)
        """What was not sent, by why."""

    def start(self) -> None:
        """Make the appointments that do not depend on the answer."""
        for act in self.part.acts:
            if not act.after_answer:
                self._timeline.at(act.when, lambda act=act: self._do(act))  # type: ignore[misc]
        if self.part.answered is None:
            self._speak_on(0.0)

    # --- what we say to it ----------------------------------------------------------------------------------------

    def receive(self, message: Request | Response) -> None:
        """A SIP message of ours came."""
        try:
            self._take(message)
        except PeerError:  # made of something of the caller's that cannot be read
            self.left_out["unreadable"] += 1

    def _take(self, message: Request | Response) -> None:
        if isinstance(message, Request):
            self._asked(message)
        elif message.cseq.method == "INVITE" and message.status > 100:
            self._hear(message)

    def _hear(self, response: Response) -> None:
        first = response.cseq.number == self.part.invite.cseq.number
        if response.status < 300:
            self._dialog = self._dialog.heard(response)
            self._ours = described(response.body) or self._ours
        if response.status >= 200:
            self._acknowledge(response)
        if response.status >= 200 and first and self._shift is None:
            self._settle(response)

    def _settle(self, response: Response) -> None:
        """Our first final response: either the call goes on from here, or it is over."""
        if response.status >= 300:
            self._over = True
            return
        answered, now = self.part.answered, self._timeline.now
        self._shift = 0.0 if answered is None else now - answered
        for act in self.part.acts:
            if act.after_answer:
                self._timeline.at(act.when + self._shift, lambda act=act: self._do(act))  # type: ignore[misc]
        if answered is not None:
            self._speak_on(self._shift)
        if self.part.hung_up is not None:
            self._timeline.at(self.part.hung_up + self._shift, self._hang_up)

    def _acknowledge(self, response: Response) -> None:
        number = response.cseq.number
        if number in self.part.acks and self.part.acks[number] is None and response.status < 300:
            self.left_out["never_acknowledged"] += 1
            return
        captured = self.part.acks.get(number)
        ack = fitting.acknowledging(captured, self._invite, response, self._dialog)
        delay = 0.0 if captured is None else captured.delay
        self._timeline.at(self._timeline.now + delay, lambda: self._send(ack, self.part.caller))

    def _asked(self, request: Request) -> None:
        """We want something of it."""
        captured = self.part.replies.get(request.method)
        reply = fitting.replying(captured, request)
        if request.method == "BYE":
            self._over = True
        if request.method != "ACK":
            delay = 0.0 if captured is None else captured.delay
            self._timeline.at(self._timeline.now + delay, lambda: self._send(reply, self.part.caller))

    def leave(self) -> None:
        """The capture says nothing more: hang up, if the call is up."""
        if self._shift is not None and not self._over:
            self.left_out["no_end_captured"] += 1
            self._hang_up()

    # --- what it does by itself -----------------------------------------------------------------------------------

    def _do(self, act: Act) -> None:
        if self._over:
            self.left_out["after_the_end"] += 1
            return
        try:
            self._act(act)
        except PeerError:  # what cannot be read cannot be fitted into our dialog
            self.left_out["unreadable"] += 1

    def _act(self, act: Act) -> None:
        request = act.request
        self._number = max(self._number, request.cseq.number)
        if request.method == "CANCEL":
            self._give_up(act)
        elif request.to.tag is None:
            self._send(request, act.source)
        elif self._shift is None:
            self._in_no_dialog(act)
        else:
            self._within(act)

    def _within(self, act: Act) -> None:
        fitted = fitting.within(act.request, self._dialog)
        if fitted.method == "INVITE":
            self._invite = fitted
        self._over = fitted.method == "BYE"
        self._send(fitted, act.source)

    def _in_no_dialog(self, act: Act) -> None:
        """We have not answered: to end the call now is to take the INVITE back (RFC 3261 section 15)."""
        if act.request.method == "BYE" and self._dialog.to:
            self._within(act)
        else:
            self.left_out["not_answered"] += 1

    def _give_up(self, act: Act) -> None:
        """Where we have answered already, a CANCEL has no effect and the phone would hang up (RFC 3261 9.1)."""
        if self._shift is None:
            self._send(fitting.cancelling(act.request, self._invite), act.source)
        else:  # behind an ACK of this moment
            self._timeline.at(self._timeline.now, self._hang_up)

    def _hang_up(self) -> None:
        if not self._over:
            self._over = True
            self._number += 1
            bye = fitting.hanging_up(self.part.invite, self._dialog, self._number)
            self._send(bye, self.part.caller)

    def _send(self, message: Request | Response, source: Endpoint) -> None:
        self._network.sip(message, Flow(self.part.transport, self.part.callee, source))

    # --- media ----------------------------------------------------------------------------------------------------

    def _speak_on(self, shift: float) -> None:
        """Make the appointment for the next packet; the others follow one by one."""
        if (packet := next(self._media, None)) is not None:
            self._timeline.at(packet.when + shift, lambda: self._speak(packet, shift))

    def _speak(self, packet: MediaPacket, shift: float) -> None:
        self._speak_on(shift)
        ours = self._ours
        if self._over or ours is None:
            self.left_out["media_after_the_end" if self._over else "media_before_our_sdp"] += 1
            return
        data = fitting.packet(packet.data, self.part.names, ours.names)
        self._network.media(ours.rtcp if packet.rtcp else ours.rtp, data, packet.source)
