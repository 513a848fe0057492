"""SRTP in offers and answers: which line is taken by which policy, whose keys count, and what is refused."""

import base64
from itertools import count

import pytest

from sipgw.errors import PeerError
from sipgw.options import SrtpPolicy
from sipgw.sdp.audio import Agreement, LocalAudio
from sipgw.sdp.crypto import Keys, RandomBytes
from sipgw.sdp.model import Media, Sdp
from sipgw.sdp.offer import accept, answer, offer
from tests.sdp.samples import ASTERISK, TEAMS, THREECX, ZOOM, body

SUITE = "AES_CM_128_HMAC_SHA1_80"
THEIRS = bytes(range(30))
HEAD = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n"
AVP, SAVP = "m=audio 4002 RTP/AVP 0", "m=audio 4000 RTP/SAVP 0"
DTLS = "m=audio 4004 UDP/TLS/RTP/SAVPF 0\na=fingerprint:sha-256 00\na=setup:actpass"
MKI = f"a=crypto:1 {SUITE} inline:{base64.b64encode(THEIRS).decode()}|2^31|1:1"
ENCRYPTING: list[SrtpPolicy] = ["optional", "required"]


def crypto(tag: int = 1, suite: str = SUITE, key: bytes = THEIRS) -> str:
    return f"a=crypto:{tag} {suite} inline:{base64.b64encode(key).decode()}"


def local(srtp: SrtpPolicy) -> LocalAudio:
    return LocalAudio("198.51.100.5", 20000, ("PCMU", "PCMA"), session_id=77, srtp=srtp)


def drawn(first: int = 200) -> RandomBytes:
    number = count(first)
    return lambda size: bytes([next(number)]) * size


def sdp(*lines: str) -> Sdp:
    return Sdp.parse(body(HEAD + "\n".join(lines)))


def lines_of(agreement: Agreement) -> list[str]:
    """The `m=` lines of our description, and what each says of keys."""
    return [line_of(media) for media in agreement.sdp.media]


def line_of(media: Media) -> str:
    keys = (value.partition(" inline")[0] for value in media.values("crypto"))
    return " ".join([f"{media.port} {media.protocol}", *keys])


def warning(offered: Sdp, srtp: SrtpPolicy) -> str:
    with pytest.raises(PeerError) as caught:
        answer(offered, local(srtp))
    assert caught.value.status == 488
    return dict(caught.value.headers)["Warning"]


# --- answers ----------------------------------------------------------------------------------------------------------

BOTH = (SAVP, crypto(), AVP)
TURNED = (AVP, SAVP, crypto())
BEST_EFFORT = (AVP, crypto(7))


@pytest.mark.parametrize(
    ("offered", "srtp", "said"),
    [
        ((AVP,), "off", ["20000 RTP/AVP"]),
        (BOTH, "off", ["0 RTP/SAVP", "20000 RTP/AVP"]),
        (BEST_EFFORT, "off", ["20000 RTP/AVP"]),
        ((AVP,), "optional", ["20000 RTP/AVP"]),
        ((SAVP, crypto(3)), "optional", [f"20000 RTP/SAVP 3 {SUITE}"]),
        ((SAVP.replace("SAVP", "savpf"), crypto()), "required", [f"20000 RTP/savpf 1 {SUITE}"]),
        (BOTH, "optional", [f"20000 RTP/SAVP 1 {SUITE}", "0 RTP/AVP"]),
        (TURNED, "optional", ["0 RTP/AVP", f"20000 RTP/SAVP 1 {SUITE}"]),
        (TURNED, "required", ["0 RTP/AVP", f"20000 RTP/SAVP 1 {SUITE}"]),
        (BEST_EFFORT, "optional", [f"20000 RTP/AVP 7 {SUITE}"]),
        (BEST_EFFORT, "required", [f"20000 RTP/AVP 7 {SUITE}"]),
        ((AVP, MKI), "optional", ["20000 RTP/AVP"]),
        ((SAVP, MKI, AVP), "optional", ["0 RTP/SAVP", "20000 RTP/AVP"]),
        ((SAVP.replace(" 0", " 18"), crypto(), AVP), "optional", ["0 RTP/SAVP", "20000 RTP/AVP"]),
        ((DTLS, AVP), "optional", ["0 UDP/TLS/RTP/SAVPF", "20000 RTP/AVP"]),
    ],
)
def test_the_line_that_is_taken(offered: tuple[str, ...], srtp: SrtpPolicy, said: list[str]) -> None:
    agreement = answer(sdp(*offered), local(srtp), random=drawn())
    assert lines_of(agreement) == said
    protected = any(SUITE in one for one in said)
    assert agreement.stream.srtp == (Keys(SUITE, bytes([200]) * 30, THEIRS) if protected else None)


