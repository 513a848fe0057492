"""A call of ours: its INVITE, and the same again where it is redirected (RFC 3261 sections 8.1 and 13.2.1)."""

from collections.abc import Sequence
from itertools import count

from sipgw.flow import Flow
from sipgw.sip.core import Core
from sipgw.sip.digest import Credentials
from sipgw.sip.leg import Extra, Leg, Stage
from sipgw.sip.message import Request
from sipgw.sip.our_invite import OurInvite
from sipgw.sip.redirecting import Redirecting
from sipgw.sip.redirects import Target


def invite(
    core: Core, uri: str, flows: Sequence[Flow], body: bytes, now: float, *, from_: str, to: str | None,
    headers: Extra, credentials: Sequence[Credentials] = (),
) -> str:  # fmt: skip
    """Call `uri` over the first of `flows` that works."""
    leg = Leg(core.new_name(), flows[0], Stage.ASKING)
    leg.answers = core.answers(credentials)
    timer = core.timer_of(leg)
    call_id, numbers = core.new_call_id(), count(1)

    def place(target: Target, flows: Sequence[Flow], now: float) -> None:
        secure = target.uri.lower().startswith("sips:")

        def make(flow: Flow, number: int, extra: Extra) -> Request:
            rows = (
                *((("Route", f"<{target.proxy};lr>"),) if target.proxy else ()),
                ("From", f"{from_};tag={leg.name}"),
                ("To", to or f"<{uri}>"),
                ("Call-ID", call_id),
                ("CSeq", f"{number} INVITE"),
            )
            more = (*headers, *timer.request_headers(), *extra)
            return core.request("INVITE", target.uri, flow, rows, core.capable(flow, more, secure=secure), body)

        leg.request = OurInvite(core, leg, make, flows, numbers.__next__, now).request

    core.legs[leg.name] = leg
    leg.redirecting = Redirecting(core, leg, uri, place)
    place(Target(uri), flows, now)
    return leg.name


def follow(core: Core, leg: Leg, flows: Sequence[Flow], now: float) -> None:
    """Where the place is to which our INVITE was sent on."""
    if leg.redirecting is not None:
        leg.redirecting.follow(flows, now)
    else:
        core.drop("late_command", now, "follow", leg.name)
