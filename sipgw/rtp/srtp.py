"""SRTP and SRTCP (RFC 3711, 6188, 7714) for one session: what it sends is protected, what it gets is checked.

The keys come from signalling (SDES, RFC 4568): each side says with what it protects. A session that goes on in another
process must not count from the beginning: the same key with the same numbers would give away what was said.
"""

from dataclasses import dataclass

from pylibsrtp import Error, Policy, Session

from sipgw.errors import UsageError
from sipgw.rtp.libsrtp import rollover_of, set_rollover, use_aes_256_cm
from sipgw.rtp.packet import BadPacket

_WINDOW = 128
"""Packets behind the newest that are still taken, each once (RFC 3711 section 3.3.2)."""
_REASONS = {
    "authentication failure": "srtp_not_authentic",
    "replay check failed (bad index)": "srtp_replayed",
    "replay check failed (index too old)": "srtp_too_old",
}


@dataclass(frozen=True, slots=True)
class Suite:
    """How packets are protected, by the name that SDP has for it."""

    name: str
    profile: int
    key_bytes: int
    """Of master key and master salt, one behind the other."""


SUITES = {
    one.name: one
    for one in (
        Suite("AEAD_AES_256_GCM", Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
        Suite("AEAD_AES_128_GCM", Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
        Suite("AES_256_CM_HMAC_SHA1_80", Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 46),
        Suite("AES_CM_128_HMAC_SHA1_80", Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
        Suite("AES_CM_128_HMAC_SHA1_32", Policy.SRTP_PROFILE_AES128_CM_SHA1_32, 30),
    )
}
"""The strongest first."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where streams go on that another process has begun."""

    sent: int
    """Extended sequence number of the next packet of ours: the bits above the lower 16 are the rollover counter."""
    sent_reports: int = 0
    """RTCP packets sent, at least; the next one's index is beyond."""
    source: int | None = None
    """The far end's SSRC, where it has sent anything."""
    received: int = 0
    """The highest extended sequence number of it."""
    sure: bool = True
    """False with another key of theirs: who is there now may have kept its rollover counter (RFC 3711 section 3.3.1)
    or begin at 0 (RFC 4568 section 7.1.4, and some in any case); what the first packet fits counts."""


class Protection:
    """Both directions of one session.

    Args:
        suite: a name of `SUITES`.
        ours: master key and salt with which we protect.
        theirs: those of the far end.
        ssrc: our source.
        resume: None for a session that begins.
        before: what protected until now. Where our key stays, its counters go on: another packet with a number that
            the key has seen would give both away.

    Raises:
        UsageError: there is no such suite, or a key is too short for it.
    """

    __slots__ = ("_anew", "_in", "_out", "_sends_by")

    def __init__(
        self,
        suite: str,
        ours: bytes,
        theirs: bytes,
        ssrc: int,
        resume: Resumption | None = None,
        before: "Protection | None" = None,
    ) -> None:
        self._sends_by = suite, ours
        self._in = Session(_policy(suite, theirs, Policy.SSRC_ANY_INBOUND))
        self._anew: Session | None = None
        """In place of `_in`, until a packet shows which it is."""
        stays = before is not None and before._sends_by == self._sends_by
        self._out: Session = before._out if before and stays else _sender(suite, ours, ssrc, resume)
        if resume is not None and resume.source is not None:
            self._in.add_stream(_policy(suite, theirs, Policy.SSRC_SPECIFIC, resume.source))
            set_rollover(self._in, resume.source, resume.received >> 16)
            if not resume.sure:
                self._anew = Session(_policy(suite, theirs, Policy.SSRC_ANY_INBOUND))

    def received(self, source: int, sequence: int) -> int:
        """The extended sequence number of a packet of the far end that was the newest."""
        return rollover_of(self._in, source) << 16 | sequence & 0xFFFF

    def protect(self, packet: bytes) -> bytes:
        """An RTP packet as it is sent."""
        return self._out.protect(packet)

    def protect_rtcp(self, packet: bytes) -> bytes:
        """A compound RTCP packet as it is sent."""
        return self._out.protect_rtcp(packet)

    def unprotect(self, packet: bytes) -> bytes:
        """The RTP packet that was sent. Raises BadPacket where it is not authentic, or came before."""
        try:
            plain = self._in.unprotect(packet)
        except (Error, ValueError) as error:
            if self._anew is None:
                raise _bad(error) from error
            plain = self._begun_anew(self._anew, packet)
        self._anew = None
        return plain

    def _begun_anew(self, session: Session, packet: bytes) -> bytes:
        try:
            plain = session.unprotect(packet)
        except (Error, ValueError) as error:
            raise _bad(error) from error
        self._in = session
        return plain

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """The RTCP packet that was sent. Raises BadPacket as `unprotect`."""
        try:
            return self._in.unprotect_rtcp(packet)
        except (Error, ValueError) as error:
            raise _bad(error) from error


def _sender(suite: str, key: bytes, ssrc: int, resume: Resumption | None) -> Session:
    session = Session(_policy(suite, key, Policy.SSRC_SPECIFIC, ssrc))
    if resume is not None:
        set_rollover(session, ssrc, resume.sent >> 16)
        for _ in range(resume.sent_reports):  # there is no other way to move the index of SRTCP on
            session.protect_rtcp(_report(ssrc))
    return session


def _policy(name: str, key: bytes, kind: int, ssrc: int = 0) -> Policy:
    suite = SUITES.get(name)
    if suite is None:
        raise UsageError(f"no SRTP suite {name!r}; there are {', '.join(SUITES)}")
    if len(key) != suite.key_bytes:
        raise UsageError(f"{name} has a key of {suite.key_bytes} octets, not {len(key)}")
    policy = Policy(key, kind, ssrc, suite.profile)
    if name == "AES_256_CM_HMAC_SHA1_80":
        use_aes_256_cm(policy)
    policy.window_size = _WINDOW
    return policy


def _report(ssrc: int) -> bytes:
    """The shortest RTCP packet there is."""
    return b"\x80\xc9\x00\x01" + ssrc.to_bytes(4, "big")


def _bad(error: Exception) -> BadPacket:
    return BadPacket(_REASONS.get(str(error), "srtp_unusable"))