@pytest.mark.parametrize(
    ("offered", "srtp", "said"),
    [
        ((SAVP, crypto()), "off", '302 sipgw "RTP/SAVP is not served, only RTP/AVP and RTP/AVPF are"'),
        (
            (DTLS,),
            "optional",
            '302 sipgw "UDP/TLS/RTP/SAVPF is not served, only RTP/AVP, RTP/AVPF, RTP/SAVP and RTP/SAVPF are, '
            'with keys in a=crypto"',
        ),
        (
            (DTLS,),
            "required",
            '302 sipgw "UDP/TLS/RTP/SAVPF is not served, only RTP/SAVP and RTP/SAVPF are, with keys in a=crypto"',
        ),
        ((AVP,), "required", '302 sipgw "SRTP is required: RTP/AVP without a key in a=crypto is not served"'),
        ((AVP, MKI), "required", '302 sipgw "SRTP is required: RTP/AVP without a key in a=crypto is not served"'),
    ],
)
def test_what_the_policy_does_not_take(offered: tuple[str, ...], srtp: SrtpPolicy, said: str) -> None:
    assert warning(sdp(*offered), srtp) == said


@pytest.mark.parametrize("srtp", ENCRYPTING)
@pytest.mark.parametrize("keys", [(), (MKI,), ("a=fingerprint:sha-256 00",), (crypto(suite="F8_128_HMAC_SHA1_80"),)])
def test_a_secure_line_without_a_key_of_use_is_never_answered_in_the_clear(
    keys: tuple[str, ...], srtp: SrtpPolicy
) -> None:
    said = warning(sdp(SAVP, *keys), srtp)
    assert said.startswith('306 sipgw "no key in a=crypto for AEAD_AES_256_GCM or ')


@pytest.mark.parametrize("srtp", ENCRYPTING)
@pytest.mark.parametrize(
    ("offered", "said"),
    [
        (TEAMS, [f"20000 RTP/SAVP 1 {SUITE}"]),
        (ZOOM, ["20000 RTP/SAVP 1 AEAD_AES_256_GCM"]),
        (THREECX, [f"20000 RTP/SAVP 1 {SUITE}", "0 RTP/AVP"]),
    ],
)
def test_offers_of_those_who_encrypt(offered: bytes, said: list[str], srtp: SrtpPolicy) -> None:
    agreement = answer(Sdp.parse(offered), local(srtp))
    assert lines_of(agreement) == said
    assert agreement.stream.srtp is not None
    assert agreement.stream.srtp.ours != agreement.stream.srtp.theirs


def test_the_whole_answer() -> None:
    assert bytes(answer(sdp(SAVP, crypto(3)), local("required"), random=drawn(0)).sdp) == body(f"""
        v=0
        o=- 77 1 IN IP4 198.51.100.5
        s=-
        c=IN IP4 198.51.100.5
        t=0 0
        m=audio 20000 RTP/SAVP 0
        a=rtpmap:0 PCMU/8000
        a=crypto:3 {SUITE} inline:{"A" * 40}
        a=ptime:20
        a=sendrecv
    """)


# --- in mid-call ------------------------------------------------------------------------------------------------------


def test_the_same_key_changes_nothing_and_another_one_both() -> None:
    random = drawn()
    first = answer(sdp(SAVP, crypto()), local("optional"), random=random)
    assert answer(sdp(SAVP, crypto()), local("optional"), first, random) == first
    held = answer(sdp(SAVP, crypto(), "a=sendonly"), local("optional"), first, random)
    assert held.stream.srtp == first.stream.srtp
    changed = answer(sdp(SAVP, crypto(key=THEIRS[::-1])), local("optional"), held, random)
    assert changed.stream.srtp == Keys(SUITE, bytes([201]) * 30, THEIRS[::-1])
    assert lines_of(changed) == [f"20000 RTP/SAVP 1 {SUITE}"]


