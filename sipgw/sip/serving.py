"""What comes in: from bytes to the act that a message asks for (RFC 3261 sections 8.2, 12.2.2 and 18)."""

from collections.abc import Callable
from functools import partial

from sipgw.errors import PeerError
from sipgw.flow import Flow
from sipgw.sip.body import SDP
from sipgw.sip.bye import receive_bye
from sipgw.sip.core import Core
from sipgw.sip.edge import stripped
from sipgw.sip.inspection import KNOWN, inspect_content, inspect_extensions, inspect_method, inspect_target
from sipgw.sip.late import receive_late
from sipgw.sip.leg import Leg
from sipgw.sip.message import Malformed, Request, Response, parse, stamped, validate
from sipgw.sip.paths import asks_for_sips, response_flow
from sipgw.sip.prack import receive_prack
from sipgw.sip.replaces import names_a_leg
from sipgw.sip.server_transaction import InviteServer, ServerTransaction
from sipgw.sip.their_info import receive_info
from sipgw.sip.their_invite import acknowledged, receive_cancel, receive_invite, receive_reinvite
from sipgw.sip.their_register import receive_register
from sipgw.sip.their_update import receive_update
from sipgw.sip.uri import without_secrets
from sipgw.trace import Mark, Note, silent


def receive(core: Core, data: bytes, source: Flow, now: float) -> None:
    """Take one datagram, whatever it holds."""
    if reason := core.defence.turned_away(data, source, now):
        core.drop(reason, now, source.remote[0])
        return
    if not data.strip(b"\r\n\0 "):
        core.drop("keep_alive", now, str(source))
        return
    if len(data) > core.options.max_message_bytes:
        core.drop("too_long", now, f"{len(data)} bytes from {source}")
        return
    try:
        message = parse(data)
    except Malformed as error:
        _reject_stateless(core, error.request, error, source, now)
        return
    _note(core, message, source, now)
    if isinstance(message, Request):
        _receive_request(core, message, source, now)
    else:
        _receive_response(core, message, source, now)


def reject_stream(core: Core, error: Exception, source: Flow, now: float) -> None:
    """What came on a connection has no end that could be found; it is closed after this."""
    if isinstance(error, Malformed):
        _reject_stateless(core, error.request, error, source, now)
    else:
        core.drop("bad_stream", now, f"{error!r} from {source}")
        core.defence.offence("bad_stream", source, now)


def _receive_response(core: Core, response: Response, source: Flow, now: float) -> None:
    try:
        validate(response)
    except PeerError as error:
        core.drop("bad_message", now, f"{response.status}: {error}")
        return
    if not core.exchange.receive_response(response, source, now) and not receive_late(core, response, now):
        core.drop("stray_response", now, f"{response.status} {response.cseq}")


def _receive_request(core: Core, request: Request, source: Flow, now: float) -> None:
    try:
        request = stamped(request, *source.remote)
        validate(request)
    except PeerError as error:
        _reject_stateless(core, None if request.method == "ACK" else request, error, source, now)
        return
    if request.to.tag and core.leg_of(request) is not None:
        core.defence.prove(source, now)
    found = core.exchange.find(request)
    if isinstance(found, InviteServer) and request.method == "ACK":
        core.exchange.half_open.settle(found.key)
        found.acknowledge(request, now)
    elif found is not None:
        found.repeat(now)
    elif request.method == "ACK":
        _acknowledge(core, request, source, now)
    else:
        _serve(core, request, source, now)


def _acknowledge(core: Core, ack: Request, source: Flow, now: float) -> None:
    """The ACK of a 2xx; with an answer in it, it says where our media go, so that it had better be the peer's."""
    if core.leg_of(ack) is core.leg_by(ack, source):
        acknowledged(core, ack, now)
    else:
        core.drop("not_its_peer", now, f"ACK from {source}")


