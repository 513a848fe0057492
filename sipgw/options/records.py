"""What the keeper of records gets to see of the settings."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """The keeper's view."""

    url: str = field(default="", repr=False)
    """The database, as SQLAlchemy writes it but without a driver; empty means a file in the state folder."""
    keep_days: int = 0
    """Records older than that are deleted; 0 keeps them."""
    transcript_days: int = 0
    """The same for what was said in a call."""
