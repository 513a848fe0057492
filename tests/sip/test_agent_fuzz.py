"""Whatever is sent into running calls, in datagrams or byte by byte: nothing of it is left, and a good call works."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sipgw.flow import Flow
from sipgw.sip.events import Confirmed
from sipgw.sip.framing import StreamFramer
from sipgw.sip.leg import Stage
from tests.fakes.sip_phone import FLOW, OURS, PHONE, Phone, Wire, answered, reply

FUZZ = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TCP = Flow("tcp", OURS, PHONE)
PIECES = ["", "\r\n", "\r\n\r\n", " ", ",", ";", '"', "<", ">", ":", "\0", "\xff", "%", "0", "99999999999", "tag="]
METHODS = ["INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "INFO", "OPTIONS", "REFER", "NOTIFY", "REGISTER", "X"]
MORE = ["", "Require: 100rel\r\n", "RAck: 1 1 INVITE\r\n", "Supported: timer\r\nSession-Expires: 90\r\n"]
STATUSES = [100, 180, 183, 200, 302, 401, 422, 481, 487, 503]

cuts = st.lists(st.tuples(st.integers(0, 700), st.integers(0, 12), st.sampled_from(PIECES)), max_size=3)
kinds = st.tuples(st.sampled_from(METHODS), st.booleans(), st.sampled_from(MORE)) | st.sampled_from(STATUSES)
messages = st.lists(st.tuples(kinds, cuts), max_size=8)


class Storm:
    """A call that came, one that we make, and whoever sends into both."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.leg, self.phone = answered(self.wire)
        self.wire.agent.invite("sip:a@127.0.0.1", FLOW, b"v=0\r\n", 0.0, from_="<sip:b@127.0.0.1>")
        (self.ours,) = self.wire.take()

    def text(self, number: int, kind: tuple[str, bool, str] | int) -> str:
        """A good message of a kind: within the call or beside it, or a response."""
        if isinstance(kind, int):
            return reply(self.ours, kind, to_tag=f"t{number % 2}")
        method, within, more = kind
        phone = self.phone if within else Phone(call_id=f"other-{number}", tag=f"o{number}")
        return phone.request(method, "v=0\r\n", cseq=number + 2, branch=f"z9hG4bK-f{number}", more=more)

    def settle(self) -> None:
        """End what there is, and let every timer run."""
        legs = self.wire.agent._core.legs
        for leg in list(legs):
            if legs[leg].stage is Stage.ASKED:
                self.wire.agent.refuse(leg, 480, self.wire.now)
            else:
                self.wire.agent.hang_up(leg, self.wire.now)
        self.wire.until(self.wire.now + 1000)
        self.wire.events()

    def left(self) -> list[object]:
        """What the agent keeps."""
        core = self.wire.agent._core
        return [
            *core.legs,
            *core.exchange._transactions,
            *core.exchange._by_flow,
            *filter(None, [core.exchange.timers.next()]),
        ]

    def serves(self) -> bool:
        """Whether a good call works."""
        self.wire.gets(Phone(call_id="good", tag="good", branch="z9hG4bK-good").invite())
        leg = self.wire.events()[-1].leg
        self.wire.agent.answer(leg, b"v=0\r\n", self.wire.now)
        self.wire.gets(Phone(call_id="good", tag="good", to_tag=leg).ack())
        return isinstance(self.wire.events()[-1], Confirmed)


def damaged(text: str, places: list[tuple[int, int, str]]) -> bytes:
    """The text with pieces of it replaced."""
    for at, size, piece in places:
        text = text[:at] + piece + text[at + size :]
    return text.encode("latin-1")


@FUZZ
@given(messages)
def test_datagrams(sent: list[tuple[tuple[str, bool, str] | int, list[tuple[int, int, str]]]]) -> None:
    storm = Storm()
    for number, (kind, places) in enumerate(sent):
        storm.wire.agent.receive(damaged(storm.text(number, kind), places), FLOW, storm.wire.now)
        storm.wire.until(storm.wire.now + 0.3)
    assert storm.serves()
    storm.settle()
    assert storm.left() == []
    assert storm.wire.agent.next_timer() is None


@FUZZ
@given(messages)
def test_a_stream_byte_by_byte(sent: list[tuple[tuple[str, bool, str] | int, list[tuple[int, int, str]]]]) -> None:
    storm = Storm()
    framer, agent = StreamFramer(), storm.wire.agent
    for number, (kind, places) in enumerate(sent):
        for byte in damaged(storm.text(number, kind), places):
            try:
                whole = framer.feed(bytes([byte]))
            except Exception as error:  # noqa: BLE001 as the transport does: whatever it is, the connection is over
                agent.stream_broke(error, TCP, storm.wire.now)
                agent.flow_lost(TCP, storm.wire.now)
                framer = StreamFramer()
                break
            for message in whole:
                agent.receive(message, TCP, storm.wire.now)
        storm.wire.until(storm.wire.now + 0.3)
    agent.flow_lost(TCP, storm.wire.now)
    assert storm.serves()
    storm.settle()
    assert storm.left() == []
    assert storm.wire.agent.next_timer() is None
