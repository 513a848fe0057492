"""What cannot be read."""

from sipgw.errors import SipgwError


class CaptureError(SipgwError):
    """A file that is no capture we can read; the message says why."""
