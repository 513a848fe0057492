"""What a call tells whoever watches from outside."""

from sipgw.ai import events as ai
from sipgw.call.feed import Kind
from sipgw.media import plane
from tests.fakes.control import EPOCH, Control


def test_the_story_of_a_call() -> None:
    control = Control()
    phone = control.invite()
    control.advance(0.2)
    phone.ready()
    phone.ack()
    phone.packet()
    phone.media(plane.Digit(phone.session, "5", 120))
    phone.report(ai.Transcript("caller", "Good morning."))
    phone.report(ai.Turn(420))
    control.advance(3.0)
    phone.bye()
    phone.session_ended()
    assert [one.kind for one in control.happenings] == [
        Kind.STARTED, Kind.TARGET, Kind.RINGING, Kind.ANSWERED, Kind.DIGIT, Kind.TRANSCRIPT, Kind.TURN, Kind.ENDED,
    ]  # fmt: skip
    told = {one.kind: one for one in control.happenings}
    assert {one.call for one in control.happenings} == {"n1-0001"}
    assert told[Kind.STARTED].when == EPOCH
    assert told[Kind.STARTED].data["caller"] == "alice"
    assert told[Kind.ANSWERED].data["target"] == "ai"
    assert dict(told[Kind.DIGIT].data) == {"digit": "5", "duration_ms": 120}
    assert dict(told[Kind.TRANSCRIPT].data) == {"role": "caller", "text": "Good morning.", "final": True}
    assert told[Kind.TURN].data["latency_ms"] == 420
    assert told[Kind.ENDED].data["cause"] == "normal"
    assert told[Kind.ENDED].when == EPOCH + 3.2
