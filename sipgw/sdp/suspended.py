"""A stream that the far end closes in mid-call, with port 0 in a new offer (RFC 3264 sections 5.1 and 8.2).

It may open the stream again by another offer, so to the call it is a hold; some PBXs hold calls so.
"""

from dataclasses import replace

from sipgw.sdp.audio import Agreement, LocalAudio, following, rejected
from sipgw.sdp.model import Sdp


def suspended(offer: Sdp, local: LocalAudio, previous: Agreement | None) -> Agreement | None:
    """The answer to an offer that closes what was agreed before; None where the offer does something else.

    Every line gets port 0, as section 6 wants it. The stream stays as it was, but nobody sends.
    """
    if previous is None or previous.line >= len(offer.media) or any(media.port for media in offer.media):
        return None
    if offer.media[previous.line].kind != "audio":
        return None
    lines = tuple(rejected(media) for media in offer.media)
    sdp = following(Sdp(local.origin(), local.address, lines, timing=offer.timing), previous.sdp)
    return Agreement(sdp, replace(previous.stream, sending=False, receiving=False), previous.line)
