"""The keys of `records`: what is kept of calls that are over."""

from typing import Annotated

from pydantic import Field

from sipgw.settings.section import Section


class Records(Section):
    """What is kept of calls that are over."""

    url: str = ""
    """The database: `postgresql://user:password@host/name` or `sqlite:////folder/file`; empty: records.db in the state
    folder."""
    keep_days: Annotated[int, Field(ge=0)] = 365
    """Days after which the record of a call is deleted; 0: never."""
