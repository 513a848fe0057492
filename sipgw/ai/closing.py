"""What a WebSocket's close code says about another try (RFC 6455 section 7.4.1, IANA's registry of close codes)."""

from sipgw.ai.events import Failed

NAMES: dict[int, tuple[str, bool]] = {
    1000: ("backend_closed", False),
    1001: ("backend_going_away", False),
    1002: ("protocol_error", True),
    1003: ("data_not_accepted", True),
    1005: ("backend_closed", False),
    1006: ("connection_lost", False),
    1007: ("invalid_data", True),
    1008: ("policy_violation", True),
    1009: ("message_too_big", True),
    1010: ("extension_missing", True),
    1011: ("backend_internal_error", False),
    1012: ("backend_restarting", False),
    1013: ("backend_busy", False),
    1014: ("bad_gateway", False),
    1015: ("tls_failed", True),
    3000: ("unauthorized", True),
    3003: ("forbidden", True),
    3008: ("backend_timeout", False),
}
"""Close code to the failure's name, and whether another try would fail the same way."""


def failure(code: int, reason: str) -> Failed:
    """The failure a closed socket amounts to. Codes of applications (4000 and up) say nothing about another try."""
    name, permanent = NAMES.get(code, ("closed_by_backend", False))
    return Failed(name, permanent, f"{code} {reason}".strip())
