"""The SIP message layer, gathered: what the layers above import. Each name's home is the module it comes from."""

from sipgw.sip.headers import Headers
from sipgw.sip.model import Message, Request, Response
from sipgw.sip.parser import Malformed, parse
from sipgw.sip.respond import REASONS, respond, stamped, with_top_via
from sipgw.sip.validate import expires, validate

__all__ = [
    "REASONS",
    "Headers",
    "Malformed",
    "Message",
    "Request",
    "Response",
    "expires",
    "parse",
    "respond",
    "stamped",
    "validate",
    "with_top_via",
]
