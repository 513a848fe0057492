"""For any bytes whatever: a message, or a refusal; and what is printed reads the same."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sipgw.errors import PeerError
from sipgw.sip.attestation import LEVELS, attestation
from sipgw.sip.diversion import Diversion, HistoryEntry
from sipgw.sip.framing import StreamFramer
from sipgw.sip.grammar import MAX_31_BIT
from sipgw.sip.identity import Privacy, RemoteParty, identities
from sipgw.sip.message import Headers, Malformed, Message, Request, Response, expires, parse, respond, stamped, validate
from sipgw.sip.params import Params
from sipgw.sip.signed_identity import SignedIdentity
from sipgw.sip.uri import Uri
from sipgw.sip.user_to_user import UserToUser
from sipgw.sip.values import CSeq, NameAddr, Via
from tests.sip.samples import CARRIERS

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

PROPERTIES = (
    *("vias", "via", "from_", "to", "cseq", "call_id", "contacts", "contact", "routes", "record_routes"),
    *("max_forwards", "require", "supported", "content_type"),
)

TOKENS = "abcXYZ0189-.!%*_+`'~"
token = st.text(TOKENS, min_size=1, max_size=12)
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
spicy = st.text(' \t\r\n",;:<>@?=\\/[]()%*+.-_0aZ2SIP~é\u0661\u2028\0', max_size=40)
value_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=40)
host = st.sampled_from(["example.com", "192.0.2.1", "[2001:db8::1]", "a-b.c_d", "localhost"])
port = st.none() | st.integers(0, 65535)
quoted = st.builds(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"', any_text)
params = st.builds(
    lambda pairs: Params(tuple(pairs)), st.lists(st.tuples(token, st.none() | token | quoted), max_size=4)
)
uri_params = st.builds(lambda pairs: Params(tuple(pairs)), st.lists(st.tuples(token, st.none() | token), max_size=3))
uris = st.builds(
    Uri,
    st.sampled_from(["sip", "sips"]),
    st.none() | token,
    st.none(),
    host,
    port,
    uri_params,
    st.sampled_from(["", "a=b", "Replaces=x%40y"]),
)
VALUES = (
    '"Bob" <sip:200@192.0.2.9;verstat=No-TN-Validation>;party=calling;privacy=full;screen=yes',
    "<sip:+15550100@x;user=phone?Reason=SIP%3Bcause%3D302&Privacy=history>;index=1.2;reason=no-answer;counter=3",
    "00FA1B2C;encoding=hex;purpose=foo;content=bar",
    "eyJh.eyJh.c2ln;info=<https://c.example/x>;alg=ES256;ppt=shaken",
    "id;user;critical",
)


def changed(text: str) -> st.SearchStrategy[str]:
    """The text with a piece of it replaced."""
    place = st.integers(0, len(text))
    return st.builds(lambda at, size, piece: text[:at] + piece + text[at + size :], place, st.integers(0, 5), spicy)


display = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real message with some of its bytes changed, doubled or gone."""
    data = bytearray(draw(st.sampled_from(sorted(CARRIERS.values()))))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        piece = draw(
            st.sampled_from([b"", b"\r\n", b"\n", b" ", b",", b";", b'"', b"<", b">", b":", b"\0", b"\xff", b"%"])
        )
        data[at : at + draw(st.integers(0, 8))] = piece * draw(st.integers(1, 3))
    return bytes(data)


def check(error: PeerError) -> None:
    """The error says what to answer."""
    assert 400 <= error.status < 700
    assert error.reason


def read_all(message: Message) -> None:
    """Every accessor returns or raises PeerError."""
    for name in PROPERTIES:
        try:
            getattr(message, name)
        except PeerError as error:
            check(error)


def taken(data: bytes) -> Request | Response | None:
    """Everything that is ever done to a datagram; None where it was refused."""
    try:
        message = parse(data)
    except Malformed as error:
        if error.request is not None:
            bytes(respond(error.request, error.status, error.reason, to_tag="t"))
            read_all(error.request)
        return None
    read_all(message)
    return message


