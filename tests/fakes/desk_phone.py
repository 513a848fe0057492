"""A desk phone that registers with the agent: it writes its REGISTERs by hand and answers challenges."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from sipgw.flow import Flow
from sipgw.options import PhoneOptions
from sipgw.sip.digest import Challenge, Credentials
from tests.fakes.sip_phone import FLOW, OFFER, Heard

DESK = PhoneOptions("desk", "200", "secret")
"""As the configuration has it."""


class Line(Protocol):
    """What a phone is connected to."""

    def gets(self, text: str, source: Flow) -> list[Heard]:
        """The other end receives a message; what comes back at once."""


@dataclass
class DeskPhone:
    """One phone on a wire of its own; `source` is where its messages come from."""

    wire: Line
    user: str = "200"
    password: str = "secret"
    source: Flow = FLOW
    contact: str = "<sip:200@127.0.0.1:5070>"
    via: str = "127.0.0.1:5070"
    call_id: str = "register-1"
    algorithm: str = "SHA-256"
    challenge: Challenge | None = None
    uses: int = 0
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def request(self, method: str, *rows: str, to: str = "", uri: str = "sip:sipgw.example", body: str = "") -> str:
        """A request of its own, proven where it was ever asked for a proof."""
        number = next(self.numbers)
        proof = f"Authorization: {self._proof(self.challenge, method, uri, body)}\r\n" if self.challenge else ""
        lines = "".join(f"{row}\r\n" for row in rows)
        transport = self.source.transport.upper()
        return (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/{transport} {self.via};branch=z9hG4bK-{self.call_id}-{number}-{self.uses};rport\r\n"
            f"From: <sip:{self.user}@sipgw.example>;tag=desk\r\n"
            f"To: <sip:{to or self.user}@sipgw.example>\r\n"
            f"Call-ID: {self.call_id}{'' if method == 'REGISTER' else method}\r\nCSeq: {number} {method}\r\n"
            f"Max-Forwards: 70\r\n{proof}{lines}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def register(self, *rows: str, to: str = "") -> Heard:
        """REGISTER with these header lines, which are its Contact and an hour unless they say otherwise."""
        rows = rows or (f"Contact: {self.contact}", "Expires: 3600")
        return self._until_heard(lambda: self.request("REGISTER", *rows, to=to))

    def invite(self) -> list[Heard]:
        """One INVITE to the gateway; what comes back at once."""
        rows = (f"Contact: {self.contact}", "Content-Type: application/sdp")
        return self.wire.gets(
            self.request("INVITE", *rows, to="echo", uri="sip:echo@127.0.0.1:5060", body=OFFER), self.source
        )

    def learn(self, response: Heard) -> None:
        """Take the challenge of a 401."""
        found = [Challenge.parse(value) for value in response.all("WWW-Authenticate")]
        self.challenge = next(one for one in found if one is not None and one.algorithm == self.algorithm)
        self.uses = 0

    def _until_heard(self, make: Callable[[], str]) -> Heard:
        (response,) = self.wire.gets(make(), self.source)
        if response.brief == "401":
            self.learn(response)
            (response,) = self.wire.gets(make(), self.source)
        return response

    def _proof(self, challenge: Challenge, method: str, uri: str, body: str) -> str:
        self.uses += 1
        known = Credentials(self.user, self.password)
        return str(challenge.answered(known, method, uri, body.encode(), count=self.uses, cnonce="c"))
