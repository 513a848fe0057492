"""The stand-in for a captured caller, hand in hand with a far end that the test plays."""

from dataclasses import dataclass, field

from sipgw.flow import Endpoint, Flow
from sipgw.sip.message import Request, Response, parse
from sipgw.tools.replay.caller import Caller, Network
from sipgw.tools.replay.casting import Datagrams, part_of
from sipgw.tools.replay.timeline import Timeline
from tests.fakes.captured import BEGAN, Capture, call, message, sdp

OURS = ("198.51.100.1", 20_000)


@dataclass
class FarEnd:
    """Keeps what the caller sends, with the time."""

    capture: Capture
    timeline: Timeline = field(default_factory=Timeline)
    sip: list[tuple[float, Request | Response]] = field(default_factory=list)
    media: list[tuple[float, Endpoint]] = field(default_factory=list)

    def __post_init__(self) -> None:
        part = part_of(self.capture.messages(), Datagrams(self.capture.datagrams, BEGAN), BEGAN)
        assert part is not None
        self.caller = Caller(part, self.timeline, Network(self._sip, self._media))
        self.caller.start()

    def _sip(self, sent: Request | Response, flow: Flow) -> None:
        self.sip.append((round(self.timeline.now, 3), sent))

    def _media(self, end: Endpoint, data: bytes, source: Endpoint) -> None:
        self.media.append((round(self.timeline.now, 3), end))

    def says(self, when: float, start: str, cseq: str = "1 INVITE", body: bytes = b"") -> None:
        """The far end says something at a time."""
        said = parse(message(start, cseq=cseq, tag="ours", body=body, swapped=not start.startswith("SIP/2.0")))
        self.timeline.at(when, lambda: self.caller.receive(said))

    def methods(self) -> list[tuple[float, str]]:
        """What the caller sent until nothing more happened."""
        while self.timeline.next() is not None:
            self.timeline.step()
        return [(when, sent.method if isinstance(sent, Request) else str(sent.status)) for when, sent in self.sip]


def ringing_only() -> Capture:
    made = Capture().sent(0.0, message("INVITE sip:echo@192.0.2.9 SIP/2.0", cseq="1 INVITE", body=sdp()))
    made.got(0.1, message("SIP/2.0 180 Ringing", cseq="1 INVITE", tag="b"))
    return made.sent(3.0, message("CANCEL sip:echo@192.0.2.9 SIP/2.0", cseq="1 CANCEL", branch="z9hG4bKx"))


def test_everything_after_the_answer_keeps_its_distance_from_the_answer() -> None:
    far = FarEnd(call(ringing=1.0, seconds=2.0))
    far.says(5.0, "SIP/2.0 200 OK", body=sdp(OURS))
    assert far.methods() == [(0.0, "INVITE"), (5.01, "ACK"), (7.0, "BYE")]
    assert far.media[0] == (5.02, OURS)
    assert len(far.media) == 98


def test_a_repeated_200_is_acknowledged_again_and_changes_nothing_else() -> None:
    far = FarEnd(call(ringing=1.0, seconds=2.0))
    for when in (0.5, 1.0):
        far.says(when, "SIP/2.0 200 OK", body=sdp(OURS))
    assert far.methods() == [(0.0, "INVITE"), (0.51, "ACK"), (1.01, "ACK"), (2.5, "BYE")]
    assert len(far.media) == 98


def test_a_cancel_while_it_rings_has_the_branch_of_the_invite_as_it_was_sent() -> None:
    far = FarEnd(ringing_only())
    far.says(0.2, "SIP/2.0 180 Ringing")
    far.says(3.1, "SIP/2.0 487 Request Terminated")
    assert far.methods() == [(0.0, "INVITE"), (3.0, "CANCEL"), (3.1, "ACK")]
    assert len({sent.via.branch for _, sent in far.sip}) == 1


def test_without_an_answer_nothing_that_followed_it_is_sent() -> None:
    far = FarEnd(call())
    far.says(0.5, "SIP/2.0 486 Busy Here")
    assert far.methods() == [(0.0, "INVITE"), (0.51, "ACK")]
    assert far.media == []


def test_early_words_wait_for_no_answer_but_need_an_address() -> None:
    made = ringing_only().talk(0.5, 10)
    far = FarEnd(made)
    far.says(0.6, "SIP/2.0 183 Session Progress", body=sdp(OURS))
    far.methods()
    assert far.caller.left_out["media_before_our_sdp"] > 0
    assert 0 < len(far.media) < 10


def test_our_bye_is_answered_and_ends_everything() -> None:
    far = FarEnd(call(ringing=1.0, seconds=2.0))
    far.says(0.0, "SIP/2.0 200 OK", body=sdp(OURS))
    far.says(1.0, "BYE sip:ann@192.0.2.7 SIP/2.0", cseq="1 BYE")
    assert far.methods() == [(0.0, "INVITE"), (0.01, "ACK"), (1.0, "200")]
    assert far.caller.left_out["after_the_end"] == 1
    assert max(when for when, _ in far.media) <= 1.0
