"""INFO within a call: keys that a phone presses in signalling, and what we do not take (RFC 6086).

Keys come as `application/dtmf-relay` (`Signal=5`, `Duration=160`) or `application/dtmf` (the key alone). They are from
before RFC 6086 and name no Info-Package; of such packages we know none. Others, such as a request for a video picture,
get 415.
"""

from sipgw.errors import PeerError
from sipgw.sip.body import media_type
from sipgw.sip.core import Core
from sipgw.sip.events import KeyPressed
from sipgw.sip.leg import Leg
from sipgw.sip.message import Request
from sipgw.sip.server_transaction import ServerTransaction

DTMF_RELAY, DTMF = "application/dtmf-relay", "application/dtmf"
_USUAL_MS, _LONGEST_MS = 160, 10_000
_NUMBERED = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}
"""Some phones send the event's number (RFC 4733 section 3.2) in place of the key."""
_KEYS = frozenset("0123456789*#ABCD")


def receive_info(core: Core, leg: Leg, request: Request, server: ServerTransaction, now: float) -> None:
    """Their INFO: 200 where it is a key, or empty."""
    if "Info-Package" in request.headers:
        raise PeerError(469, "", (("Recv-Info", ""),))
    pressed = key_of(request) if request.body else None
    server.respond(core.respond(request, 200), now)
    if pressed is not None:
        digit, duration_ms = pressed
        core.tell(KeyPressed(leg.name, digit, _USUAL_MS if duration_ms is None else duration_ms))


def key_of(request: Request) -> tuple[str, int | None]:
    """The key in the body, and for how many milliseconds it was pressed, where that is said.

    Raises:
        PeerError: 415 for a body of another kind, 400 for one that names no key.
    """
    kind, _ = media_type(request.headers.get("Content-Type") or "")
    text = request.body.decode("latin-1")
    if kind == DTMF:
        return _key(text), None
    if kind != DTMF_RELAY:
        raise PeerError(415, "", (("Accept", f"{DTMF_RELAY}, {DTMF}"),))
    pairs = (line.partition("=") for line in text.splitlines())
    fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return _key(fields.get("signal", "")), _milliseconds(fields.get("duration", ""))


def _key(text: str) -> str:
    key = text.strip().upper()
    key = _NUMBERED.get(key, key)
    if key not in _KEYS:
        raise PeerError(400, "no DTMF key")
    return key


def _milliseconds(text: str) -> int | None:
    return min(int(text), _LONGEST_MS) if text.isascii() and text.isdigit() and len(text) < 9 else None
