"""Where calls go in and out, and what their far ends are told of it: as the listener has it that a call came to."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from sipgw.flow import Flow
from sipgw.io.advertised import Way, parse
from sipgw.options import AddressOptions, ListenerOptions, SipOptions
from sipgw.sip.paths import listener_of


class Places:
    """The places of all listeners.

    Args:
        options: the listeners.
        otherwise: for the RTP of calls by a listener that is not there any more.
        told: says what an address is told of one of ours.
    """

    def __init__(
        self, options: SipOptions, otherwise: AddressOptions, told: Callable[[AddressOptions, str], str]
    ) -> None:
        self._options, self._otherwise, self._told = options, otherwise, told

    def name(self, flow: Flow) -> str:
        """The host in Via and Contact of messages on `flow`."""
        listener = listener_of(self._options, flow)
        if listener is None:
            return flow.local[0]
        if listener.advertised and parse(listener.advertised).is_name:
            return listener.advertised
        return self._told(AddressOptions(listener.host, listener.advertised), flow.remote[0])

    def address(self, place: AddressOptions, flow: Flow) -> str:
        """The IP address in the SDP of a call that came by `flow` and has its RTP at `place`."""
        return self._told(place, flow.remote[0])

    def of(self, flow: Flow, *, six: bool) -> AddressOptions:
        """The place for a call.

        Args:
            flow: by which it came.
            six: whether its far end's RTP is IPv6. Where we have no such place, it is one of the other family.
        """
        listener = listener_of(self._options, flow)
        places = listener.media if listener is not None else (self._otherwise,)
        return next((place for place in places if (":" in place.host) is six), places[0])


def offline(options: SipOptions) -> SipOptions:
    """The same where there is no network: what would have to be found out is not advertised."""
    return replace(options, listeners=tuple(map(_offline, options.listeners)))


def all_addresses(options: SipOptions) -> Iterator[AddressOptions]:
    """Every address of ours of which an IP address is told."""
    for one in options.listeners:
        if not one.advertised or not parse(one.advertised).is_name:
            yield AddressOptions(one.host, one.advertised)
        yield from one.media


def _offline(listener: ListenerOptions) -> ListenerOptions:
    written = listener.advertised and parse(listener.advertised).way is Way.WRITTEN
    return listener if written else replace(listener, advertised="")
