"""What libsrtp can and its Python package does not offer: by ctypes, in the copy of libsrtp that the package brings.

A rollover counter, so that a stream goes on in another process (RFC 3711 section 3.3.1), and AES-256 in counter mode
(RFC 6188).
"""

import ctypes
from functools import cache

from pylibsrtp import Error, Policy, Session, _binding


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(_binding.__file__)
    library.srtp_set_stream_roc.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32]
    library.srtp_get_stream_roc.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32)]
    library.srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80.argtypes = [ctypes.c_void_p]
    library.srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80.restype = None
    return library


def set_rollover(session: Session, ssrc: int, rollover: int) -> None:
    """The next packet of a stream that `session` knows is in the `rollover`th round of sequence numbers.

    Raises:
        Error: there is no such stream.
    """
    code = _library().srtp_set_stream_roc(_address(session._srtp[0]), ssrc, rollover)
    if code:
        raise Error(f"no rollover counter for {ssrc:08x}: libsrtp says {code}")


def rollover_of(session: Session, ssrc: int) -> int:
    """In which round of sequence numbers a stream is; 0 for one that `session` does not know."""
    counter = ctypes.c_uint32()
    _library().srtp_get_stream_roc(_address(session._srtp[0]), ssrc, ctypes.byref(counter))
    return counter.value


def use_aes_256_cm(policy: Policy) -> None:
    """Protect by AES_256_CM_HMAC_SHA1_80, both RTP and RTCP. The key has 46 octets."""
    for part in (policy._policy.rtp, policy._policy.rtcp):
        _library().srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(_address(_binding.ffi.addressof(part)))


def _address(pointer: object) -> int:
    return int(_binding.ffi.cast("uintptr_t", pointer))
