"""Another codec in mid-call, by whichever side and request: the stream goes on (RFC 3264 section 8.3.2)."""

import pytest

from sipgw.call import effects as do
from sipgw.call.commands import HoldCall
from sipgw.media import plane
from sipgw.options import CallOptions
from tests.fakes.control import Control, Fake, commands, only, route, sdp

PCMA = sdp(formats="8 101", version=2)


def changed(effects: list[do.Effect]) -> plane.Stream:
    """The stream as it is from here on; nothing else happens to the session, so that it stays the same RTP stream."""
    (command,) = commands(effects)
    assert isinstance(command, plane.UpdateSession)
    return command.stream


def test_the_far_end_offers_another() -> None:
    control = Control()
    phone = control.invite().talks()
    effects = phone.reinvite(PCMA)
    assert b"m=audio 20002 RTP/AVP 8 101\r\n" in only(do.Answer, effects).body
    stream = changed(effects)
    assert (stream.codec, stream.send_type, stream.receive_types, stream.dtmf_send_type) == ("PCMA", 8, (8,), 101)
    phone.ack()
    # And back.
    assert changed(phone.reinvite(sdp(formats="0 101", version=3))).codec == "PCMU"
    phone.ack()
    phone.bye()
    phone.over()
    assert control.record.codec == "PCMU"


def test_the_far_end_answers_an_offer_of_ours_with_another() -> None:
    control = Control()
    phone = control.invite().talks()
    offer = only(do.Reinvite, control.command(HoldCall("n1-0001"))).body
    assert b"RTP/AVP 111 9 0 8 101 102\r\n" in offer
    stream = only(plane.UpdateSession, commands(phone.accepts(sdp(formats="8 101", way="recvonly")))).stream
    assert (stream.codec, stream.send_type) == ("PCMA", 8)


def test_the_far_end_answers_another_in_the_ack_of_a_reinvite_without_an_offer() -> None:
    control = Control()
    phone = control.invite().talks()
    phone.reinvite(b"")
    assert changed(phone.ack(PCMA)).codec == "PCMA"


@pytest.mark.parametrize("step", [Fake.played, Fake.ready])
def test_the_far_end_offers_another_before_the_answer(step: object) -> None:
    options = CallOptions(routes=(route("ai", early_media=True, early_prompt="greeting"),))
    control = Control(options)
    phone = control.invite()
    assert callable(step)
    step(phone)
    assert changed(phone.update(PCMA)).codec == "PCMA"
    (phone.ready if step == Fake.played else phone.played)()
    phone.ack()
    phone.bye()
    phone.over()
    assert control.record.codec == "PCMA"


def test_a_codec_keeps_its_number_for_the_whole_call() -> None:
    """The far end named its own for keys; our offers go on with it (RFC 3264 section 8.3.2)."""
    control = Control()
    own = sdp(formats="0 8 96").replace(b"rtpmap:101", b"rtpmap:96")
    phone = control.invite(own).talks()
    phone.reinvite(own.replace(b" 0 8 96", b" 8 96"))
    phone.ack()
    offer = only(do.Reinvite, control.command(HoldCall("n1-0001"))).body
    assert b"a=rtpmap:96 telephone-event/8000\r\n" in offer
    assert b"RTP/AVP 111 9 0 8 96 101\r\n" in offer
