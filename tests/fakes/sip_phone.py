"""The far end of an agent: a phone that writes SIP by hand, in simulated time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

from sipgw.flow import Flow
from sipgw.options import SipOptions
from sipgw.sip.agent import Agent
from sipgw.sip.events import SipEvent
from sipgw.trace import Mark, Note

OURS = ("127.0.0.1", 5060)
PHONE = ("127.0.0.1", 5070)
FLOW = Flow("udp", OURS, PHONE)
OFFER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


def tokens() -> Callable[[], str]:
    """Words that are told apart and are the same in each run."""
    numbers = count(1)
    return lambda: f"t{next(numbers)}"


@dataclass(frozen=True)
class Heard:
    """A message the agent sent."""

    when: float
    text: str
    flow: Flow

    @property
    def first(self) -> str:
        """The start line."""
        return self.text.split("\r\n", 1)[0]

    @property
    def brief(self) -> str:
        """The method, or the status code."""
        words = self.first.split(" ")
        return words[1] if words[0] == "SIP/2.0" else words[0]

    @property
    def body(self) -> str:
        """What follows the headers."""
        return self.text.partition("\r\n\r\n")[2]

    def all(self, name: str) -> list[str]:
        """The values of a header's lines."""
        lines = self.text.partition("\r\n\r\n")[0].split("\r\n")[1:]
        pairs = (line.split(":", 1) for line in lines)
        return [value.strip() for key, value in pairs if key.lower() == name.lower()]

    def __getitem__(self, name: str) -> str:
        return self.all(name)[0]

    def __contains__(self, name: str) -> bool:
        return bool(self.all(name))

    @property
    def to_tag(self) -> str:
        """The tag in To; empty where there is none."""
        return self["To"].partition(";tag=")[2]


class Wire:
    """An agent, the time, and what it sent."""

    def __init__(self, options: SipOptions | None = None) -> None:
        self.notes: list[Note] = []
        self.now = 0.0
        self.agent = Agent(options or SipOptions(), token=tokens(), trace=self.notes.append)

    def take(self) -> list[Heard]:
        """What the agent wants sent now."""
        return [Heard(self.now, data.decode(errors="surrogateescape"), flow) for data, flow in self.agent.to_send()]

    def gets(self, text: str, source: Flow = FLOW) -> list[Heard]:
        """The agent receives a message; what it sends at once."""
        self.agent.receive(text.encode(), source, self.now)
        return self.take()

    def until(self, when: float) -> list[Heard]:
        """Let the time pass; what the agent sends meanwhile."""
        heard: list[Heard] = []
        while (due := self.agent.next_timer()) is not None and due <= when:
            self.now = max(self.now, due)
            self.agent.handle_timers(self.now)
            heard += self.take()
        self.now = when
        return heard

    def ladder(self, when: float) -> list[tuple[float, str]]:
        """The same as times and what they brought."""
        return [(heard.when, heard.brief) for heard in self.until(when)]

    def events(self) -> list[SipEvent]:
        """What the agent told since the last time."""
        return self.agent.events()

    def drops(self) -> list[str]:
        """The names of what was dropped so far."""
        return [note.name for note in self.notes if note.mark is Mark.DROP]


@dataclass(frozen=True)
class Phone:
    """One call of the phone towards the agent. What is given by name replaces what it would say itself."""

    call_id: str = "call-1"
    tag: str = "phone"
    to_tag: str = ""
    cseq: int = 1
    branch: str = "z9hG4bK-1"
    uri: str = "sip:echo@127.0.0.1:5060"
    contact: str = "<sip:phone@127.0.0.1:5070>"
    more: str = ""

    def request(self, method: str, body: str = "", *, cseq: int | None = None, branch: str = "", more: str = "") -> str:
        """Any request."""
        to = f"<sip:echo@127.0.0.1>;tag={self.to_tag}" if self.to_tag else "<sip:echo@127.0.0.1>"
        kind = "Content-Type: application/sdp\r\n" if body and "ontent-Type" not in more + self.more else ""
        return (
            f"{method} {self.uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:5070;branch={branch or self.branch}\r\n"
            f"From: <sip:phone@127.0.0.1>;tag={self.tag}\r\n"
            f"To: {to}\r\n"
            f"Call-ID: {self.call_id}\r\n"
            f"CSeq: {cseq or self.cseq} {method}\r\n"
            f"Contact: {self.contact}\r\n"
            f"Max-Forwards: 70\r\n{self.more}{more}{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def invite(self, body: str = OFFER, **how: str) -> str:
        """The INVITE."""
        return self.request("INVITE", body, **how)  # type: ignore[arg-type]

    def ack(self, body: str = "", branch: str = "z9hG4bK-ack") -> str:
        """The ACK of a 2xx; with the INVITE's branch, of a failure."""
        return self.request("ACK", body, branch=branch)

    def cancel(self) -> str:
        """The CANCEL of the INVITE."""
        return self.request("CANCEL")

    def bye(self) -> str:
        """The next request, a BYE."""
        return self.request("BYE", cseq=self.cseq + 1, branch="z9hG4bK-bye")

    def within(self, response: Heard) -> "Phone":
        """The same, in the dialog that a response made."""
        return replace(self, to_tag=response.to_tag)

    def next(self, branch: str, **how: str) -> "Phone":
        """The same, for the next request of the dialog."""
        return replace(self, cseq=self.cseq + 1, branch=branch, **how)


def reply(
    request: Heard,
    status: int,
    *,
    to_tag: str = "",
    body: str = "",
    contact: str = "<sip:phone@127.0.0.1:5070>",
    more: str = "",
) -> str:
    """The phone's response to a request of the agent's."""
    to = request["To"] + (f";tag={to_tag}" if to_tag and "tag=" not in request["To"] else "")
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"SIP/2.0 {status} Whatever\r\n"
        f"Via: {request['Via']}\r\n"
        f"From: {request['From']}\r\nTo: {to}\r\nCall-ID: {request['Call-ID']}\r\nCSeq: {request['CSeq']}\r\n"
        f"Contact: {contact}\r\n{more}{kind}Content-Length: {len(body)}\r\n\r\n{body}"
    )


def answered(wire: Wire, phone: Phone | None = None) -> tuple[str, Phone]:
    """A call that was answered and acknowledged: its leg, and the phone in its dialog."""
    phone = phone or Phone()
    wire.gets(phone.invite())
    leg = wire.events()[-1].leg
    wire.agent.answer(leg, b"v=0\r\n", wire.now)
    phone = phone.within(wire.take()[-1])
    wire.gets(phone.ack())
    wire.events()
    return leg, phone
