"""What recordings get to see of the settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """Where recordings go, and how they are written."""

    folder: str = ""
    """Absolute path; empty where nothing can be recorded."""
    encoding: str = "pcm16"
    """How samples are written: `pcm16` or `pcmu`."""
    min_free_bytes: int = 0
    """With less free space than this, no recording begins."""
