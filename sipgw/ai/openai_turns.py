"""OpenAI Realtime: who may speak when. Responses one at a time, and how much of each utterance there was."""

from collections import OrderedDict
from dataclasses import dataclass

from sipgw.ai import openai_wire as wire
from sipgw.ai.events import AudioFormat, Interrupted

ITEMS_KEPT = 16
"""How many utterances' lengths are remembered for truncation."""


class Responses:
    """A response may only be asked for while none is running, so a wish for one waits for the running one's end."""

    def __init__(self) -> None:
        self._running: str | None = None
        """The running response's id, empty where the server gave none."""
        self._wanted: dict[str, object] | None = None
        self._cancelled = False

    def ask(self, response: dict[str, object]) -> list[str]:
        """Ask for a response now, or once the running one is done; a later wish replaces one that waits."""
        if self._running is not None:
            self._wanted = response
            return []
        self._wanted = None
        return [wire.event("response.create", **({"response": response} if response else {}))]

    def created(self, response_id: str) -> None:
        """One runs."""
        self._running, self._cancelled = response_id, False

    def refused(self) -> None:
        """The server says one runs that we did not know of."""
        self._running, self._wanted = self._running or "", self._wanted or {}

    def done(self) -> list[str]:
        """None runs any more."""
        self._running = None
        return [] if self._wanted is None else self.ask(self._wanted)

    def cancelled_by_server(self) -> None:
        """The server stops the running one by itself."""
        self._cancelled = True

    def cancel(self) -> list[str]:
        """Stop the running one, if it is not being stopped already."""
        if self._running is None or self._cancelled:
            return []
        self._cancelled = True
        return [wire.event("response.cancel", **({"response_id": self._running} if self._running else {}))]


@dataclass(slots=True)
class Utterance:
    """What came of one item's audio."""

    content_index: int
    size_bytes: int = 0
    complete: bool = False


class Utterances:
    """The last few items' lengths."""

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._kept: OrderedDict[str, Utterance] = OrderedDict()

    def add(self, item: str, content_index: int, size_bytes: int) -> None:
        """More audio of an item came."""
        utterance = self._kept.get(item)
        if utterance is None:
            utterance = self._kept[item] = Utterance(content_index)
            if len(self._kept) > ITEMS_KEPT:
                self._kept.popitem(last=False)
        utterance.size_bytes += size_bytes

    def complete(self, item: str) -> None:
        """No more of it comes."""
        if utterance := self._kept.get(item):
            utterance.complete = True

    def truncate(self, event: Interrupted) -> list[str]:
        """Let the model know how much was heard; the rest leaves its memory. Once an item."""
        utterance = self._kept.pop(event.item, None)
        if utterance is None:
            return []
        received_ms = int(self._audio.ms_of(utterance.size_bytes))
        if utterance.complete and event.sent_ms >= received_ms:
            return []
        # More than the item's length is an error, and rounding may have made it so.
        heard_ms = max(0, min(event.sent_ms, received_ms))
        index = utterance.content_index
        return [
            wire.event("conversation.item.truncate", item_id=event.item, content_index=index, audio_end_ms=heard_ms)
        ]
