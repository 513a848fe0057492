"""Whom we trust when we open TLS."""

import functools
import ssl


@functools.cache
def trust(ca_file: str = "") -> ssl.SSLContext:
    """The TLS context: the system's authorities, and those in `ca_file`. Made once, it costs tens of milliseconds."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
