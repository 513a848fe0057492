"""What whoever steers calls from outside may ask of one, and why it cannot be had.

A command goes through the call's state table like anything else that happens to it. What takes time is told in the
feed when it is done (`call/feed.py`).
"""

from dataclasses import dataclass

from sipgw.errors import SipgwError


@dataclass(frozen=True, slots=True)
class HangUpCall:
    """End the call; one that rings is refused."""

    call: str


@dataclass(frozen=True, slots=True)
class PlayPrompt:
    """Play a prompt to the caller. The AI is silent and hears nothing meanwhile, then the conversation goes on."""

    call: str
    prompt: str


@dataclass(frozen=True, slots=True)
class StopPrompt:
    """End the prompt that plays."""

    call: str


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Press keys towards the far end (RFC 4733). The AI's speech waits meanwhile."""

    call: str
    digits: str
    duration_ms: int = 160
    gap_ms: int = 80
    """Silence between two keys."""


@dataclass(frozen=True, slots=True)
class HoldCall:
    """Put the caller on hold by a re-INVITE: music, and the AI neither speaks nor hears."""

    call: str
    music: str | None = None
    """Prompt that repeats meanwhile: empty is silence, None what is configured."""


@dataclass(frozen=True, slots=True)
class ResumeCall:
    """Take the caller off hold."""

    call: str


@dataclass(frozen=True, slots=True)
class SayText:
    """Ask the AI to say something."""

    call: str
    text: str


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Record the call from now on."""

    call: str


@dataclass(frozen=True, slots=True)
class StopRecording:
    """End the recording; it may be started again, as another file."""

    call: str


@dataclass(frozen=True, slots=True)
class PauseRecording:
    """Leave out what is said from now on, a card's digits say: silence, true to time."""

    call: str


@dataclass(frozen=True, slots=True)
class ResumeRecording:
    """Go on after a pause."""

    call: str


Command = (
    HangUpCall | PlayPrompt | StopPrompt | SendDigits | HoldCall | ResumeCall | SayText
    | StartRecording | StopRecording | PauseRecording | ResumeRecording
)  # fmt: skip


class NoSuchCall(SipgwError):
    """There is no call of that id, or it is over."""

    def __init__(self, call: str) -> None:
        super().__init__(f"there is no call {call!r}, or it is over")


class WrongState(SipgwError):
    """The call is there, but what was asked cannot be done with it now; the message says why."""
