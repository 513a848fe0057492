"""OpenAI Realtime: what was said before, for a session that begins anew in the middle of a call.

There is no resumption: a connection that was lost takes its session along. So the new one is told.
"""

from collections import deque
from collections.abc import Iterable

from sipgw.ai import openai_wire as wire
from sipgw.ai.events import REMEMBERED, Words


class Memory:
    """The last turns of a conversation.

    Args:
        said: those from before this process.
        beta: speak the beta interface.
    """

    def __init__(self, said: Iterable[Words], beta: bool) -> None:
        self._said = deque(said, maxlen=REMEMBERED)
        self._beta = beta

    def add(self, who: str, text: str) -> None:
        """`caller` or `agent` said this."""
        if text:
            self._said.append(Words(who, text))

    def told(self) -> list[str]:
        """The messages that tell a new session; none at a call's beginning."""
        return [
            wire.user_text(words.text) if words.who == "caller" else wire.agent_text(words.text, self._beta)
            for words in self._said
        ]
