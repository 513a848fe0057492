"""Whether calls can be recorded as the configuration has it, and prompts be played."""

import os
from pathlib import Path

from sipgw.audio.prompts import BadPrompt, decode
from sipgw.call.naming import objection
from sipgw.settings.model import Settings
from sipgw.settings.packaged import prompt_names
from sipgw.settings.problems import Where, did_you_mean
from sipgw.settings.source import Source


def check_recording(settings: Settings, source: Source) -> None:
    """Note what is wrong with `recording`, `prompts`, and what routes want of them."""
    if said := objection(settings.recording.name):
        source.complain(("recording", "name"), said, "write {date}/{call}, for instance")
    for name, path in settings.prompts.items():
        _prompt(path, ("prompts", name), source)
    known = [*settings.prompts, *prompt_names()]
    recorded = False
    for index, route in enumerate(settings.routes):
        where = ("routes", index, "consent")
        if route.consent and route.consent not in known:
            source.complain(where, f"there is no prompt {route.consent!r}", did_you_mean(route.consent, known))
        if route.consent and route.record == "never":
            source.complain(where, "calls of this route are never recorded", "set record, or leave consent out")
        recorded = recorded or route.record != "never"
    folder = settings.recording.place(settings.state)
    if recorded and not _can_be_written(folder):
        source.complain(("recording", "folder"), f"{folder} cannot be written", "let the gateway's user write there")


def _prompt(path: str, where: Where, source: Source) -> None:
    try:
        decode(Path(path).read_bytes(), 8000)
    except OSError as error:
        source.complain(where, f"{path} cannot be read: {error.strerror}", "name a WAV file")
    except BadPrompt as error:
        source.complain(where, f"{path} cannot be played: {error}", "convert it: sox in.mp3 -b 16 out.wav")


def _can_be_written(folder: Path) -> bool:
    """Whether files can be made in a folder, which may have to be made itself."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
