"""Every backend's dialect by its name in the configuration: one line each."""

from collections.abc import Callable, Mapping

from sipgw.ai.builtin.demo import Demo
from sipgw.ai.builtin.echo import Echo
from sipgw.ai.builtin.tone import Tone
from sipgw.ai.dialect import Dialect
from sipgw.ai.events import CallFacts
from sipgw.ai.openai_realtime import OpenAIRealtime
from sipgw.ai.sipgw_protocol import SipgwProtocol
from sipgw.options import BackendOptions

Prompts = Mapping[str, bytes]
"""PCM16 at 24 kHz by name."""

DIALECTS: dict[str, Callable[[BackendOptions, CallFacts, Prompts], Dialect]] = {
    "echo": lambda options, facts, prompts: Echo(options, facts),
    "demo": Demo,
    "tone": lambda options, facts, prompts: Tone(options, facts),
    "sipgw": lambda options, facts, prompts: SipgwProtocol(options, facts),
    "openai-realtime": lambda options, facts, prompts: OpenAIRealtime(options, facts),
}

_NO_PROMPTS: Prompts = {}


def make_dialect(options: BackendOptions, facts: CallFacts, prompts: Prompts = _NO_PROMPTS) -> Dialect:
    """A new conversation's dialect.

    Raises:
        ValueError: there is no such dialect, or its settings make no sense.
    """
    make = DIALECTS.get(options.dialect)
    if make is None:
        known = ", ".join(DIALECTS)
        raise ValueError(f"backend {options.name}: there is no dialect {options.dialect!r}; there are {known}")
    return make(options, facts, prompts)
