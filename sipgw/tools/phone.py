"""A small test phone: calls, speaks, presses keys, listens, hangs up, and reports what it saw and heard."""

import asyncio
import ipaddress
import secrets
import socket
from dataclasses import dataclass, field, replace

from sipgw.errors import PeerError, Unavailable
from sipgw.flow import Endpoint, Flow
from sipgw.io.addresses import towards
from sipgw.io.clock import Clock, MonotonicClock
from sipgw.io.driver import Driver
from sipgw.io.ports import PortPair, PortPool
from sipgw.io.udp import UdpListener
from sipgw.options import MediaOptions, RedirectOptions, SipOptions
from sipgw.sdp.audio import Agreement, LocalAudio
from sipgw.sdp.model import Sdp
from sipgw.sdp.offer import accept, answer, offer
from sipgw.sip.agent import Agent
from sipgw.sip.events import Answered, HungUp, Lost, Progressed, Refused, Reinvited, Released, SipEvent
from sipgw.sip.uri import Uri
from sipgw.tools.phone_media import PhoneMedia
from sipgw.tools.report import CallReport, Signal, report
from sipgw.tools.schedule import keys_after
from sipgw.tools.sound import Sound
from sipgw.trace import Trace, silent

_PORTS = (30_000, 31_999)
"""Outside the gateway's own range."""
_NEARBY_T1 = 0.1
"""On loopback nobody needs half a second for an answer; who is not there is known in 6.4 s."""
_AFTER_SOUND = 1.0
_WITHOUT_SOUND = 10.0


