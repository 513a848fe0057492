"""Whether a request that is well-formed can be served: the inspections of RFC 3261 section 8.2."""

from sipgw.errors import PeerError
from sipgw.flow import Flow
from sipgw.options import SECURE
from sipgw.sip.body import SDP, sdp_of
from sipgw.sip.message import Request

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, INFO"
SUPPORTED: tuple[str, ...] = ("timer", "100rel", "199", "replaces")
"""Option tags of the extensions we speak."""

SERVED = frozenset(ALLOW.split(", "))
KNOWN = SERVED | {"REGISTER", "SUBSCRIBE", "NOTIFY", "REFER", "MESSAGE", "PUBLISH"}


def inspect_method(request: Request) -> None:
    """Raises PeerError: 405 for a method we know and do not serve, 501 for one nobody told us of."""
    if request.method in SERVED:
        return
    raise PeerError(405 if request.method in KNOWN else 501, "", (("Allow", ALLOW),))


def inspect_target(request: Request, source: Flow) -> None:
    """Raises PeerError: 416 for a SIPS URI over a transport that is not secure: what it promises is broken already."""
    if request.target.scheme == "sips" and source.transport not in SECURE:
        raise PeerError(416, "SIPS Needs TLS")


def inspect_extensions(request: Request, more: tuple[str, ...] = ()) -> None:
    """Raises PeerError: 420 with what we do not speak. Proxy-Require is not addressed to a user agent server.

    Args:
        request: with Require.
        more: option tags that are spoken with this method alone.
    """
    unknown = [tag for tag in request.require if tag.lower() not in (*SUPPORTED, *more)]
    if unknown:
        raise PeerError(420, "", (("Unsupported", ", ".join(unknown)),))


def inspect_content(request: Request) -> None:
    """Raises PeerError: 415 for a body that is not SDP, 406 where no answer of ours would be accepted."""
    encoding = (request.headers.get("Content-Encoding") or "identity").strip().lower()
    if request.body and encoding != "identity":
        raise PeerError(415, "", (("Accept-Encoding", "identity"),))
    sdp_of(request)
    ranges = {value.partition(";")[0].strip().lower() for value in request.headers.listed("Accept")}
    if ranges and not ranges & {SDP, "application/*", "*/*"}:
        raise PeerError(406, "", (("Accept", SDP),))