@FUZZ
@given(st.binary(max_size=300) | damaged())
@example(b"SIP/2.0 200\n")
@example(b"SIP/2.0 200 a\rb\nv: SIP/2.0/UDP a\nf: sip:a@b\nt: sip:a@b\ni: 1\nCSeq: 1 A\n")
@example(b"A sip:a@b\rc SIP/2.0\nv: SIP/2.0/UDP a\n")
@example(b"A a SIP/2.0\nVia:\n")
@example("A ſip:a@b SIP/2.0\nVia: ſip/2.0/a b\n".encode())
@example(b"A a SIP/2.0\nv: SIP/2.0/UDP a:70000\nl: 0\n\n")
def test_any_datagram_is_taken_or_refused(data: bytes) -> None:
    message = taken(data)
    if message is None:
        return
    assert parse(bytes(message)) == with_length(message)
    try:
        validate(message)
        expires(message)
        if isinstance(message, Request):
            bytes(respond(stamped(message, "2001:db8::1", 1), 200, to_tag="t"))
    except PeerError as error:
        check(error)


def with_length(message: Request | Response) -> Request | Response:
    """The message with the Content-Length it is printed with."""
    return replace(message, headers=message.headers.with_("Content-Length", str(len(message.body))))


@FUZZ
@given(st.lists(st.binary(max_size=60) | damaged(), max_size=6))
def test_any_stream_yields_messages_until_it_cannot_go_on(pieces: list[bytes]) -> None:
    framer, whole = StreamFramer(), b""
    for piece in pieces:
        whole += piece
        try:
            assert all(found in whole for found in framer.feed(piece))
        except Malformed:
            return


@FUZZ
@given(any_text | spicy)
@example("<sip:a@b>;a=\x85")
def test_any_text_is_a_value_or_refused(text: str) -> None:
    for kind in (Params, Uri, Via, NameAddr, CSeq):
        try:
            value = kind.parse(text)
        except PeerError as error:
            check(error)
            continue
        assert kind.parse(str(value)) == value


@FUZZ
@given(any_text | spicy | st.sampled_from(VALUES).flatmap(changed))
def test_any_text_says_who_calls_or_is_refused(text: str) -> None:
    """Whatever stands in a header that tells of the caller: it is read to its last property, or refused."""
    readers: tuple[Callable[[], object], ...] = (
        *(partial(kind.parse, text) for kind in (RemoteParty, Diversion, HistoryEntry, UserToUser)),
        partial(identities, (text,), "P-Asserted-Identity"),
        partial(Privacy.parse, (text,)),
        partial(SignedIdentity.parse, text.encode()),
    )
    for read in readers:
        try:
            value = read()
        except PeerError as error:
            check(error)
            continue
        for name in dir(type(value)):
            getattr(value, name)
    assert (
        attestation(Headers([("X-Twilio-VerStat", text)]), (), NameAddr("", Uri("tel", opaque=text or "1"))).level
        in LEVELS
    )


@FUZZ
@given(display, uris, params)
def test_a_party_reads_as_it_was_put_together(name: str, uri: Uri, given_params: Params) -> None:
    party = NameAddr(name, uri, given_params)
    assert NameAddr.parse(str(party)) == party
    read = NameAddr.parse(str(party)).uri
    assert (read.user, read.host, read.port, read.params, read.headers) == (
        uri.user,
        uri.host,
        uri.port,
        uri.params,
        uri.headers,
    )


@FUZZ
@given(token, host, port, params, st.integers(0, MAX_31_BIT))
def test_via_and_cseq_read_as_they_were_put_together(
    word: str, name: str, number: int | None, given_params: Params, count: int
) -> None:
    via, cseq = Via(word, name, number, given_params), CSeq(count, word)
    assert (Via.parse(str(via)), CSeq.parse(str(cseq))) == (via, cseq)


@FUZZ
@given(token, uris, st.lists(st.tuples(token, value_text)), st.binary(max_size=50))
def test_a_request_reads_as_it_was_put_together(
    method: str, uri: Uri, pairs: list[tuple[str, str]], body: bytes
) -> None:
    pairs = [(f"X-{name}", value.strip(" \t")) for name, value in pairs]
    sent = Request(method, str(uri), Headers([*pairs, ("Content-Length", str(len(body)))]), body)
    assert parse(bytes(sent)) == sent
