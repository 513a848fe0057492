"""What an endpoint's answer means for a delivery: done, again later, or never again. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_WAIT, LONGEST_WAIT = 1.0, 3600.0
"""Seconds before the first repetition, and before any."""
LONGEST_REST = 60.0
"""Seconds between attempts to reach an endpoint that does not answer at all: once it is back, all go there."""
_TOLD_TO_WAIT = (429, 503)
_GONE = 410


@dataclass(frozen=True, slots=True)
class Delivered:
    """The endpoint has it."""


@dataclass(frozen=True, slots=True)
class Again:
    """It does not, but may later."""

    reason: str
    """Short snake_case name."""
    wait: float
    """Seconds."""
    rests: bool = False
    """The endpoint takes nothing else until then either."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The endpoint wants nothing any more (RFC 9110 section 15.5.11)."""

    reason: str = "http_410"


Verdict = Delivered | Again | Gone


def judged(status: int, headers: Mapping[str, str], attempts: int, now: float, luck: float) -> Verdict:
    """What an answer means.

    Args:
        status: of HTTP. Redirects are not followed: the next place would need the same trust as the first.
        headers: names in lower case.
        attempts: how often it was tried, this time included.
        now: Unix time.
        luck: from 0 to 1, for jitter.
    """
    if 200 <= status < 300:
        return Delivered()
    if status == _GONE:
        return Gone()
    told = retry_after(headers.get("retry-after", ""), now) if status in _TOLD_TO_WAIT else None
    wait = backoff(attempts, luck)
    return Again(f"http_{status}", max(wait, told or 0.0), rests=told is not None)


def unanswered(reason: str, failures: int, luck: float) -> Again:
    """What it means that no answer came: the endpoint would answer nothing else now, so it is let rest.

    Args:
        reason: the name of what went wrong.
        failures: how many requests to the endpoint had no answer, one after another, this one included.
        luck: from 0 to 1, for jitter.
    """
    return Again(reason, min(backoff(failures, luck), LONGEST_REST), rests=True)


def backoff(attempts: int, luck: float) -> float:
    """Seconds to wait: doubled each time, half of it luck, so that what failed together does not return together."""
    longest: float = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts - 1, 20))
    return longest * (0.5 + 0.5 * luck)


def retry_after(text: str, now: float) -> float | None:
    """Seconds that Retry-After asks for (RFC 9110 section 10.2.3), an hour at most; None where it says nothing."""
    if text.isascii() and text.isdecimal():
        return min(float(text), LONGEST_WAIT)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    wait = (aware - datetime.fromtimestamp(now, UTC)).total_seconds()
    return min(max(wait, 0.0), LONGEST_WAIT)