def test_a_stream_that_is_closed_for_a_while_keeps_its_keys() -> None:
    first = answer(sdp(SAVP, crypto()), local("required"), random=drawn())
    closed = answer(sdp(SAVP.replace("4000", "0")), local("required"), first)
    assert closed.stream.srtp == first.stream.srtp
    assert lines_of(closed) == ["0 RTP/SAVP"]
    ours = offer(local("required"), closed)
    assert lines_of(Agreement(ours, first.stream)) == [f"20000 RTP/SAVP 1 {SUITE}"]


def test_protection_may_end_where_it_is_optional_and_not_where_it_is_required() -> None:
    first = answer(sdp(SAVP, crypto()), local("optional"))
    assert answer(sdp(AVP), local("optional"), first).stream.srtp is None
    with pytest.raises(PeerError, match="SRTP is required"):
        answer(sdp(AVP), local("required"), first)


@pytest.mark.parametrize("offered", [(SAVP, crypto(5)), (AVP, crypto(5))])
def test_an_offer_of_ours_in_mid_call_keeps_transport_key_and_tag(offered: tuple[str, ...]) -> None:
    first = answer(sdp(*offered), local("optional"), random=drawn())
    ours = offer(local("optional"), first, drawn(0))
    (before,), (after,) = first.sdp.media, ours.media
    assert (after.protocol, after.values("crypto")) == (before.protocol, before.values("crypto"))
    again = accept(ours, sdp(*offered), local("optional"))
    assert again.stream.srtp == first.stream.srtp


def test_a_plain_stream_stays_plain() -> None:
    first = answer(Sdp.parse(ASTERISK), local("optional"))
    assert lines_of(Agreement(offer(local("optional"), first), first.stream)) == ["20000 RTP/AVP"]


# --- offers -----------------------------------------------------------------------------------------------------------

OFFERED = " ".join([f"1 {SUITE}", "2 AEAD_AES_256_GCM", "3 AES_CM_128_HMAC_SHA1_32"])


@pytest.mark.parametrize(
    ("srtp", "said"),
    [("off", "20000 RTP/AVP"), ("optional", f"20000 RTP/AVP {OFFERED}"), ("required", f"20000 RTP/SAVP {OFFERED}")],
)
def test_what_is_offered_first(srtp: SrtpPolicy, said: str) -> None:
    ours = offer(local(srtp), random=drawn())
    (media,) = ours.media
    keys = [value.partition("inline:")[2] for value in media.values("crypto")]
    assert len(set(keys)) == len(keys)
    assert line_of(media) == said


@pytest.mark.parametrize(
    ("srtp", "lines", "protected"),
    [
        ("off", (AVP,), False),
        ("off", (AVP, crypto()), False),
        ("optional", (AVP,), False),
        ("optional", (AVP, crypto()), True),
        ("optional", (SAVP, crypto()), True),
        ("required", (SAVP, crypto()), True),
        ("required", (AVP, crypto()), True),
    ],
)
def test_the_answer_says_whether_it_is_protected(srtp: SrtpPolicy, lines: tuple[str, ...], protected: bool) -> None:
    stream = accept(offer(local(srtp), random=drawn()), sdp(*lines), local(srtp)).stream
    assert stream.srtp == (Keys(SUITE, bytes([200]) * 30, THEIRS) if protected else None)


@pytest.mark.parametrize(
    ("srtp", "lines", "code"),
    [
        ("off", (SAVP, crypto()), "302"),
        ("optional", (DTLS,), "302"),
        ("optional", (SAVP,), "306"),
        ("optional", (AVP, crypto(9)), "306"),
        ("optional", (AVP, MKI), "306"),
        ("required", (AVP,), "306"),
        ("required", (SAVP,), "306"),
        ("required", (SAVP, MKI), "306"),
    ],
)
def test_answers_that_leave_us_without_a_key_are_refused(srtp: SrtpPolicy, lines: tuple[str, ...], code: str) -> None:
    with pytest.raises(PeerError) as caught:
        accept(offer(local(srtp)), sdp(*lines), local(srtp))
    assert dict(caught.value.headers)["Warning"].startswith(code)


@pytest.mark.parametrize("srtp", ENCRYPTING)
def test_keys_of_two_calls_have_nothing_in_common(srtp: SrtpPolicy) -> None:
    made = [answer(sdp(SAVP, crypto()), local(srtp)).stream.srtp for _ in range(2)]
    assert made[0] is not None
    assert made[1] is not None
    assert made[0].ours != made[1].ours
    assert "ours" not in repr(answer(sdp(SAVP, crypto()), local(srtp)).stream)
