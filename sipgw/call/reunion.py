"""What was on its way between a call and its media session when control died: both have to agree again."""

from sipgw.ai.events import Failed, Mute, Open, Ready
from sipgw.call.holdings import Holdings
from sipgw.call.states import State
from sipgw.media import plane


def repeat_commands(alive: plane.Alive, held: Holdings, stream: plane.Stream | None, state: State) -> None:
    """Give the commands again that the session does not know of.

    Args:
        alive: what the session is at.
        held: what the call holds; the commands are among its effects.
        stream: what is agreed with the far end; None where nothing is yet.
        state: the call's.
    """
    if stream is not None:
        if stream != alive.stream:
            held.update_session(stream)
        if not alive.started:
            held.start_session()
    if held.conversing and alive.attempt == held.attempt:
        if state is State.TALKING and not alive.opened:
            held.tell(Open())
        if held.muted is not alive.muted:
            held.tell(Mute(held.muted))


def keep_unrecorded(alive: plane.Alive, held: Holdings, *, paused: bool) -> None:
    """Let nothing be recorded that is not to be: a command to pause or to stop may have got lost."""
    if alive.recording and not held.recorded:
        held.stop_recording()
    elif alive.recording and alive.paused is not paused:
        held.pause_recording(paused)


def lost_events(alive: plane.Alive, held: Holdings, state: State) -> list[plane.Event]:
    """What the session told and the call has not heard, or will never hear as it never asked for it."""
    events: list[plane.Event] = []
    if held.conversing:
        if alive.attempt != held.attempt:
            events.append(plane.Reported(alive.session, held.attempt, Failed("lost_with_control")))
        elif alive.ready and state is State.SWITCHING:
            events.append(plane.Reported(alive.session, held.attempt, Ready()))
    if held.prompt and alive.play != held.plays:
        events.append(plane.Played(alive.session, held.prompt, complete=False, play=held.plays))
    return events
