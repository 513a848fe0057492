"""Descriptions in the shapes of well-known phones, switches and carriers, and those found in recordings."""

import re

import pytest

from tests.shared import ROOT


def body(text: str) -> bytes:
    """The lines of `text`, without their indentation, as a message carries them."""
    return "".join(f"{line.strip()}\r\n" for line in text.strip().splitlines()).encode()


ASTERISK = body("""
    v=0
    o=- 1827110263 1827110263 IN IP4 192.0.2.10
    s=Asterisk
    c=IN IP4 192.0.2.10
    t=0 0
    m=audio 17412 RTP/AVP 0 8 101
    a=rtpmap:0 PCMU/8000
    a=rtpmap:8 PCMA/8000
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-16
    a=ptime:20
    a=maxptime:140
    a=sendrecv
""")

TEAMS = body("""
    v=0
    o=- 91827 0 IN IP4 192.0.2.52
    s=session
    c=IN IP4 192.0.2.52
    b=CT:10000000
    t=0 0
    m=audio 49506 RTP/SAVP 104 9 0 8 18 101 13
    a=rtcp:49507
    a=ice-ufrag:uF3g
    a=ice-pwd:0123456789abcdefghijklmn
    a=candidate:1 1 UDP 2130706431 192.0.2.52 49506 typ host
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd|2^31
    a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:HRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA|2^31|1:1
    a=rtpmap:104 SILK/16000
    a=rtpmap:9 G722/8000
    a=rtpmap:0 PCMU/8000
    a=rtpmap:8 PCMA/8000
    a=rtpmap:18 G729/8000
    a=fmtp:18 annexb=no
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-16
    a=rtpmap:13 CN/8000
    a=ptime:20
    a=rtcp-mux
""")

ZOOM = body("""
    v=0
    o=ZoomSBC 30 1 IN IP4 192.0.2.77
    s=-
    c=IN IP4 192.0.2.77
    t=0 0
    m=audio 20154 RTP/SAVP 102 9 0 8 101
    a=rtpmap:102 opus/48000/2
    a=fmtp:102 useinbandfec=1
    a=rtpmap:9 G722/8000
    a=rtpmap:0 PCMU/8000
    a=rtpmap:8 PCMA/8000
    a=rtpmap:101 telephone-event/8000
    a=crypto:1 AEAD_AES_256_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis=
    a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd
    a=ptime:20
    a=sendrecv
""")

THREECX = body("""
    v=0
    o=3cxPS 5511 9931 IN IP4 192.0.2.30
    s=3cxPS Audio call
    c=IN IP4 192.0.2.30
    t=0 0
    m=audio 9016 RTP/SAVP 0 8 101
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd
    a=rtpmap:101 telephone-event/8000
    m=audio 9018 RTP/AVP 0 8 101
    a=rtpmap:101 telephone-event/8000
""")

SIPP = body("""
    v=0
    o=user1 53655765 2353687637 IN IP4 127.0.0.1
    s=-
    c=IN IP4 127.0.0.1
    t=0 0
    m=audio 6000 RTP/AVP 8 101
    a=rtpmap:8 PCMA/8000
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-11,16
""")

BARESIP = body("""
    v=0
    o=- 3920471838 2046529411 IN IP4 127.0.0.1
    s=-
    c=IN IP4 127.0.0.1
    t=0 0
    a=tool:baresip 1.0.0
    m=audio 10160 RTP/AVP 96 0 8 101
    b=AS:125
    a=rtpmap:96 opus/48000/2
    a=fmtp:96 stereo=1;sprop-stereo=1
    a=rtpmap:0 PCMU/8000
    a=rtpmap:8 PCMA/8000
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=rtcp:10161
    a=rtcp-rsize
    a=ssrc:3735928559 cname:sip:bob@127.0.0.1
    a=sendrecv
    a=label:1
    a=ptime:20
""")

PJSUA2 = body("""
    v=0
    o=- 3941283749 3941283749 IN IP4 127.0.0.1
    s=pjmedia
    b=AS:84
    t=0 0
    a=X-nat:0
    m=audio 4000 RTP/AVP 96 8 0 120 121
    c=IN IP4 127.0.0.1
    b=TIAS:64000
    a=rtcp:4001 IN IP4 127.0.0.1
    a=sendrecv
    a=rtpmap:96 speex/16000
    a=rtpmap:8 PCMA/8000
    a=rtpmap:0 PCMU/8000
    a=rtpmap:120 telephone-event/16000
    a=fmtp:120 0-16
    a=rtpmap:121 telephone-event/8000
    a=fmtp:121 0-16
    a=ssrc:1719208341 cname:4d2b1c0f
    a=rtcp-mux
""")


def recorded() -> list[object]:
    """Each description in the shared recordings once; where they are absent, one that is skipped with the reason."""
    found: dict[bytes, str] = {}
    for path in sorted((ROOT / "data" / "pcap").glob("*/*")):
        for match in re.finditer(rb"v=0\r?\n(?:[a-z]=[^\r\n]*\r?\n)+", path.read_bytes()):
            found.setdefault(match.group(), f"{path.stem}-{len(found)}")
    if not found:
        reason = "shared test data is absent: pcap"
        return [pytest.param(b"", marks=pytest.mark.skip(reason=reason), id="absent")]
    return [pytest.param(body, id=name) for body, name in found.items()]
