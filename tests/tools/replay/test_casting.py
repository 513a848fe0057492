"""The caller's part, found in captured calls."""

from sipgw.tools.replay.casting import Datagrams, part_of
from sipgw.tools.replay.script import Part
from tests.fakes.captured import BEGAN, CALLEE, PHONE, Capture, call, message, sdp


def cast(capture: Capture) -> Part:
    found = part_of(capture.messages(), Datagrams(capture.datagrams, BEGAN), BEGAN)
    assert found is not None
    return found


def test_a_call_is_the_callers_requests_their_reactions_and_their_media() -> None:
    part = cast(call(ringing=1.0, seconds=2.0))
    assert (part.caller, part.callee) == (PHONE, CALLEE)
    assert [(act.request.method, act.when, act.after_answer) for act in part.acts] == [
        ("INVITE", 0.0, False),
        ("BYE", 3.0, True),
    ]
    assert part.answered == 1.0
    ack = part.acks[1]
    assert ack is not None
    assert round(ack.delay, 6) == 0.01
    assert len(part.media) == 98
    assert part.media[0].when == 1.02
    assert part.names[101] == "TELEPHONE-EVENT"


def test_a_200_that_was_never_acknowledged_is_known_as_such() -> None:
    made = Capture().sent(0.0, message("INVITE sip:echo@192.0.2.9 SIP/2.0", cseq="1 INVITE", body=sdp()))
    made.got(0.5, message("SIP/2.0 200 OK", cseq="1 INVITE", tag="b"))
    assert cast(made).acks == {1: None}


def test_a_challenged_invite_is_left_out_with_its_ack() -> None:
    made = Capture().sent(0.0, message("INVITE sip:echo@192.0.2.9 SIP/2.0", cseq="1 INVITE", body=sdp()))
    made.got(0.1, message("SIP/2.0 407 Authenticate", cseq="1 INVITE", tag="b"))
    made.sent(0.1, message("ACK sip:echo@192.0.2.9 SIP/2.0", cseq="1 ACK", tag="b"))
    made.sent(0.2, message("INVITE sip:echo@192.0.2.9 SIP/2.0", cseq="2 INVITE", branch="z9hG4bK9", body=sdp()))
    part = cast(made)
    assert [act.request.cseq.number for act in part.acts] == [2]
    assert part.left_out == {"challenged_invite": 1}


def test_the_far_ends_bye_and_the_callers_reply_are_known() -> None:
    made = call(seconds=1.0)
    del made.datagrams[-2:]
    made.got(1.9, message("BYE sip:ann@192.0.2.7 SIP/2.0", cseq="5 BYE", tag="b", swapped=True))
    made.sent(1.95, message("SIP/2.0 200 OK", cseq="5 BYE", tag="b", swapped=True))
    part = cast(made)
    assert part.hung_up == 1.9
    assert round(part.replies["BYE"].delay, 6) == 0.05


def test_without_an_invite_there_is_no_call() -> None:
    made = Capture().sent(0.0, message("OPTIONS sip:192.0.2.9 SIP/2.0", cseq="1 OPTIONS"))
    assert part_of(made.messages(), Datagrams(made.datagrams, BEGAN), BEGAN) is None
