"""The torture messages of RFC 4475 and RFC 5118 against the whole agent, and bytes that nobody would send."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sipgw.flow import Flow
from sipgw.sip.events import Invited
from tests.fakes.sip_phone import FLOW, OURS, Phone, Wire, answered, reply
from tests.sip.torture import message, messages

NO_DIALOG = "its To tag is that of a dialog we do not have"
NO_REGISTRAR = "we are no registrar: the method is refused before its headers matter"
DROPPED = ""
INVITED = "100"

RFC4475: dict[str, tuple[str, str]] = {
    # What the agent answers, and why that is right where EXPECTED has more than one answer or another role in mind.
    "wsinv": ("481", NO_DIALOG),
    "intmeth": ("501", ""),
    "esc01": (INVITED, ""),
    "escnull": ("405", NO_REGISTRAR),
    "esc02": ("501", ""),
    "lwsdisp": ("200", ""),
    "longreq": (INVITED, ""),
    "dblreq": ("405", NO_REGISTRAR),
    "semiuri": ("200", ""),
    "transports": ("200", ""),
    "mpart01": ("405", "a MESSAGE, which we do not serve"),
    "unreason": (DROPPED, "a response to nothing of ours"),
    "noreason": (DROPPED, "a response to nothing of ours"),
    "badinv01": ("400", ""),
    "clerr": ("400", ""),
    "ncl": ("400", ""),
    "scalar02": ("400", ""),
    "scalarlg": (DROPPED, ""),
    "quotbal": ("400", ""),
    "ltgtruri": ("400", ""),
    "lwsruri": ("400", ""),
    "lwsstart": ("400", ""),
    "trws": ("400", ""),
    "escruri": ("400", ""),
    "baddate": (INVITED, "nothing of ours reads Date"),
    "regbadct": ("400", ""),
    "badaspec": ("400", ""),
    "baddn": ("200", "it is clear who is meant"),
    "badvers": ("505", ""),
    "mismatch01": ("400", ""),
    "mismatch02": ("400", "the message contradicts itself, whatever the method is"),
    "bigcode": (DROPPED, ""),
    "badbranch": ("200", ""),
    "insuf": ("400", ""),
    "unkscm": ("416", ""),
    "novelsc": ("416", ""),
    "unksm2": ("405", NO_REGISTRAR),
    "bext01": ("420", ""),
    "invut": ("415", ""),
    "regaut01": ("405", NO_REGISTRAR),
    "multi01": ("400", ""),
    "mcl01": ("400", ""),
    "bcast": (DROPPED, ""),
    "zeromf": ("200", ""),
    "cparam01": ("405", NO_REGISTRAR),
    "cparam02": ("405", NO_REGISTRAR),
    "regescrt": ("405", NO_REGISTRAR),
    "sdp01": ("406", ""),
    "inv2543": (INVITED, ""),
}
RFC5118: dict[str, tuple[str, str]] = {
    "ipv6-good": ("405", NO_REGISTRAR),
    "ipv6-bad": ("400", ""),
    "port-ambiguous": ("405", NO_REGISTRAR),
    "port-unambiguous": ("405", NO_REGISTRAR),
    "via-received-param-with-delim": ("481", NO_DIALOG),
    "via-received-param-no-delim": ("200", ""),
    "ipv6-in-sdp": (INVITED, ""),
    "mult-ip-in-header": ("481", NO_DIALOG),
    "mult-ip-in-sdp": (INVITED, ""),
    "ipv4-mapped-ipv6": (INVITED, ""),
    "ipv6-bug-abnf-3-colons": ("200", "it is clear which address is meant"),
    "ipv6-correct-abnf-2-colons": ("200", ""),
}


def statuses(wire: Wire, data: bytes) -> str:
    """What the agent answers; INVITED only where it told of the call, too."""
    wire.agent.receive(data, FLOW, 0.0)
    sent = " ".join(heard.brief for heard in wire.take())
    assert (sent == INVITED) == bool(wire.events())
    return sent


@pytest.mark.parametrize(("folder", "table"), [("rfc4475", RFC4475), ("rfc5118", RFC5118)])
def test_each_torture_message_gets_its_answer(folder: str, table: dict[str, tuple[str, str]]) -> None:
    cases = {case.name: case for case in messages(folder)}
    assert set(cases) == set(table)
    got = {name: statuses(Wire(), case.data) for name, case in cases.items()}
    assert got == {name: status for name, (status, _) in table.items()}


@pytest.mark.parametrize(("folder", "table"), [("rfc4475", RFC4475), ("rfc5118", RFC5118)])
def test_each_answer_is_the_expected_one_or_argued(folder: str, table: dict[str, tuple[str, str]]) -> None:
    for case in messages(folder):
        status, argument = table[case.name]
        good = {
            "reject": status in case.expected,
            "discard": status == DROPPED,
            "lenient": True,
        }.get(case.verdict, status in (INVITED, "200") or status in case.expected or "discard" in case.expected)
        assert good or argument, f"{case.name}: {status} for {case.expected}"


def test_wsinv_is_a_call_once_it_is_not_in_a_dialog() -> None:
    tag = b";   tag    = 1918181833n"
    data = message("wsinv")
    assert tag in data
    assert statuses(Wire(), data.replace(tag, b"")) == INVITED


def test_bext01_is_told_what_is_unsupported_and_not_what_concerns_proxies() -> None:
    wire = Wire()
    wire.agent.receive(message("bext01"), FLOW, 0.0)
    assert wire.take()[0]["Unsupported"] == "nothingSupportsThis, nothingSupportsThisEither"


def test_badbranch_does_not_match_another_request_with_the_same_branch() -> None:
    wire = Wire()
    data = message("badbranch")
    wire.agent.receive(data, FLOW, 0.0)
    wire.agent.receive(data.replace(b"badbranch", b"another"), FLOW, 0.0)
    assert len({heard["Call-ID"] for heard in wire.take()}) == 2
    assert len(wire.agent._core.exchange) == 2


def test_dblreq_is_one_request() -> None:
    wire = Wire()
    wire.agent.receive(message("dblreq"), FLOW, 0.0)
    assert len(wire.take()) == 1


# Bytes that nobody would send

WORDS = st.sampled_from(
    [
        *(
            "INVITE",
            "ACK",
            "BYE",
            "CANCEL",
            "OPTIONS",
            "SIP/2.0",
            "Via:",
            "From:",
            "To:",
            "Call-ID:",
            "CSeq:",
            "Contact:",
        ),
        *(
            "Route:",
            "tag=",
            ";rport",
            "branch=z9hG4bK",
            "\r\n",
            "\r\n\r\n",
            "<sip:a@b>",
            "1 INVITE",
            ";",
            ",",
            '"',
            "\0",
        ),
        *("ü", "%00", "[::1]", "Content-Length: 99999", " "),
    ]
)


def busy() -> Wire:
    """An agent in the middle of everything."""
    wire = Wire()
    answered(wire, Phone(call_id="up", branch="z9hG4bK-up"))
    wire.gets(Phone(call_id="ringing", branch="z9hG4bK-r").invite())
    wire.agent.invite("sip:a@127.0.0.1", FLOW, b"v=0\r\n", 0.0, from_="<sip:b@127.0.0.1>")
    wire.take()
    wire.events()
    return wire


def serves_a_call(wire: Wire) -> bool:
    """Whether a call goes through from INVITE to BYE."""
    wire.take()
    wire.events()
    wire.gets(Phone(call_id="after", tag="after", branch="z9hG4bK-after").invite())
    (event,) = wire.events()
    assert isinstance(event, Invited)
    wire.agent.answer(event.leg, b"v=0\r\n", 0.0)
    phone = Phone(call_id="after", tag="after", to_tag=event.leg)
    wire.gets(phone.ack(branch="z9hG4bK-a2"))
    wire.agent.hang_up(event.leg, 0.0)
    bye = wire.take()[-1]
    wire.gets(reply(bye, 200))
    return bye.brief == "BYE" and len(wire.events()) == 2


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.lists(WORDS, max_size=40).map(lambda words: "".join(words).encode())))
def test_for_any_bytes_receive_returns_and_a_call_is_served(data: bytes) -> None:
    wire = busy()
    wire.agent.receive(data, FLOW, 0.0)
    assert serves_a_call(wire)


def samples() -> list[bytes]:
    """Good messages for a busy agent, each of which reaches another act."""
    up = Phone(call_id="up", tag="phone", to_tag="n1-t2", cseq=2)
    ringing = Phone(call_id="ringing", branch="z9hG4bK-r")
    wire = Wire()
    wire.agent.invite("sip:a@127.0.0.1", FLOW, b"v=0\r\n", 0.0, from_="<sip:b@127.0.0.1>")
    ours = wire.take()[0]
    texts = [
        *(up.invite(), up.ack(), up.bye(), up.request("OPTIONS"), up.request("INFO")),
        *(ringing.invite(), ringing.cancel(), ringing.ack(), ringing.request("OPTIONS")),
        *(reply(ours, 180, to_tag="x"), reply(ours, 200, to_tag="x"), reply(ours, 486, to_tag="x")),
    ]
    return [text.encode() for text in texts]


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(samples()),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 12), st.binary(max_size=8)), max_size=6),
)
@example(samples()[0], [(40, 700, b"")])
def test_for_any_damage_receive_returns_and_a_call_is_served(data: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    wire = busy()
    for at, length, new in cuts:
        data = data[:at] + new + data[at + length :]
    wire.agent.receive(data, FLOW, 0.0)
    wire.agent.receive(data, Flow("udp", OURS, ("192.0.2.1", 9)), 0.1)
    assert serves_a_call(wire)
    wire.until(200.0)
