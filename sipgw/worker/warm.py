"""What a worker process does once before it takes calls, so that none of them waits for it."""

from sipgw.ai.events import AudioFormat
from sipgw.flow import Endpoint
from sipgw.io.trust import trust
from sipgw.media.batch import Engine
from sipgw.media.plane import CreateSession, Stream
from sipgw.media.table import Table
from sipgw.options import MediaOptions
from sipgw.rtp.packet import pack
from sipgw_codecs.registry import codec

_NOBODY: Endpoint = ("127.0.0.1", 9)
_TICKS = 40
_DYNAMIC = 96


def warm_up(options: MediaOptions) -> None:
    """Take a frame through the engine for each codec, and read the authorities that TLS trusts."""
    for name in options.codecs:
        chosen = codec(name)
        if chosen.available():
            continue
        engine = Engine(options, table=Table.of(1))
        kind = _DYNAMIC if chosen.payload_type is None else chosen.payload_type
        slot = engine.create(CreateSession("s", "c", Stream(name, _NOBODY, _NOBODY, (kind,), kind)), 1.0)
        engine.start("s", 1.0)
        engine.set_audio("s", AudioFormat.PCM16_24K)
        engine.playout("s").add(bytes(AudioFormat.PCM16_24K.bytes_of(100)))
        payload = chosen.silence(20)
        for number in range(_TICKS):
            now = 1.0 + number * 0.005
            engine.receive(slot, pack(kind, False, number, number * chosen.units(payload), 1) + payload, _NOBODY, now)
            engine.handle_timers(now)
            engine.decode(now)
            engine.tick(number, now)
    trust()
