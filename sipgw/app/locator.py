"""Finds where a SIP URI leads: asks the DNS what the lookup wants to know, and makes flows of the places."""

from collections.abc import Sequence
from random import Random, SystemRandom

from sipgw.flow import Flow
from sipgw.io.dns import Dns
from sipgw.options import ListenerOptions
from sipgw.sip.locate import Answers, Naptr, Place, Question, Srv, locate
from sipgw.sip.uri import Uri


class Locator:
    """Makes paths from our listeners to whoever a URI names.

    Args:
        dns: answers questions.
        listeners: from which we can call.
        random: for the weights of servers.
    """

    def __init__(self, dns: Dns, listeners: Sequence[ListenerOptions], random: Random | None = None) -> None:
        self._dns, self._listeners, self._random = dns, tuple(listeners), random or SystemRandom()

    async def find(self, uri: Uri, *, host: str = "") -> tuple[Flow, ...]:
        """The paths to `uri`, the best first; empty where its name leads nowhere.

        Args:
            uri: whom to call.
            host: call from the listeners on this address of ours alone; empty for any.

        Raises:
            PeerError: 416 for a scheme we cannot call, 480 for a transport we have no listener for.
        """
        ours = [one for one in self._listeners if host in ("", one.host) and one.transport in ("udp", "tcp", "tls")]
        transports = tuple(dict.fromkeys(one.transport for one in ours))
        sixes = {_six(one) for one in ours}
        families = tuple(family for family, six in (("A", False), ("AAAA", True)) if six in sixes)
        lookup = locate(uri, transports, families, self._random)
        try:
            question = next(lookup)
            while True:
                question = lookup.send(await self._ask(question))
        except StopIteration as done:
            places: tuple[Place, ...] = done.value
        return tuple(flow for place in places for flow in self._flows(place, ours))

    async def _ask(self, question: Question) -> Answers:
        match question.kind:
            case "NAPTR":
                return [Naptr(*record) for record in await self._dns.naptr(question.name)]
            case "SRV":
                return [Srv(*record) for record in await self._dns.srv(question.name)]
        return await self._dns.addresses(question.name, six=question.kind == "AAAA")

    def _flows(self, place: Place, ours: Sequence[ListenerOptions]) -> list[Flow]:
        """From the first listener that can send there."""
        six = ":" in place.address
        fitting = [one for one in ours if one.transport == place.transport and _six(one) is six]
        names = (place.name,) if place.transport == "tls" else ()
        return [Flow(place.transport, one.local, (place.address, place.port), names) for one in fitting[:1]]


def _six(listener: ListenerOptions) -> bool:
    return ":" in listener.host
