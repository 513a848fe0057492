"""Where the RTP of a call goes in and out: as the listener has it that the call came to."""

from sipgw.flow import Flow
from sipgw.options import AddressOptions, SipOptions
from sipgw.sip.paths import listener_of


class Places:
    """The places of all listeners.

    Args:
        options: the listeners.
        otherwise: for calls by a listener that is not there any more.
    """

    def __init__(self, options: SipOptions, otherwise: AddressOptions) -> None:
        self._options, self._otherwise = options, otherwise

    def of(self, flow: Flow, *, six: bool) -> AddressOptions:
        """The place for a call.

        Args:
            flow: by which it came.
            six: whether its far end's RTP is IPv6. Where we have no such place, it is one of the other family.
        """
        listener = listener_of(self._options, flow)
        places = listener.media if listener is not None else (self._otherwise,)
        return next((place for place in places if (":" in place.host) is six), places[0])
