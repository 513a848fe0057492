"""What was offered and answered on the caller's leg, from the INVITE through every re-INVITE (RFC 3264, RFC 6337)."""

import zlib
from dataclasses import replace
from secrets import token_bytes

from sipgw.call.destinations import Destinations
from sipgw.call.snapshot import KeptNegotiation
from sipgw.errors import PeerError
from sipgw.flow import Endpoint, is_nowhere, nowhere, written
from sipgw.media.plane import Srtp, Stream
from sipgw.options import MediaOptions, SrtpPolicy
from sipgw.sdp.audio import Direction
from sipgw.sdp.crypto import RandomBytes
from sipgw.sdp.formats import usual_type
from sipgw.sdp.model import Sdp
from sipgw.sdp.oddities import Oddity, oddities
from sipgw.sdp.offer import Agreement, LocalAudio, accept, answer, offer

_DISCARD = 9
"""A port for the trial before ours are open."""
_ANY = {False: "0.0.0.0", True: "::"}
"""The address for it, by whether it is one of IPv6."""


class Negotiation:
    """One leg's offers and answers.

    Args:
        call: the call's id; the session id of our descriptions is made of it.
        options: codecs and packet length.
        destinations: where RTP may go.
        random: makes keys.
    """

    def __init__(
        self,
        call: str,
        options: MediaOptions,
        destinations: Destinations | None = None,
        random: RandomBytes = token_bytes,
    ) -> None:
        self._random = random
        self._destinations = destinations or Destinations(options)
        self._source = ""
        """Where the far end's SIP came from."""
        self._heard: Sdp | None = None
        """Their last description."""
        self._oddities: list[Oddity] = []
        self._local = LocalAudio(
            _ANY[False],
            _DISCARD,
            options.codecs,
            options.ptime_ms,
            session_id=zlib.crc32(call.encode()),
        )
        self._theirs: Sdp | None = None
        """The INVITE's offer."""
        self._ours: Sdp | None = None
        """Our offer that waits for its answer in an ACK."""
        self._offered: Direction = "sendrecv"
        """The direction in our offer."""
        self._agreement: Agreement | None = None
        self._print: tuple[Agreement | None, bytes] = None, b""
        self.body = b""
        """What to answer to the INVITE: our answer, or our offer where it had none."""

    def snapshot(self) -> KeptNegotiation:
        """What `restore` needs. Descriptions as they are printed: what strangers put into them need not be text."""
        agreement = self._agreement
        return KeptNegotiation(
            local=self._local,
            ours=None if self._ours is None else bytes(self._ours),
            offered=self._offered,
            agreed=None if agreement is None else self._printed(agreement),
            stream=None if agreement is None else agreement.stream,
            line=0 if agreement is None else agreement.line,
            body=self.body,
            source=self._source,
        )

    def _printed(self, agreement: Agreement) -> bytes:
        """Its description; printed once, as it is kept more often than it changes."""
        if self._print[0] is not agreement:
            self._print = agreement, bytes(agreement.sdp)
        return self._print[1]

    def restore(self, kept: KeptNegotiation) -> None:
        """Go on from there."""
        self._local, self._offered, self.body = kept.local, kept.offered, kept.body
        self._source = kept.source
        self._ours = None if kept.ours is None else Sdp.parse(kept.ours)
        if kept.agreed is not None and kept.stream is not None:
            self._agreement = Agreement(Sdp.parse(kept.agreed), kept.stream, kept.line)

    @property
    def stream(self) -> Stream | None:
        """What is agreed; None where nothing is yet."""
        return _stream(self._agreement) if self._agreement else None

    @property
    def codec(self) -> str:
        """The codec agreed; before that, the one that would be."""
        return self._agreement.stream.codec if self._agreement else self._local.codecs[0]

    @property
    def port(self) -> int:
        """Our RTP port, once it is open."""
        return self._local.port

    @property
    def far_holds(self) -> bool:
        """Whether the far end does not want to hear us: it has put us on hold."""
        return self._agreement is not None and not self._agreement.stream.sending

    @property
    def takes_keys(self) -> bool:
        """Whether the far end agreed to telephone-event."""
        return self._agreement is not None and self._agreement.stream.dtmf_send_type is not None

    @property
    def agreed(self) -> bool:
        """Whether the far end's address is known."""
        return self._agreement is not None

    def take_oddities(self) -> list[Oddity]:
        """What was odd about the descriptions that came since the last time."""
        taken, self._oddities = self._oddities, []
        return taken

    def read(self, body: bytes | None, source: str = "", *, six: bool = False, srtp: SrtpPolicy = "off") -> None:
        """Take the INVITE's offer, None where it had none, and try it before anything is opened.

        Args:
            body: the offer.
            source: the address that the INVITE came from.
            six: signalling is over IPv6, so that media had better be as well; the offer may want it otherwise.
            srtp: whether media are protected.

        Raises:
            PeerError: 400 or 488.
        """
        self._source = source
        self._local = replace(self._local, address=_ANY[six], srtp=srtp)
        if body is not None:
            self._theirs = self._parse(body)
            self._agreement = self._tried(self._theirs, six)

    @property
    def six(self) -> bool:
        """Whether media are to be over IPv6."""
        return ":" in self._local.address

    def _tried(self, theirs: Sdp, six: bool) -> Agreement:
        refusals = []
        for address in (_ANY[six], _ANY[not six]):
            local = replace(self._local, address=address)
            try:
                agreement = answer(theirs, local, random=self._random)
            except PeerError as error:
                refusals.append(error)
            else:
                self._local = local
                return agreement
        raise refusals[0]

    def begin(self, address: str, port: int) -> Stream:
        """Our ports are open: make `body` and the stream.

        Without an offer nothing is known of the far end: the stream goes nowhere until the ACK.

        Raises:
            PeerError: 488.
        """
        self._local = replace(self._local, address=address, port=port)
        if self._theirs is None:
            self._ours = offer(self._local, random=self._random)
            self.body = bytes(self._ours)
            return self._nowhere()
        self._agreement = self._permitted(answer(self._theirs, self._local, random=self._random))
        self.body = bytes(self._agreement.sdp)
        return _stream(self._agreement)

    def moved(self, session: str, body: bytes | None, source: str, *, srtp: SrtpPolicy) -> tuple[bytes, Stream | None]:
        """Another dialog takes this one's place: the body of our 200, and the new stream where it is known now.

        The ports stay. With no offer in its INVITE ours is out, and the old stream goes on until the answer comes.

        Args:
            session: what the session id of our descriptions is made of from now on.
            body: its offer.
            source: the address that its INVITE came from.
            srtp: whether media are protected from now on.

        Raises:
            PeerError: 400 or 488; everything stays as it was.
        """
        local = replace(self._local, session_id=zlib.crc32(session.encode()), srtp=srtp)
        agreement = None if body is None else answer(Sdp.parse(body), local, random=self._random)
        self._local, self._source = local, source
        if agreement is None:
            self._ours = offer(local, random=self._random)
            return bytes(self._ours), None
        self._ours, self._agreement = None, self._permitted(agreement)
        return bytes(agreement.sdp), _stream(self._agreement)

    def reinvited(self, body: bytes | None) -> tuple[bytes, Stream | None]:
        """Answer a re-INVITE: the body of our 200, and the new stream where it changes now.

        Raises:
            PeerError: 400 or 488; everything stays as it was.
        """
        if body is None:
            self._ours = offer(self._local, self._agreement)
            return bytes(self._ours), None
        before = self._agreement
        self._agreement = self._permitted(answer(self._parse(body), self._local, before, self._random))
        return bytes(self._agreement.sdp), self._changed(before)

    def reinvited_early(self, body: bytes | None) -> tuple[bytes, Stream | None]:
        """The same before the answer to the INVITE, which says what is in force by then.

        Raises:
            PeerError: 400 or 488; everything stays as it was.
        """
        self.body, stream = self.reinvited(body)
        return self.body, stream

    def acknowledged(self, body: bytes | None) -> Stream | None:
        """Take the answer out of an ACK or PRACK, where we had made the offer; the new stream where it changes.

        Raises:
            PeerError: there is none, or it is none to our offer.
        """
        return self._answered(body, self._local)

    def _answered(self, body: bytes | None, local: LocalAudio) -> Stream | None:
        if self._ours is None:
            return None
        before, ours, self._ours = self._agreement, self._ours, None
        if before is not None:
            # Its version is used up, whatever becomes of it (RFC 3264 section 8).
            self._agreement = replace(before, sdp=ours)
        if body is None:
            raise PeerError(400, "no answer to our offer")
        self._agreement = self._permitted(accept(ours, self._parse(body), local))
        return self._changed(before)

    def reoffer(self, direction: Direction) -> bytes:
        """An offer of ours for a re-INVITE that asks for nothing but another direction."""
        self._offered = direction
        self._ours = offer(replace(self._local, direction=direction), self._agreement)
        return bytes(self._ours)

    def reanswered(self, body: bytes | None) -> Stream | None:
        """Take the answer to it; the new stream where that changes.

        Raises:
            PeerError: there is none, or it is none to our offer; everything stays as it was.
        """
        local = replace(self._local, direction=self._offered)
        stream = self._answered(body, local)
        self._local = local
        return stream

    def reoffer_refused(self) -> None:
        """It was: everything stays as it was, but its version is used up (RFC 3264 section 8)."""
        if self._ours is not None and self._agreement is not None:
            self._agreement = replace(self._agreement, sdp=self._ours)
        self._ours = None

    def _changed(self, before: Agreement | None) -> Stream | None:
        after = self._agreement
        return _stream(after) if after and (before is None or after.stream != before.stream) else None

    def _parse(self, body: bytes) -> Sdp:
        """Read a description of theirs, and keep what is odd about it."""
        sdp = Sdp.parse(body)
        self._oddities += oddities(body, sdp)
        if self._heard is not None and self._heard.origin == sdp.origin and self._heard != sdp:
            # It should be as before (RFC 3264 section 8), but phones forget to count; what it says is what counts.
            self._oddities.append(Oddity("version_not_raised", str(sdp.origin)))
        self._heard = sdp
        return sdp

    def _permitted(self, agreement: Agreement) -> Agreement:
        """The agreement without places that may not be named."""
        stream = agreement.stream
        remote = self._place(stream.remote)
        reports = remote if is_nowhere(remote) else self._place(stream.remote_rtcp)
        if (remote, reports) == (stream.remote, stream.remote_rtcp):
            return agreement
        return replace(agreement, stream=replace(stream, remote=remote, remote_rtcp=reports))

    def _place(self, place: Endpoint) -> Endpoint:
        if is_nowhere(place):
            return place
        objection = self._destinations.objection(place, self._local.address, self._source)
        if not objection:
            return place
        self._oddities.append(Oddity(objection, written(place), ignored=True))
        return nowhere(place[0])

    def _nowhere(self) -> Stream:
        kind, place = usual_type(self.codec), nowhere(self._local.address)
        return Stream(
            self.codec, place, place, (kind,), kind,
            ptime_ms=self._local.ptime_ms, sending=False, receiving=False,
        )  # fmt: skip


def _stream(agreement: Agreement) -> Stream:
    agreed, keys = agreement.stream, agreement.stream.srtp
    fields = {name: getattr(agreed, name) for name in agreed.__slots__}
    return Stream(**fields | {"srtp": Srtp(keys.suite, keys.ours, keys.theirs) if keys else None})
