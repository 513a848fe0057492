"""The keys of `records`: what is kept of calls that are over."""

from typing import Annotated, Literal

from pydantic import Field

from sipgw.settings.section import Section


class Records(Section):
    """What is kept of calls that are over."""

    url: str = ""
    """The database: `postgresql://user:password@host/name` or `sqlite:////folder/file`; empty: records.db in the state
    folder."""
    transcript: Literal["off", "redacted", "full"] = "off"
    """What is kept of the words spoken: nothing, all without numbers and addresses, or all."""
    transcript_days: Annotated[int, Field(ge=0)] = 30
    """Days after which the words of a call are deleted; 0: with its record."""
    keep_days: Annotated[int, Field(ge=0)] = 365
    """Days after which the record of a call is deleted; 0: never."""
