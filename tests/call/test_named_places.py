"""Calls whose SDP names places it must not, or says odd things: what becomes of the media, and what the trace tells."""

from sipgw.media import plane
from sipgw.options import MediaOptions
from sipgw.trace import Mark, Note
from tests.fakes.control import Control, sdp

PUBLIC = MediaOptions(host="198.51.100.7")


def told(control: Control) -> list[tuple[Mark, str, str]]:
    """The notes about descriptions: what kind, of what, in which call."""
    return [(note.mark, note.name, note.call) for note in control.notes if note.layer == "sdp"]


def remotes(control: Control) -> list[tuple[str, int]]:
    """Where the sessions that were made send to, as far as signalling says."""
    return [one.stream.remote for one in control.commands() if isinstance(one, plane.CreateSession)]


def test_nobody_gets_us_to_send_to_this_machine() -> None:
    control = Control(media=PUBLIC)
    phone = control.invite(sdp(address="127.0.0.1")).talks()
    assert remotes(control) == [("0.0.0.0", 0)]
    assert told(control) == [(Mark.DROP, "loopback_named", "n1-0001")]
    # It is the same in a re-INVITE.
    phone.reinvite(sdp(address="169.254.169.254", version=2))
    assert told(control)[1:] == [(Mark.DROP, "link_local_named", "n1-0001")]


def test_a_call_cannot_be_joined_with_another_or_with_itself() -> None:
    control = Control(media=PUBLIC)
    first = control.invite().talks()
    ours = control.calls._calls["n1-0001"].port
    control.invite(sdp(address=PUBLIC.host, port=ours), leg="leg2")
    first.reinvite(sdp(address=PUBLIC.host, port=ours, version=2))
    assert [name for _, name, _ in told(control)] == ["own_port_named"] * 2
    control.invite(sdp(address=PUBLIC.host, port=ours + 1000), leg="leg3")
    assert remotes(control)[2] == (PUBLIC.host, ours + 1000), "another program on this machine"


def test_what_was_put_up_with_is_told_once_and_is_no_drop() -> None:
    control = Control()
    control.invite(sdp().replace(b"s=-\r\n", b"").replace(b"t=0 0", b"t=0 0 \r\nwhat?")).talks()
    assert told(control) == [
        (Mark.IN, "stray_space", "n1-0001"),
        (Mark.IN, "no_s_line", "n1-0001"),
        (Mark.DROP, "no_line", "n1-0001"),
    ]
    detail = next(note for note in control.notes if note.name == "no_line")
    assert detail == Note(0.0, "sdp", Mark.DROP, "no_line", "n1-0001", "what?")
