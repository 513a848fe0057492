"""What offer and answer have settled on for one session: codec, packets, payload types, keys."""

from sipgw.media import plane
from sipgw.media.coding import Outgoing
from sipgw.options import MediaOptions
from sipgw.rtp.srtp import Protection, Resumption
from sipgw_codecs.framed import Shaping
from sipgw_codecs.g711 import G711
from sipgw_codecs.registry import Codec, Sound, codec

AUDIO, KEYS, NOISE = 1, 2, 3
"""What a payload type stands for."""
_COMFORT_NOISE = 13
"""RFC 3389; its content is not needed: the time line fills the pause."""
_SHORTEST_MS, _LONGEST_MS, _STEP_MS = 10, 60, 10


def packet_interval(ptime_ms: int) -> int:
    """The packet interval we use where `ptime_ms` is wanted: 10 to 60 ms in steps of 10."""
    return max(_SHORTEST_MS, min(ptime_ms // _STEP_MS * _STEP_MS, _LONGEST_MS))


class Agreed:
    """One session's.

    Args:
        stream: what was agreed first.
        ssrc: ours.
        options: how to encode.
    """

    __slots__ = ("_opus", "_ssrc", "codec", "interval_ms", "kinds", "outgoing", "protection", "sound", "stream")

    def __init__(self, stream: plane.Stream, ssrc: int, options: MediaOptions) -> None:
        self._ssrc, self._opus = ssrc, options.opus
        self.agree(stream)
        self.protection: Protection | None = None
        self.outgoing: Outgoing | None = None
        """The encoder, of a codec that has one."""
        self.encode_anew()

    def agree(self, stream: plane.Stream) -> None:
        """Offer and answer have settled on `stream`."""
        self.stream = stream
        self.codec: Codec = codec(stream.codec)
        self.sound: Sound = self.codec.sound
        self.interval_ms = self.codec.interval(packet_interval(stream.ptime_ms))
        self.kinds = dict.fromkeys(stream.receive_types, AUDIO) | {_COMFORT_NOISE: NOISE}
        if stream.dtmf_receive_type is not None:
            self.kinds[stream.dtmf_receive_type] = KEYS

    def protect(self, resume: Resumption | None = None) -> None:
        """Protect what is sent, and check what comes, as was agreed."""
        srtp, before = self.stream.srtp, self.protection
        self.protection = None
        if srtp is not None:
            self.protection = Protection(srtp.suite, srtp.ours, srtp.theirs, self._ssrc, resume, before)

    def sealed(self, packet: bytes) -> bytes:
        """An RTP packet as it is sent."""
        return packet if self.protection is None else self.protection.protect(packet)

    def sealed_rtcp(self, packet: bytes) -> bytes:
        """An RTCP packet as it is sent."""
        return packet if self.protection is None else self.protection.protect_rtcp(packet)

    def encode_anew(self) -> None:
        """Begin with a new encoder, where the codec has one."""
        if isinstance(self.codec, G711):
            self.outgoing = None
            return
        shaping = Shaping(self._opus.low_delay, self._opus.complexity, self._opus.bitrate, self.stream.parameters)
        self.outgoing = Outgoing(self.codec, self.interval_ms, shaping)
