"""One call as whoever looks from outside sees it."""

from dataclasses import dataclass

from sipgw.ai.carried import NOTHING, Carried
from sipgw.call.call import Call
from sipgw.call.cdr import last_ready


@dataclass(frozen=True, slots=True)
class CallView:
    """One call as it stands, for whoever looks from outside. Times are Unix times."""

    call: str
    caller: str
    called: str
    state: str
    target: str
    codec: str
    started: float
    answered: float | None
    held_by: tuple[str, ...] = ()
    """Who has it on hold: `gateway`, `caller`."""
    prompt: str = ""
    """The prompt that plays."""
    recording: str = "off"
    """`on`, `paused` or `off`."""
    source: str = ""
    """The address the INVITE came from."""
    route: str = ""
    """The pattern of the route that took it."""
    srtp: str = ""
    """The suite by which its RTP is protected; empty where it is not."""
    serial: int = 0
    """Counts the calls of this run."""
    carried: Carried = NOTHING


def view_of(call: Call) -> CallView:
    """A call as it stands."""
    draft = call.draft
    return CallView(
        call=call.id,
        caller=draft.caller,
        called=draft.called,
        state=call.state.name.lower(),
        target=last_ready(draft.targets),
        codec=draft.codec,
        started=draft.wall(draft.started),
        answered=None if draft.answered is None else draft.wall(draft.answered),
        held_by=call.held_by,
        prompt=call.prompt,
        recording=call.recording,
        source=draft.source,
        route=draft.route,
        srtp=draft.srtp,
        serial=call.serial,
        carried=draft.carried,
    )
