"""Whether a stream is protected by SRTP: by our policy, and by whose keys (RFC 4568).

`off`: only plain lines are taken, what they say of keys is passed over. `required`: only lines with a key that we can
use, whatever their transport is called: best-effort phones write a=crypto under RTP/AVP, and understand it in the
answer. `optional`: such lines rather than others, and plain ones too.

What we offer first with `optional` is such a best-effort line as well. Whoever knows no SRTP passes over an attribute
it does not know, which cannot be said of a second line or another transport; whoever insists on RTP/SAVP refuses it,
and is a trunk to require SRTP of.
"""

from collections.abc import Sequence

from sipgw.options import SrtpPolicy
from sipgw.sdp.audio import Agreement
from sipgw.sdp.crypto import KEY_BYTES, Crypto, Keys, RandomBytes, accepted, chosen, kept, offered_by, offers
from sipgw.sdp.model import Media
from sipgw.sdp.remote import quotable, refusal

PLAIN = ("RTP/AVP", "RTP/AVPF")
"""That the second allows more feedback (RFC 4585) obliges us to nothing."""
SECURE = ("RTP/SAVP", "RTP/SAVPF")
_SERVED: dict[SrtpPolicy, tuple[str, ...]] = {"off": PLAIN, "optional": PLAIN + SECURE, "required": SECURE}


def is_secure(media: Media) -> bool:
    """Whether a line is for SRTP by its transport."""
    return media.protocol.upper() in SECURE


def in_order(lines: Sequence[Media], policy: SrtpPolicy) -> list[tuple[int, Media]]:
    """The open lines of audio with their places, in the order to try them: protected ones first, if at all."""
    audio = [(place, media) for place, media in enumerate(lines) if media.kind == "audio" and media.port]
    if policy == "off":
        return audio
    return sorted(audio, key=lambda one: not (is_secure(one[1]) or offered_by(one[1])))


def answered(
    media: Media, policy: SrtpPolicy, random: RandomBytes, before: Keys | None
) -> tuple[Crypto, Keys] | tuple[None, None]:
    """What our answer says of keys, and what is agreed by it; None where the stream is plain.

    Args:
        media: an offered line.
        policy: ours.
        random: makes our key.
        before: what was agreed until now.

    Raises:
        PeerError: 488, as the policy does not take the line.
    """
    _check_transport(media, policy)
    found = None if policy == "off" else chosen(offered_by(media), random, before)
    if found is not None:
        return found
    if is_secure(media):
        raise refusal(306, f"no key in a=crypto for {' or '.join(KEY_BYTES)}")
    if policy == "required":
        raise refusal(302, f"SRTP is required: {quotable(media.protocol)} without a key in a=crypto is not served")
    return None, None


def proposed(policy: SrtpPolicy, random: RandomBytes, previous: Agreement | None) -> tuple[str, list[Crypto]]:
    """Transport and keys of an offer of ours; in mid-call they stay what they are."""
    if previous is None:
        return ("RTP/SAVP" if policy == "required" else "RTP/AVP"), [] if policy == "off" else offers(random)
    line, keys = previous.sdp.media[previous.line], previous.stream.srtp
    return line.protocol, [] if keys is None else [kept(keys, line)]


def settled(ours: Media, theirs: Media, policy: SrtpPolicy) -> Keys | None:
    """What is agreed by the far end's answer to an offered line of ours; None where the stream is plain.

    Raises:
        PeerError: 488: a key is missing, or is none to what we offered.
    """
    offered = offered_by(ours)
    if theirs.protocol.upper() not in (PLAIN + SECURE if offered else PLAIN):
        raise refusal(302, "the answer changes the transport protocol")
    keys = accepted(offered, theirs)
    meant = is_secure(ours) or is_secure(theirs) or (offered and theirs.value("crypto"))
    if keys is None and (meant or policy == "required"):
        raise refusal(306, "the answer has no key in a=crypto for what was offered")
    return keys


def _check_transport(media: Media, policy: SrtpPolicy) -> None:
    """Has the policy a use for it, whatever the line says of keys?"""
    protocol = media.protocol.upper()
    if protocol in PLAIN or protocol in _SERVED[policy]:
        return
    keys = "" if policy == "off" else ", with keys in a=crypto"
    *others, last = _SERVED[policy]
    raise refusal(302, f"{quotable(media.protocol)} is not served, only {', '.join(others)} and {last} are{keys}")
