"""Damaged messages by the thousand, as datagrams and as streams fed byte by byte: `receive` returns in time, what is
kept is bounded, and a good call right after works."""

import os
import random
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from sipgw.flow import Flow
from sipgw.options import DefenceOptions, SipOptions
from sipgw.sip.framing import StreamFramer
from sipgw.sip.message import Malformed
from tests.fakes.sip_phone import OURS, Phone, Wire, reply
from tests.sip.samples import CARRIERS
from tests.sip.test_agent_torture import samples
from tests.sip.torture import messages

ATTACKER = Flow("udp", OURS, ("192.0.2.66", 5060))
STREAM = Flow("tcp", OURS, ("192.0.2.66", 40000))
LIMIT = 0.5
"""Seconds of CPU that one message may cost; most cost a ten-thousandth."""
ROUND = 60
"""Messages between two good calls."""
SPICE = (
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b",", b";", b'"', b"<", b">", b":", b"=", b"@", b"%", b"%00", b"\\"),
    *(b"\xff", b"\xc3", "é".encode(), b"\r\n ", b"\r\n\r\n", b"4294967296", b"-1", b"99999999999999999999", b"[::]"),
    *(
        b";tag=n1-",
        b"z9hG4bK",
        b"SIP/2.0",
        b"Content-Length: 9\r\n",
        b"l: 99999\r\n",
        b"Via: x\r\n",
        b"To: <sip:a@b>\r\n",
    ),
)


class Fuzzer:
    """One agent, and somebody who sends it what the seed says.

    Args:
        seed: of all chances.
    """

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        # Nobody is banned, so that everything gets to the parser.
        self.wire = Wire(SipOptions(defence=DefenceOptions(offences=0, half_open=50, transactions=200)))
        self.corpus = [case.data for folder in ("rfc4475", "rfc5118") for case in messages(folder)]
        self.corpus += [*CARRIERS.values(), *samples()]
        self.calls = 0

    def attack(self, count: int) -> None:
        """So many datagrams, and as many messages on connections."""
        for data in self.damaged(count):
            self._timed(partial(self.wire.agent.receive, data, ATTACKER, self.wire.now))
            self._timed(partial(self.drip, data))
            self.wire.take()
            for event in self.wire.events():
                if self.dice.random() < 0.5:
                    self.wire.agent.refuse(event.leg, 404, self.wire.now)

    def drip(self, data: bytes) -> None:
        """A connection on which it comes byte by byte, after a piece of another message."""
        framer = StreamFramer()
        data = self.dice.choice(self.corpus)[: self.dice.randrange(40)] + data
        for at in range(len(data)):
            try:
                complete = framer.feed(data[at : at + 1])
            except Malformed as error:
                self.wire.agent.stream_broke(error, STREAM, self.wire.now)
                return
            for message in complete:
                self.wire.agent.receive(message, STREAM, self.wire.now)
        self.wire.agent.flow_lost(STREAM, self.wire.now)

    def damaged(self, count: int) -> Iterator[bytes]:
        """Messages of the corpus, each changed in some places."""
        for _ in range(count):
            data = bytearray(self.dice.choice(self.corpus))
            for _ in range(self.dice.choice((1, 1, 2, 3, 8))):
                self._change(data)
            yield bytes(data[:60_000])

    def call(self) -> None:
        """A good call, from INVITE to BYE."""
        self.calls += 1
        phone = Phone(f"good-{self.calls}", f"good-{self.calls}", branch=f"z9hG4bK-good-{self.calls}")
        assert [heard.brief for heard in self.wire.gets(phone.invite())] == ["100"]
        leg = self.wire.events()[-1].leg
        self.wire.agent.answer(leg, b"v=0\r\n", self.wire.now)
        phone = phone.within(self.wire.take()[-1])
        self.wire.gets(phone.ack())
        self.wire.agent.hang_up(leg, self.wire.now)
        (bye,) = self.wire.take()
        self.wire.gets(reply(bye, 200))
        assert [type(event).__name__ for event in self.wire.events()] == ["Confirmed", "Released"]

    def assert_bounded(self) -> None:
        """No more is kept than is allowed; after a while nothing."""
        exchange = self.wire.agent._core.exchange
        assert len(exchange) < 260
        assert len(exchange.half_open) <= 50
        self.wire.now += 1.0
        self.wire.until(self.wire.now + 200.0)
        for event in self.wire.events():
            if self.wire.agent.dialog(event.leg) is not None:
                self.wire.agent.refuse(event.leg, 480, self.wire.now)
        for leg in list(self.wire.agent._core.legs):
            self.wire.agent.refuse(leg, 480, self.wire.now)
        self.wire.take()
        self.wire.until(self.wire.now + 200.0)
        self.wire.events()
        assert (len(exchange), self.wire.agent._core.legs) == (0, {})

    def _change(self, data: bytearray) -> None:
        at, length = self.dice.randrange(len(data) + 1), self.dice.randrange(12)
        match self.dice.randrange(7):
            case 0:
                data[at : at + 1] = self.dice.randbytes(1)
            case 1:
                data[at : at + length] = b""
            case 2:
                data[at:at] = self.dice.choice(SPICE)
            case 3:
                data[at:at] = self.dice.choice(SPICE) * self.dice.choice((2, 10, 3000))
            case 4:
                data[at:at] = data[at : at + 200]
            case 5:
                other = self.dice.choice(self.corpus)
                data[at:] = other[self.dice.randrange(len(other) + 1) :]
            case _:
                first, *lines = bytes(data).split(b"\r\n")
                lines.append(self.dice.choice((first, *lines)))
                self.dice.shuffle(lines)
                data[:] = b"\r\n".join((first, *lines))

    @staticmethod
    def _timed(work: Callable[[], None]) -> None:
        began = time.process_time()
        work()
        assert time.process_time() - began < LIMIT


def fuzz(seed: int, rounds: int) -> None:
    """So many rounds of attacks, each followed by a good call."""
    fuzzer = Fuzzer(seed)
    for _ in range(rounds):
        fuzzer.attack(ROUND)
        fuzzer.assert_bounded()
        fuzzer.call()


@pytest.mark.parametrize("seed", range(4))
def test_damaged_messages_and_streams_cost_nothing_but_themselves(seed: int) -> None:
    fuzz(seed, 2)


@pytest.mark.soak
def test_damaged_messages_for_minutes() -> None:
    minutes = float(os.environ.get("SIPGW_SOAK_MINUTES", "5"))
    began, seed = time.monotonic(), 1000
    while time.monotonic() < began + 60 * minutes:
        fuzz(seed, 10)
        seed += 1
    print(f"{(seed - 1000) * 10 * ROUND} messages, each as a datagram and as a stream")