def _serve(core: Core, request: Request, source: Flow, now: float) -> None:
    """A request that is new: open its transaction and do what it asks, or say why not."""
    if core.trust.is_stranger(source) and core.leg_by(request, source) is None:
        _shun(core, request, source, now)
        return
    if not request.to.tag and (refused := _turned_down(core, request, source, now)):
        _answer_only(core, request, refused, source, now)
        return
    # Not a CANCEL: it is about another transaction, which is there or is not (RFC 3261 9.2).
    merged = not request.to.tag and request.method != "CANCEL" and core.exchange.is_merged(request)
    server: ServerTransaction
    if request.method == "INVITE":
        server = core.exchange.serve_invite(request, source, partial(acknowledged, core))
    else:
        server = core.exchange.serve(request, source)
    try:
        if merged:
            raise PeerError(482, "Merged Request")
        _act(core, request, server, source, now)
    except PeerError as error:
        _refuse(core, request, server, error, source, now)


def _is_new_call(core: Core, request: Request) -> bool:
    return request.method == "INVITE" and not request.to.tag and not names_a_leg(core, request)


def _shun(core: Core, request: Request, source: Flow, now: float) -> None:
    """Somebody nobody knows. Silence, unless the operator wants them told (and then without any state of ours)."""
    core.drop("stranger", now, f"{request.method} from {source}")
    if core.options.strangers == "refuse":
        _answer_only(core, request, PeerError(403), source, now)


def _turned_down(core: Core, request: Request, source: Flow, now: float) -> PeerError | None:
    """How a request outside of any dialog is refused before it is looked at; None where it is not."""
    refused = core.door(source, now) if _is_new_call(core, request) else None
    if refused is None and (refused := core.defence.crowded(request.method, source)) is not None:
        core.drop("crowded", now, f"{request.method} from {source}")
    return refused


def _refuse(
    core: Core, request: Request, server: ServerTransaction, error: PeerError, source: Flow, now: float
) -> None:
    """Refuse what cannot be done, or not yet.

    Whoever may be somebody else is told once, as is whoever is asked who it is (RFC 3261 26.3.2.4): repeats would send
    a forged source ten times what was sent in its name. Nobody misses them: without a 100 the request is repeated.
    """
    core.drop(f"refused_{error.status}", now, f"{request.method}: {error}")
    if error.status == 401 or (not request.to.tag and core.defence.may_be_forged(source, now)):
        core.exchange.forget(server)
        _answer_only(core, request, error, source, now)
    else:
        server.respond(_refusal(core, request, error), now)


def _answer_only(core: Core, request: Request, error: PeerError, source: Flow, now: float) -> None:
    """Without any state of ours: a repeat of the request gets the same again (RFC 3261 section 8.2.7)."""
    core.exchange.send(bytes(_refusal(core, request, error)), response_flow(request, source), now)


def _act(core: Core, request: Request, server: ServerTransaction, source: Flow, now: float) -> None:
    tag = request.to.tag
    leg = core.leg_by(request, source)
    if request.method == "CANCEL":
        _cancel(core, request, server, now)
        return
    if leg is not None and leg.dialog is not None:
        leg.dialog.heard(request, source)
        core.changed(leg.name)
    if request.method == "REGISTER" and core.registrar.open:
        receive_register(core, request, server, source, now)
        return
    inspect_method(request)
    if tag and leg is None:
        raise PeerError(481)
    inspect_extensions(request)
    if "Replaces" in request.headers and (tag or request.method != "INVITE"):
        raise PeerError(400, "Replaces is for new INVITEs")
    if leg is None:
        inspect_target(request, source)
        _ACTS[request.method](core, request, server, source, now)
    else:
        _ACTS_IN_DIALOG[request.method](core, leg, request, server, now)


def _invite(core: Core, request: Request, server: ServerTransaction, source: Flow, now: float) -> None:
    """A new call, unless it is one of our own that came back."""
    ours = core.legs.get(request.from_.tag or "")
    if ours is not None and ours.request is not None and ours.request.call_id == request.call_id:
        raise PeerError(482)
    inspect_content(request)
    assert isinstance(server, InviteServer), "an INVITE has an INVITE transaction"
    verdict = core.trust.judge(request, source, now, core.registrar.bindings.phone_at(source))
    if verdict.challenge:
        raise core.challenge(verdict, request.method, source, now)
    if not verdict.identity.believed:
        request, taken = stripped(request)
        if taken:
            core.drop("untrusted_header", now, f"{', '.join(taken)} from {source}")
    receive_invite(core, request, server, source, verdict, now)


