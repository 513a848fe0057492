"""A phone's REGISTER: who sent it, and what comes of it."""

from sipgw.flow import Flow
from sipgw.sip.core import Core
from sipgw.sip.inspection import inspect_extensions
from sipgw.sip.message import Request
from sipgw.sip.server_transaction import ServerTransaction


def receive_register(core: Core, request: Request, server: ServerTransaction, source: Flow, now: float) -> None:
    """Answer it.

    Raises:
        PeerError: how it is refused; 401 until the phone has proven by digest that it is one of ours.
    """
    # Over UDP a flow would be kept open by STUN (RFC 5626 section 3.5.2), which is not spoken here.
    inspect_extensions(request, ("path", "outbound") if source.reliable else ("path",))
    verdict = core.trust.judge_phone(request, source, now)
    if verdict.challenge:
        raise core.challenge(verdict, request.method, source, now)
    headers = core.registrar.register(request, verdict.trunk, source, now)
    core.defence.prove(source, now)
    server.respond(core.respond(request, 200, headers=headers), now)
