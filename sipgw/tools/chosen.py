"""Which calls of a capture are meant: by number, as the commands count them, or by a part of the Call-ID."""

from sipgw.errors import SipgwError
from sipgw.tools.capture.model import CallTrace, Capture


def chosen(capture: Capture, wanted: str | None) -> tuple[CallTrace, ...]:
    """The calls that are meant; all of them where nothing is said.

    Raises:
        SipgwError: there is none.
    """
    if not capture.calls:
        raise SipgwError(f"{capture.path} holds no SIP call")
    if wanted is None:
        return capture.calls
    numbered = tuple(call for number, call in enumerate(capture.calls, 1) if str(number) == wanted)
    found = numbered or tuple(call for call in capture.calls if wanted in call.call_id)
    if not found:
        raise SipgwError(f"{capture.path} holds no call {wanted!r}; it holds {len(capture.calls)}")
    return found
