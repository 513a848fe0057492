"""libopus by ctypes: the few functions that the codec needs.

Looked for where `SIPGW_LIBOPUS` says, among the system's libraries, and in the wheel of PyAV, which has a copy that
opens by itself.
"""

import ctypes
import os
from ctypes import POINTER, c_char_p, c_int, c_int16, c_int32, c_void_p
from functools import cache
from importlib.util import find_spec
from pathlib import Path

VOIP, LOW_DELAY = 2048, 2051
"""Applications of an encoder."""
SET_BITRATE, SET_MAX_BANDWIDTH, SET_VBR, SET_COMPLEXITY = 4002, 4004, 4006, 4010
SET_INBAND_FEC, SET_PACKET_LOSS, SET_SIGNAL, RESET_STATE = 4012, 4014, 4024, 4028
SIGNAL_VOICE = 3001

_SYSTEM = "libopus.so.0"


class Missing(Exception):
    """There is no libopus to be found; the text says where it was looked for."""


@cache
def libopus() -> ctypes.CDLL:
    """The library, its functions declared. Raises Missing."""
    tried = []
    for name in _candidates():
        try:
            return _declared(ctypes.CDLL(name))
        except (OSError, AttributeError) as error:
            tried.append(str(error))
    raise Missing("; ".join(tried))


def _candidates() -> list[str]:
    named = os.environ.get("SIPGW_LIBOPUS")
    if named:
        return [named]
    wheel = find_spec("av")
    copies = []
    if wheel is not None and wheel.origin is not None:
        copies = sorted(map(str, (Path(wheel.origin).parents[1] / "av.libs").glob("libopus*.so*")))
    return [_SYSTEM, *copies]


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    create, errors = [c_int32, c_int], POINTER(c_int)
    library.opus_encoder_create.argtypes, library.opus_encoder_create.restype = [*create, c_int, errors], c_void_p
    library.opus_decoder_create.argtypes, library.opus_decoder_create.restype = [*create, errors], c_void_p
    for destroy in (library.opus_encoder_destroy, library.opus_decoder_destroy):
        destroy.argtypes, destroy.restype = [c_void_p], None
    library.opus_encode.argtypes = [c_void_p, c_char_p, c_int, c_char_p, c_int32]
    library.opus_decode.argtypes = [c_void_p, c_char_p, c_int32, POINTER(c_int16), c_int, c_int]
    library.opus_strerror.argtypes, library.opus_strerror.restype = [c_int], c_char_p
    return library


def reason(code: int) -> str:
    """What an error code of the library means."""
    text = libopus().opus_strerror(code)
    return text.decode() if isinstance(text, bytes) else str(code)