@dataclass(frozen=True, slots=True)
class Order:
    """What the phone is to do."""

    uri: str
    """Whom to call, such as `sip:demo@127.0.0.1:5060`."""
    sound: Sound = field(default_factory=Sound)
    keys: str = ""
    """Pressed one a second, from one second after the sound (or the answer) on."""
    seconds: float | None = None
    """Hang up so long after the answer; None: when everything was said, or after ten seconds with nothing to say."""
    caller: str = "phone"
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers of the INVITE."""

    @property
    def patience(self) -> float:
        """Seconds from the answer until the phone hangs up."""
        if self.seconds is not None:
            return self.seconds
        said = self.sound.seconds + len(self.keys)
        return said + _AFTER_SOUND if said else _WITHOUT_SOUND


async def call(order: Order, *, trace: Trace = silent, clock: Clock | None = None) -> CallReport:
    """Make a call and report on it, whatever became of it.

    Raises:
        PeerError: the URI is none.
        Unavailable: its host is not known, or no port is left.
    """
    remote = await _resolved(Uri.parse(order.uri))
    phone = _Phone(order, remote, clock or MonotonicClock(), trace)
    try:
        await phone.call()
    finally:
        phone.close()
    return phone.report()


class _Phone:
    """One call from its sockets to its report."""

    def __init__(self, order: Order, remote: Endpoint, clock: Clock, trace: Trace) -> None:
        local = _address_towards(remote)
        self._order = order
        self._clock = clock
        self._pair: PortPair = PortPool(MediaOptions(local, first_port=_PORTS[0], last_port=_PORTS[1])).take(0.0)
        self._media = PhoneMedia(UdpListener(self._pair.rtp), clock)
        self._listener = UdpListener.open((local, 0), self._send_failed)
        self._flow = self._listener.flow(remote)
        t1 = _NEARBY_T1 if ipaddress.ip_address(local).is_loopback else 0.5
        stays = RedirectOptions(limit=0)
        options = SipOptions(user_agent="sipgw phone", node="phone", t1=t1, redirects=stays)
        self._agent = Agent(options, token=lambda: secrets.token_hex(8), trace=trace)
        self._driver: Driver[SipEvent] = Driver(self._agent, self._send, self._on_event, clock=clock, trace=trace)
        codecs, session = order.codecs, secrets.randbits(31)
        self._local = LocalAudio(local, self._pair.port, codecs, session_id=session)
        self._offer = offer(self._local)
        self._agreed: Agreement | None = None
        self._over = asyncio.Event()
        self._hang_up_timer: asyncio.TimerHandle | None = None
        self._leg = ""
        self._began = 0.0
        self._answered: float | None = None
        self._ended: float | None = None
        self._status = 0
        self._ending = ""
        self._signals: list[Signal] = []

    async def call(self) -> None:
        """From the INVITE to the end of the last transaction."""
        self._listener.start(self._receive)
        self._began = self._clock.now()
        body, host = bytes(self._offer), self._flow.local[0]
        caller = f"<sip:{self._order.caller}@{f'[{host}]' if ':' in host else host}>"
        self._leg = self._driver.run(
            lambda now: self._agent.invite(
                self._order.uri, self._flow, body, now, from_=caller, headers=self._order.headers
            )
        )
        try:
            await self._over.wait()
        except asyncio.CancelledError:  # Ctrl-C: leave nobody on the line
            self._driver.run(lambda now: self._agent.hang_up(self._leg, now))
            raise

    def close(self) -> None:
        """Give everything back."""
        if self._hang_up_timer is not None:
            self._hang_up_timer.cancel()
        self._media.stop()
        self._driver.close()
        self._listener.close()
        self._pair.rtcp.close()

    def report(self) -> CallReport:
        """What became of the call."""
        ended = self._clock.now() if self._ended is None else self._ended
        return report(
            uri=self._order.uri,
            status=self._status,
            ending=self._ending,
            began=self._began,
            answered=self._answered,
            ended=ended,
            signals=self._signals,
            media=self._media,
        )

    def _send(self, data: bytes, flow: Flow) -> None:
        self._signals.append(Signal.of(self._clock.now(), data, sent=True))
        self._listener.send(data, flow)

    def _send_failed(self, name: str, flow: Flow) -> None:
        self._driver.run(lambda now: self._agent.transport_failed(flow, now))

    def _receive(self, data: bytes, source: Flow) -> None:
        self._signals.append(Signal.of(self._clock.now(), data, sent=False))
        self._driver.receive(data, source)

    def _on_event(self, event: SipEvent, now: float) -> None:
        match event:
            case Progressed():
                self._status = event.response.status
                self._on_early_media(event.response.body)
            case Answered():
                self._on_answer(event.response.body, now)
            case Refused(initial=True):
                self._status = event.status
                self._end("refused" if event.response is not None else "nobody answers", now)
            case Reinvited():
                self._on_reinvite(event)
            case HungUp():
                self._end("the far end hung up", now)
            case Released():
                self._end(self._ending or "the phone hung up", now)
            case Lost():
                self._end(f"lost: {event.reason}", now)

    def _on_early_media(self, body: bytes) -> None:
        """Listen to what is to be heard before the answer; the phone itself speaks after it."""
        if not body or self._agreed is not None:
            return
        try:
            self._agreed = accept(self._offer, Sdp.parse(body), self._local)
        except PeerError:
            return  # the answer may have a better one
        self._media.listen(self._agreed.stream)

    def _on_answer(self, body: bytes, now: float) -> None:
        self._status, self._answered = 200, now
        try:
            agreed = self._agreed
            if body or agreed is None:
                agreed = self._agreed = accept(self._offer, Sdp.parse(body), self._local)
        except PeerError as error:
            self._hang_up(f"the answer cannot be used: {error}")
            return
        stream = agreed.stream
        keys = keys_after(self._order.sound.seconds + 1.0, self._order.keys)
        self._media.start(stream, self._order.sound, keys)
        loop = asyncio.get_running_loop()
        self._hang_up_timer = loop.call_later(self._order.patience, self._hang_up, "the phone hung up")

    def _on_reinvite(self, event: Reinvited) -> None:
        """Let us be put on hold, and taken off it."""
        assert self._agreed is not None, "a re-INVITE comes after the answer"
        local = replace(self._local, codecs=(self._agreed.stream.codec,))
        try:
            agreed = self._agreed = answer(Sdp.parse(event.request.body), local, self._agreed)
        except PeerError as error:
            status = error.status
            self._driver.run(lambda now: self._agent.refuse(event.leg, status, now))
            return
        self._media.held = not agreed.stream.sending
        self._driver.run(lambda now: self._agent.answer(event.leg, bytes(agreed.sdp), now))

    def _hang_up(self, why: str) -> None:
        self._ending, self._ended = why, self._clock.now()
        self._media.stop()
        self._driver.run(lambda now: self._agent.hang_up(self._leg, now))

    def _end(self, why: str, now: float) -> None:
        self._ending = why
        self._ended = now if self._ended is None else self._ended
        self._media.stop()
        self._over.set()


async def _resolved(uri: Uri) -> Endpoint:
    """Where a URI leads, its port 5060 where it names none (RFC 3263 without SRV and NAPTR)."""
    if uri.scheme != "sip" or not uri.host:
        raise PeerError(400, f"{uri.raw} is no sip: URI")
    host, port = uri.host.strip("[]"), uri.port or 5060
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError:
        raise Unavailable(f"{host} is not known") from None
    # IPv4 first: most gateways listen there only.
    address = min(found, key=lambda one: one[0] != socket.AF_INET)[4]
    return str(address[0]), int(address[1])


def _address_towards(remote: Endpoint) -> str:
    """Our address on the way to `remote`, as the routing table has it."""
    try:
        return towards(remote[0])
    except OSError as error:
        raise Unavailable(f"{remote[0]} cannot be reached: {error.strerror}") from None
