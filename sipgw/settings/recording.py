"""The keys of `recording`: where the sound of calls is kept."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sipgw.options import RecordingOptions
from sipgw.settings.section import Section

_FOLDER = "recordings"


class Recording(Section):
    """How recordings are kept; whether a call is recorded is said by its route."""

    folder: str = ""
    """Where they go; empty: `recordings` in the state folder."""
    name: str = "{date}/{call}"
    """Path of each below the folder, without its ending: of `{date}`, `{time}`, `{call}`, `{caller}`, `{called}`,
    `{route}`."""
    format: Literal["pcm16", "pcmu"] = "pcm16"
    """WAV of 16-bit PCM, 115 MB an hour, or of mu-law (`pcmu`), half of that; stereo at 8 kHz."""
    keep_days: Annotated[int, Field(ge=0)] = 90
    """Days after which a recording is deleted; 0: never."""
    min_free_mb: Annotated[int, Field(ge=0)] = 1024
    """With fewer megabytes free, no recording begins: the call goes on, and an alarm says so."""

    def place(self, state: Path) -> Path:
        """The folder, seen from `state` where none is named."""
        return (Path(self.folder) if self.folder else state / _FOLDER).expanduser().absolute()

    def options(self, state: Path) -> RecordingOptions:
        """As the layers below see it."""
        return RecordingOptions(str(self.place(state)), self.format, self.min_free_mb << 20)
