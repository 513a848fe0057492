"""Which transaction a message belongs to (RFC 3261 17.1.3 and 17.2.3, with the rules for RFC 2543 peers)."""

from sipgw.sip.message import Request, Response
from sipgw.sip.transaction import Key


def client_key(message: Request | Response) -> Key:
    """Under which a request of ours, or a response to it, is found."""
    return ("client", message.via.branch or "", message.cseq.method)


def server_key(request: Request, method: str = "") -> Key:
    """Under which a request of a peer's is found; `method` says INVITE for an ACK or a CANCEL.

    A branch that is nothing but the cookie names no transaction (RFC 4475 3.2.1).
    """
    via, method = request.via, method or request.method
    if via.is_unique:
        return ("server", via.branch or "", via.host.lower(), str(via.port or 5060), method)
    return (*_old_key(request), request.to.tag or "", method)


def untagged_key(ack: Request) -> Key:
    """Under which the INVITE of an ACK by RFC 2543 rules is found, if the INVITE had no To tag."""
    return (*_old_key(ack), "", "INVITE")


def merge_key(request: Request) -> Key:
    """Same for all copies of one request that reached us on different paths (RFC 3261 8.2.2.2)."""
    return (request.from_.tag or "", request.call_id, str(request.cseq.number), request.cseq.method)


def _old_key(request: Request) -> Key:
    via = request.via
    where = (via.host.lower(), str(via.port or 5060), via.branch or "")
    return ("rfc2543", request.uri, request.from_.tag or "", request.call_id, str(request.cseq.number), *where)
