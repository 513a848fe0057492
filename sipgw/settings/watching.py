"""The keys of `log` and `metrics`: what an operator sees."""

from typing import Annotated, Literal

from pydantic import Field

from sipgw.settings.section import Section


class Log(Section):
    """What is written to standard error."""

    format: Literal["console", "json"] = "console"
    """`console` for people, `json` for machines."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """`info` is a line at answer and one at the end; `debug` every message, and every drop with its reason."""


class Metrics(Section):
    """Prometheus counters over HTTP, at `/metrics`."""

    host: str = "127.0.0.1"
    """IP address to serve them on."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """TCP port; 0: not served. SIPGW_METRICS_PORT overrides it."""
