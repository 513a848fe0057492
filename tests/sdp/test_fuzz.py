"""Real descriptions with lines lost, repeated, cut and garbled: an answer line by line, or a refusal that says why."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from sipgw.errors import PeerError
from sipgw.sdp.model import Sdp
from sipgw.sdp.oddities import oddities
from sipgw.sdp.offer import LocalAudio, accept, answer, offer
from tests.sdp.samples import ASTERISK, BARESIP, PJSUA2, TEAMS, THREECX, ZOOM

LOCAL = LocalAudio("198.51.100.5", 20000, ("PCMU", "PCMA"), session_id=77)
Lines = list[bytes]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A known phone's description after a few accidents."""
    lines: Lines = draw(st.sampled_from([ASTERISK, BARESIP, PJSUA2, TEAMS, THREECX, ZOOM])).split(b"\r\n")
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        cut = draw(st.integers(0, len(line)))
        accident = draw(st.sampled_from(["lose", "repeat", "cut", "insert", "join", "move"]))
        lines[at : at + 1] = {
            "lose": [],
            "repeat": [line] * draw(st.integers(2, 100)),
            "cut": [line[:cut]],
            "insert": [line[:cut] + draw(st.binary(max_size=8)) + line[cut:]],
            "join": [line + draw(st.sampled_from([b"", b"\n", b"\r", b"\0", b" "])) + line],
            "move": [draw(st.sampled_from(lines)), line],
        }[accident]
        lines = lines or [b""]
    return draw(st.sampled_from([b"\r\n", b"\n", b"\r"])).join(lines)


@given(damaged())
def test_whatever_happened_to_a_description_it_is_answered_line_by_line_or_refused(body: bytes) -> None:
    with suppress(PeerError):
        sdp = Sdp.parse(body)
        oddities(body, sdp)
        agreement = answer(sdp, LOCAL)
        assert [media.kind for media in agreement.sdp.media] == [media.kind for media in sdp.media]
        assert [media.port for media in agreement.sdp.media if media.port] == [20000]
        assert len(bytes(agreement.sdp)) < 3 * len(body) + 500
        assert Sdp.parse(bytes(agreement.sdp)) == agreement.sdp


@given(damaged())
def test_whatever_happened_to_an_answer_it_is_accepted_or_refused(body: bytes) -> None:
    with suppress(PeerError):
        stream = accept(offer(LOCAL), Sdp.parse(body), LOCAL).stream
        assert stream.codec in LOCAL.codecs
        assert 0 <= stream.send_type < 128
