"""A prompt over a session's conversation: it is heard instead, and the conversation's own audio waits behind it."""

from dataclasses import dataclass

from sipgw.ai.events import AudioFormat
from sipgw.audio.playout import Playout
from sipgw.media.session import Session

FORMAT = AudioFormat.PCM16_24K
"""Of all prompts, whatever the conversation's is."""


@dataclass(frozen=True, slots=True)
class PromptEnded:
    """It has left to its last sample."""


def covered(session: Session, cover: Playout) -> Playout | None:
    """Whose audio leaves next. What was cut off fades out first, on both sides; a cover that is over is taken off."""
    playout = session.playout
    if playout is not None and playout.fading:
        return playout
    if cover.active or session.tail:
        return cover
    session.cover = None
    return playout
