"""Every row of the four tables, and ladders of every timer, in simulated time (RFC 3261 section 17, RFC 6026)."""

from typing import Any

import pytest

from sipgw.flow import Flow
from sipgw.options import SipOptions
from sipgw.sip.client_transaction import ClientUser, InviteClient, NonInviteClient
from sipgw.sip.message import Headers, Request, Response, respond
from sipgw.sip.server_transaction import InviteServer, NonInviteServer
from sipgw.sip.timers import Timers
from sipgw.sip.transaction import Ground, Seen, State, Transaction
from sipgw.trace import Note

KINDS: dict[str, type[Transaction]] = {
    "ic": InviteClient,
    "nc": NonInviteClient,
    "is": InviteServer,
    "ns": NonInviteServer,
}
METHOD = {"ic": "INVITE", "is": "INVITE", "nc": "OPTIONS", "ns": "OPTIONS"}


def request(method: str) -> Request:
    return Request(
        method,
        "sip:b@127.0.0.1",
        Headers(
            [
                ("Via", "SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-1"),
                ("Via", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK-0"),
                ("Route", "<sip:p1;lr>"),
                ("Route", "<sip:p2;lr>"),
                ("From", "<sip:a@127.0.0.1>;tag=a"),
                ("To", "<sip:b@127.0.0.1>"),
                ("Call-ID", "c"),
                ("CSeq", f"7 {method}"),
                ("Contact", "<sip:a@127.0.0.1>"),
            ]
        ),
        b"v=0" if method == "INVITE" else b"",
    )


class Stage:
    """One transaction on a stage of its own."""

    def __init__(self, kind: str, *, reliable: bool = False) -> None:
        self.sent: list[tuple[float, str]] = []
        self.data: list[bytes] = []
        self.told: list[object] = []
        self.notes: list[Note] = []
        self.ended: list[Transaction] = []
        self.timers = Timers()
        self.now = 0.0
        self.request = request(METHOD[kind])
        flow = Flow("tcp" if reliable else "udp", ("127.0.0.1", 5060), ("127.0.0.1", 5070))
        ground = Ground(SipOptions(), self.timers, self._send, self.ended.append, self.notes.append)
        self.transaction = self._make(kind, flow, ground)

    def _make(self, kind: str, flow: Flow, ground: Ground) -> Any:
        key, user = ("key",), ClientUser(lambda r, _: self.told.append(r.status), lambda s, _: self.told.append(-s))
        match kind:
            case "ic":
                return InviteClient(key, self.request, flow, ground, user, 0.0)
            case "nc":
                return NonInviteClient(key, self.request, flow, ground, user, 0.0)
            case "is":
                return InviteServer(key, self.request, flow, ground, lambda ack, _: self.told.append(ack.method))
        return NonInviteServer(key, self.request, flow, ground)

    def _send(self, data: bytes, flow: Flow, now: float) -> None:
        words = data.split(b" ", 2)
        self.data.append(data)
        self.sent.append((now, (words[1] if words[0] == b"SIP/2.0" else words[0]).decode()))

    def do(self, what: str) -> None:
        """`180` receives or sends it, `+4` lets seconds pass, `again`, `ack` and `broken` are seen."""
        if what.startswith("+"):
            self.until(self.now + float(what[1:]))
        elif what == "again":
            self.transaction.repeat(self.now)
        elif what == "ack":
            self.transaction.acknowledge(request("ACK"), self.now)
        elif what == "broken":
            self.transaction.transport_failed(self.now)
        else:
            self._response(respond(self.request, int(what), to_tag="b"))

    def _response(self, response: Response) -> None:
        if isinstance(self.transaction, InviteClient | NonInviteClient):
            self.transaction.receive(response, self.now)
        else:
            self.transaction.respond(response, self.now)

    def until(self, when: float) -> None:
        while (due := self.timers.next()) is not None and due <= when:
            self.now = due
            self.timers.run(due)
        self.now = when

    @property
    def state(self) -> State:
        state = self.transaction.state
        assert isinstance(state, State)
        return state


T = Seen
ROWS: list[tuple[str, State, Seen, str, str, State, list[str]]] = [
    # kind, state, seen, how to get there, what is done, next state, what is sent or told then
    ("ic", State.CALLING, T.TIMER_A, "", "+0.5", State.CALLING, ["INVITE"]),
    ("ic", State.CALLING, T.TIMER_B, "+31.9", "+0.2", State.TERMINATED, ["-408"]),
    ("ic", State.CALLING, T.PROVISIONAL, "", "100", State.PROCEEDING, ["100"]),
    ("ic", State.CALLING, T.SUCCESS, "", "200", State.ACCEPTED, ["200"]),
    ("ic", State.CALLING, T.FAILURE, "", "486", State.COMPLETED, ["ACK", "486"]),
    ("ic", State.CALLING, T.TRANSPORT_FAILED, "", "broken", State.TERMINATED, ["-503"]),
    ("ic", State.PROCEEDING, T.PROVISIONAL, "100", "180", State.PROCEEDING, ["180"]),
    ("ic", State.PROCEEDING, T.SUCCESS, "100", "200", State.ACCEPTED, ["200"]),
    ("ic", State.PROCEEDING, T.FAILURE, "100", "603", State.COMPLETED, ["ACK", "603"]),
    ("ic", State.COMPLETED, T.FAILURE, "486", "486", State.COMPLETED, ["ACK"]),
    ("ic", State.COMPLETED, T.TIMER_D, "486", "+32", State.TERMINATED, []),
    ("ic", State.COMPLETED, T.TRANSPORT_FAILED, "486", "broken", State.TERMINATED, []),
    ("ic", State.ACCEPTED, T.SUCCESS, "200", "200", State.ACCEPTED, ["200"]),
    ("ic", State.ACCEPTED, T.TIMER_M, "200", "+32", State.TERMINATED, []),
    ("nc", State.TRYING, T.TIMER_E, "", "+0.5", State.TRYING, ["OPTIONS"]),
    ("nc", State.TRYING, T.TIMER_F, "+31.9", "+0.2", State.TERMINATED, ["-408"]),
    ("nc", State.TRYING, T.PROVISIONAL, "", "100", State.PROCEEDING, ["100"]),
    ("nc", State.TRYING, T.SUCCESS, "", "200", State.COMPLETED, ["200"]),
    ("nc", State.TRYING, T.FAILURE, "", "404", State.COMPLETED, ["404"]),
    ("nc", State.TRYING, T.TRANSPORT_FAILED, "", "broken", State.TERMINATED, ["-503"]),
    ("nc", State.PROCEEDING, T.TIMER_E, "100", "+0.5", State.PROCEEDING, ["OPTIONS"]),
    ("nc", State.PROCEEDING, T.TIMER_F, "100 +31.9", "+0.2", State.TERMINATED, ["-408"]),
    ("nc", State.PROCEEDING, T.PROVISIONAL, "100", "183", State.PROCEEDING, ["183"]),
    ("nc", State.PROCEEDING, T.SUCCESS, "100", "200", State.COMPLETED, ["200"]),
    ("nc", State.PROCEEDING, T.FAILURE, "100", "404", State.COMPLETED, ["404"]),
    ("nc", State.PROCEEDING, T.TRANSPORT_FAILED, "100", "broken", State.TERMINATED, ["-503"]),
    ("nc", State.COMPLETED, T.PROVISIONAL, "200", "100", State.COMPLETED, []),
    ("nc", State.COMPLETED, T.SUCCESS, "200", "200", State.COMPLETED, []),
    ("nc", State.COMPLETED, T.FAILURE, "404", "404", State.COMPLETED, []),
    ("nc", State.COMPLETED, T.TIMER_K, "200", "+5", State.TERMINATED, []),
    ("is", State.PROCEEDING, T.REPEAT, "100", "again", State.PROCEEDING, ["100"]),
    ("is", State.PROCEEDING, T.PROVISIONAL, "100", "180", State.PROCEEDING, ["180"]),
    ("is", State.PROCEEDING, T.SUCCESS, "100", "200", State.ACCEPTED, ["200"]),
    ("is", State.PROCEEDING, T.FAILURE, "100", "486", State.COMPLETED, ["486"]),
    ("is", State.PROCEEDING, T.TRANSPORT_FAILED, "100", "broken", State.PROCEEDING, []),
    ("is", State.ACCEPTED, T.REPEAT, "200", "again", State.ACCEPTED, []),
    ("is", State.ACCEPTED, T.SUCCESS, "200", "200", State.ACCEPTED, ["200"]),
    ("is", State.ACCEPTED, T.ACK, "200", "ack", State.ACCEPTED, ["ACK"]),
    ("is", State.ACCEPTED, T.TIMER_L, "200", "+32", State.TERMINATED, []),
    ("is", State.ACCEPTED, T.TRANSPORT_FAILED, "200", "broken", State.ACCEPTED, []),
    ("is", State.COMPLETED, T.REPEAT, "486", "again", State.COMPLETED, ["486"]),
    ("is", State.COMPLETED, T.TIMER_G, "486", "+0.5", State.COMPLETED, ["486"]),
    ("is", State.COMPLETED, T.ACK, "486", "ack", State.CONFIRMED, []),
    ("is", State.COMPLETED, T.TIMER_H, "486 +31.9", "+0.2", State.TERMINATED, []),
    ("is", State.COMPLETED, T.TRANSPORT_FAILED, "486", "broken", State.COMPLETED, []),
    ("is", State.CONFIRMED, T.REPEAT, "486 ack", "again", State.CONFIRMED, []),
    ("is", State.CONFIRMED, T.ACK, "486 ack", "ack", State.CONFIRMED, []),
    ("is", State.CONFIRMED, T.TIMER_I, "486 ack", "+5", State.TERMINATED, []),
    ("ns", State.TRYING, T.REPEAT, "", "again", State.TRYING, []),
    ("ns", State.TRYING, T.PROVISIONAL, "", "100", State.PROCEEDING, ["100"]),
    ("ns", State.TRYING, T.SUCCESS, "", "200", State.COMPLETED, ["200"]),
    ("ns", State.TRYING, T.FAILURE, "", "405", State.COMPLETED, ["405"]),
    ("ns", State.PROCEEDING, T.REPEAT, "100", "again", State.PROCEEDING, ["100"]),
    ("ns", State.PROCEEDING, T.PROVISIONAL, "100", "100", State.PROCEEDING, ["100"]),
    ("ns", State.PROCEEDING, T.SUCCESS, "100", "200", State.COMPLETED, ["200"]),
    ("ns", State.PROCEEDING, T.FAILURE, "100", "405", State.COMPLETED, ["405"]),
    ("ns", State.PROCEEDING, T.TRANSPORT_FAILED, "100", "broken", State.TERMINATED, []),
    ("ns", State.COMPLETED, T.REPEAT, "200", "again", State.COMPLETED, ["200"]),
    ("ns", State.COMPLETED, T.TIMER_J, "200", "+32", State.TERMINATED, []),
    ("ns", State.COMPLETED, T.TRANSPORT_FAILED, "200", "broken", State.TERMINATED, []),
]


@pytest.mark.parametrize(
    ("kind", "state", "seen", "path", "step", "then", "brought"),
    [pytest.param(*row, id=f"{row[0]}-{row[1].value}-{row[2].value}") for row in ROWS],
)
def test_a_row(kind: str, state: State, seen: Seen, path: str, step: str, then: State, brought: list[str]) -> None:
    stage = Stage(kind)
    for before in path.split():
        stage.do(before)
    assert stage.state is state
    stage.sent.clear()
    stage.told.clear()
    stage.do(step)
    assert stage.state is then
    assert [name for _, name in stage.sent] + [str(told) for told in stage.told] == brought
    assert bool(stage.ended) == (then is State.TERMINATED)
    assert not (stage.ended and len(stage.timers)), "an ended transaction leaves no timer"


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_of_the_tables_is_exercised(kind: str) -> None:
    assert {(state, seen) for name, state, seen, *_ in ROWS if name == kind} == set(KINDS[kind].TABLE)


@pytest.mark.parametrize("kind", KINDS)
def test_each_action_of_the_tables_exists(kind: str) -> None:
    for _, actions in KINDS[kind].TABLE.values():
        assert all(callable(getattr(KINDS[kind], action)) for action in actions)


def test_an_invite_is_repeated_at_doubling_intervals_until_timer_b() -> None:
    stage = Stage("ic")
    stage.until(100)
    assert [when for when, _ in stage.sent] == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert stage.told == [-408]


def test_a_provisional_response_ends_the_repeats_and_timer_b() -> None:
    stage = Stage("ic")
    stage.until(0.2)
    stage.do("100")
    stage.until(1000)
    assert len(stage.sent) == 1
    assert stage.state is State.PROCEEDING


def test_a_request_is_repeated_up_to_every_t2() -> None:
    stage = Stage("nc")
    stage.until(100)
    assert [when for when, _ in stage.sent] == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert stage.told == [-408]


def test_a_request_being_worked_on_is_repeated_every_t2() -> None:
    stage = Stage("nc")
    stage.until(0.2)
    stage.do("100")
    stage.until(100)
    assert [when for when, _ in stage.sent] == [0, 0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]


def test_a_refusal_is_repeated_until_timer_h() -> None:
    stage = Stage("is")
    stage.do("486")
    stage.until(100)
    assert [when for when, _ in stage.sent] == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert "refusal_not_acknowledged" in [note.name for note in stage.notes]


def test_busy_is_acknowledged_as_often_as_it_is_repeated() -> None:
    stage = Stage("ic")
    stage.do("100")
    for _ in range(3):
        stage.do("486")
    assert [name for _, name in stage.sent] == ["INVITE", "ACK", "ACK", "ACK"]
    assert stage.told == [100, 486]


def test_the_ack_of_a_refusal_follows_its_invite() -> None:
    stage = Stage("ic")
    stage.do("486")
    lines = stage.data[-1].decode().split("\r\n")
    assert lines[0] == "ACK sip:b@127.0.0.1 SIP/2.0"
    assert [line for line in lines if line.startswith("Via")] == ["Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-1"]
    assert [line for line in lines if line.startswith("Route")] == ["Route: <sip:p1;lr>", "Route: <sip:p2;lr>"]
    assert "To: <sip:b@127.0.0.1>;tag=b" in lines
    assert "CSeq: 7 ACK" in lines
    assert "Content-Length: 0" in lines


@pytest.mark.parametrize(
    ("kind", "path", "lasts"),
    [("ic", "486", 0), ("ic", "200", 32), ("nc", "200", 0), ("is", "486 ack", 0), ("is", "200", 32), ("ns", "200", 0)],
)
def test_on_a_reliable_transport_nothing_is_waited_for_but_forks_and_acks(kind: str, path: str, lasts: float) -> None:
    stage = Stage(kind, reliable=True)
    for step in path.split():
        stage.do(step)
    assert stage.timers.next() == lasts
    stage.until(lasts)
    assert stage.ended


@pytest.mark.parametrize(("kind", "path"), [("ic", ""), ("nc", ""), ("is", "486")])
def test_on_a_reliable_transport_nothing_is_repeated(kind: str, path: str) -> None:
    stage = Stage(kind, reliable=True)
    for step in path.split():
        stage.do(step)
    stage.until(100)
    assert len(stage.sent) == 1
    assert stage.ended


WAYS = {(kind, state): path for kind, state, _, path, *_ in reversed(ROWS)}
"""How to get to each state of each table."""


@pytest.mark.parametrize(
    ("kind", "state", "seen"),
    [(kind, state, seen) for kind, state in WAYS for seen in Seen if (state, seen) not in KINDS[kind].TABLE],
)
def test_what_no_row_expects_is_dropped_and_traced(kind: str, state: State, seen: Seen) -> None:
    stage = Stage(kind)
    for before in WAYS[kind, state].split():
        stage.do(before)
    assert stage.state is state
    stage.sent.clear()
    stage.told.clear()
    stage.transaction.see(seen, stage.now)
    assert (stage.state, stage.sent, stage.told, stage.ended) == (state, [], [], [])
    assert [note.name for note in stage.notes] == [f"unexpected_{seen.value}"]


def test_a_stopped_timer_does_not_fire_and_the_dead_are_buried() -> None:
    timers = Timers()
    fired: list[float] = []
    kept = [timers.start(float(n), fired.append) for n in range(3000)]
    for timer in kept[:2999]:
        timers.stop(timer)
        timers.stop(timer)
    assert len(timers) == 1
    assert len(timers._heap) < 1100
    timers.run(5000.0)
    assert fired == [5000.0]
    assert timers.next() is None


def test_timers_fire_in_order_and_also_those_started_meanwhile() -> None:
    timers = Timers()
    fired: list[str] = []

    def first(now: float) -> None:
        fired.append("first")
        timers.start(now, lambda _: fired.append("started"))

    timers.start(2.0, lambda _: fired.append("late"))
    timers.start(1.0, first)
    timers.start(1.0, lambda _: fired.append("second"))
    assert timers.next() == 1.0
    timers.run(1.5)
    assert fired == ["first", "second", "started"]
