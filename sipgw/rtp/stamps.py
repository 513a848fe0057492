"""Timestamps of 32 bits that wrap (RFC 3550 section 5.1)."""

MODULUS = 1 << 32


def step(start: int, end: int) -> int:
    """From one timestamp to another, whichever way round is shorter."""
    return (end - start + MODULUS // 2) % MODULUS - MODULUS // 2