def _reinvite(core: Core, leg: Leg, request: Request, server: ServerTransaction, now: float) -> None:
    inspect_content(request)
    assert isinstance(server, InviteServer), "an INVITE has an INVITE transaction"
    receive_reinvite(core, leg, request, server, now)


def _update(core: Core, leg: Leg, request: Request, server: ServerTransaction, now: float) -> None:
    inspect_content(request)
    receive_update(core, leg, request, server, now)


def _prack(core: Core, leg: Leg, request: Request, server: ServerTransaction, now: float) -> None:
    inspect_content(request)
    receive_prack(core, leg, request, server, now)


def _options(core: Core, request: Request, server: ServerTransaction, source: Flow, now: float) -> None:
    """A ping, or a question what we can do (RFC 3261 11.2). While draining, carriers are to try elsewhere."""
    if core.draining:
        raise PeerError(503)
    headers = (*core.capable(source, (), secure=asks_for_sips(request)), ("Accept", SDP))
    server.respond(core.respond(request, 200, headers=headers), now)


def _options_in_dialog(core: Core, leg: Leg, request: Request, server: ServerTransaction, now: float) -> None:
    headers = (*core.capable(leg.flow, (), secure=asks_for_sips(request)), ("Accept", SDP))
    server.respond(core.respond(request, 200, headers=headers), now)


def _no_dialog(core: Core, request: Request, server: ServerTransaction, source: Flow, now: float) -> None:
    raise PeerError(481)


def _cancel(core: Core, request: Request, server: ServerTransaction, now: float) -> None:
    """200 to the CANCEL with the tag its INVITE gets, and 487 to the INVITE if that still waits (RFC 3261 9.2)."""
    invite = core.exchange.cancelled(request)
    if invite is None:
        raise PeerError(481)
    server.respond(core.respond(request, 200, to_tag=invite.owner or invite.to_tag), now)
    leg = core.legs.get(invite.owner)
    if leg is not None and leg.theirs is not None and leg.theirs.server is invite:
        receive_cancel(core, leg, request, now)
    else:
        core.drop("late_cancel", now)


_ACTS: dict[str, Callable[[Core, Request, ServerTransaction, Flow, float], None]] = {
    "INVITE": _invite,
    "OPTIONS": _options,
    "BYE": _no_dialog,
    "UPDATE": _no_dialog,
    "PRACK": _no_dialog,
    "INFO": _no_dialog,
}
_ACTS_IN_DIALOG: dict[str, Callable[[Core, Leg, Request, ServerTransaction, float], None]] = {
    "INVITE": _reinvite,
    "OPTIONS": _options_in_dialog,
    "BYE": receive_bye,
    "UPDATE": _update,
    "PRACK": _prack,
    "INFO": receive_info,
}


def _reject_stateless(core: Core, request: Request | None, error: PeerError, source: Flow, now: float) -> None:
    """Answer what is malformed, without keeping anything of it."""
    core.drop("bad_message", now, f"{error} from {source}")
    core.defence.offence("bad_message", source, now)
    if request is None or (core.trust.is_stranger(source) and core.options.strangers == "silence"):
        return
    try:
        request = stamped(request, *source.remote)
        flow = response_flow(request, source)
    except PeerError:
        flow = source
    core.exchange.send(bytes(_refusal(core, request, error)), flow, now)


def _refusal(core: Core, request: Request, error: PeerError) -> Response:
    return core.respond(request, error.status, reason=error.reason, headers=error.headers)


def _note(core: Core, message: Request | Response, source: Flow, now: float) -> None:
    if core.trace is silent:
        return
    if isinstance(message, Request):
        name = message.method.lower() if message.method in KNOWN else "unknown_method"
        detail = without_secrets(f"{message.method} {message.uri}")
    else:
        name, detail = "response", f"{message.status} {message.reason} ({message.cseq})"
    core.trace(Note(now, "sip", Mark.IN, name, detail=f"{detail} from {source}"))
