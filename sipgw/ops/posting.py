"""Posts JSON to a configured place: signed, and through the guard."""

from sipgw.io.guarded_http import GuardedHttp, HttpAnswer
from sipgw.io.inside import Reach
from sipgw.ops.signing import signature_headers
from sipgw.options import PlaceOptions


def http_to(place: PlaceOptions) -> GuardedHttp:
    """Connections to a place, and to nowhere it must not lead."""
    return GuardedHttp(Reach.of(place.inside), ca_file=place.ca_file, connections=place.connections)


async def post_signed(http: GuardedHttp, place: PlaceOptions, name: str, body: bytes, when: float) -> HttpAnswer:
    """Post a message.

    Args:
        name: the message's id.
        body: JSON.
        when: Unix time.

    Raises:
        HttpFailed: no answer came that can be used.
    """
    signed = signature_headers(place.secrets, name, when, body)
    headers = {**place.headers, "Content-Type": "application/json", "User-Agent": "sipgw", **signed}
    return await http.post(place.url, body, headers, within=place.timeout)
