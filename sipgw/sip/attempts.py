"""A request of ours with all its tries, until one has a final response or there is nothing left to be tried.

Another address where the first cannot be reached (RFC 3263 section 4.3), TCP where a datagram would be too large, UDP
after all where nobody takes the connection (RFC 3261 section 18.1.1), and credentials for who asks for them (22.2).
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from sipgw.flow import Flow
from sipgw.sip.client_transaction import ClientTransaction, ClientUser
from sipgw.sip.core import Core
from sipgw.sip.credentials import Answers
from sipgw.sip.leg import Extra
from sipgw.sip.message import Request, Response

_AGAIN = 4
"""Refusals that are answered by asking again, at most: each proxy on the way may ask who we are, one may ask twice."""


class Make(Protocol):
    """Makes the request anew for each try."""

    def __call__(self, flow: Flow, number: int, extra: Extra) -> Request:
        """For this path, with this CSeq number and these further headers."""


class Attempts:
    """The tries of one request; the first is sent on creation.

    Args:
        core: the agent.
        make: makes the request.
        flows: the paths to its next hop, the best first.
        count: gives the next CSeq number.
        user: is told what came of it, once.
        now: seconds.
        answers: what to say to who asks who we are.
        learn: takes a refusal; whether the request, made anew, may do better.
    """

    request: Request
    """As it was sent last."""
    flow: Flow
    """Where."""
    client: ClientTransaction
    progressed: bool
    """Whether that try has a provisional response: only then may it be cancelled (RFC 3261 section 9.1)."""

    def __init__(
        self,
        core: Core,
        make: Make,
        flows: Sequence[Flow],
        count: Callable[[], int],
        user: ClientUser,
        now: float,
        answers: Answers | None = None,
        learn: Callable[[Request, Response], bool] | None = None,
    ) -> None:
        self._core, self._make, self._count, self._user = core, make, count, user
        self._left = deque(flows)
        self._datagram: Flow | None = None
        """Where it would have gone, had it not been too large."""
        self._heard = False
        """By somebody who has the request, or passed it on: more than that it came (100)."""
        self._answers, self._learn, self._again = answers, learn, 0
        self._next(now)

    def no_more(self) -> None:
        """The one that is under way was the last."""
        self._left.clear()
        self._again = _AGAIN
        self._datagram = None

    def _next(self, now: float) -> None:
        self._try(self._left.popleft(), now)

    def _try(self, flow: Flow, now: float, *, moved: bool = False) -> None:
        self._heard = self.progressed = False
        number = self._count()
        request, stream = self._make(flow, number, ()), None
        if not moved:
            stream = self._core.stream_instead(request, flow)
        self._datagram = flow if stream is not None else None
        self.flow = stream or flow
        extra = self._answers.headers(request) if self._answers else ()
        self.request = self._make(self.flow, number, extra) if stream is not None or extra else request
        told = ClientUser(self._responded, self._failed)
        self.client = self._core.exchange.request(self.request, self.flow, told, now)

    def _responded(self, response: Response, now: float) -> None:
        if response.status == 503 and not self._heard and self._left:
            self._next(now)
            return
        self._heard = self._heard or response.status > 100
        self.progressed = self.progressed or response.status < 200
        if response.status >= 300 and self._again < _AGAIN and self._may_do_better(response):
            self._again += 1
            self._try(self.flow, now, moved=True)
            return
        self._user.response(response, now)

    def _may_do_better(self, response: Response) -> bool:
        if self._answers and self._answers.learn(self.request, response):
            return True
        return self._learn is not None and self._learn(self.request, response)

    def _failed(self, status: int, now: float) -> None:
        if not self._heard and self._datagram is not None:
            self._core.no_stream(self._datagram.remote)
            self._try(self._datagram, now, moved=True)
        elif not self._heard and self._left:
            self._next(now)
        else:
            self._user.failed(status, now)
