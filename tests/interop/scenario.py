"""Scenarios for SIPp, written as the ladders they are: what one side sends and what it must get.

`Scenario` gathers the steps and prints SIPp's XML; `plays` runs it. All of it without sound, so without raw sockets.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.interop.programs import finish, program
from tests.ports import free_port

OFFER = """v=0
o=sipp 53655765 1 IN IP[media_ip_type] [media_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
"""
HELD = OFFER.replace("sipp 53655765 1", "sipp 53655765 2") + "a=sendonly\n"
_SDP = "Content-Type: application/sdp"
_VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport"
_REPEATED = ("Via", "From", "To", "CSeq")
CALLEE = "[pid]S[call_number]"
"""The tag of one that is called."""


@dataclass
class Scenario:
    """One side of a call, step by step; each method adds a step."""

    user: str = "sipp"
    """Who it is, in From and in what the gateway logs."""
    called: str = "echo"
    """Whom it calls."""
    place: str = "[local_ip]:[local_port]"
    """Where it is to be reached, for its Contact."""
    target: str = "[next_url]"
    """Whom requests within the dialog are for: what the far end said of itself."""
    steps: list[str] = field(default_factory=list)
    _cseq: int = 0
    _invite: int = 1
    _invite_step: int = 0
    _kept: list[str] = field(default_factory=list)

    # --- as the client ----------------------------------------------------------------------------------------

    def invite(self, *headers: str, body: str = OFFER) -> Self:
        """The first INVITE, or the same again with headers that were asked for."""
        self._cseq += 1
        self._invite, self._invite_step = self._cseq, len(self.steps)
        return self._send(self._request("INVITE", self._cseq, "", *headers, self._contact, body=body))

    def within(self, method: str, *headers: str, body: str = "") -> Self:
        """A further request of the dialog."""
        self._cseq += 1
        if method == "INVITE":
            self._invite, self._invite_step = self._cseq, len(self.steps)
        return self._send(self._request(method, self._cseq, "[peer_tag_param]", *headers, self._contact, body=body))

    def ack(self, *headers: str, body: str = "") -> Self:
        """The ACK of a 2xx; it is repeated for each copy of that."""
        message = self._request("ACK", self._invite, "[peer_tag_param]", *headers, body=body)
        return self._send(message, repeats=False)

    def ack_refusal(self) -> Self:
        """The ACK of a refusal, in the transaction of its INVITE."""
        return self._send(self._hop_by_hop("ACK", "[peer_tag_param]"), repeats=False)

    def cancel(self) -> Self:
        """Take the INVITE back."""
        return self._send(self._hop_by_hop("CANCEL", ""))

    def gets(self, status: int, **matches: str) -> Self:
        """A response. `matches` are headers (`Min_SE`) or `body`, and what must be found in them: kept as variables."""
        asks = ' auth="true"' if status in (401, 407) else ""
        return self._receive(f'response="{status}" rrs="true"{asks}', matches)

    def may_get(self, *statuses: int) -> Self:
        """Responses that may come, or not."""
        self.steps += [f'<recv response="{status}" optional="true"/>' for status in statuses]
        return self

    # --- as the server ----------------------------------------------------------------------------------------

    def takes(self, method: str, **matches: str) -> Self:
        """A request; `matches` as for `gets`. What responses to an INVITE repeat of it is kept."""
        kept = "".join(self._match(name, ".*", f"their_{name}") for name in _REPEATED) if method == "INVITE" else ""
        return self._receive(f'request="{method}" rrs="true"', matches, kept)

    def answers(self, status: int, *headers: str) -> Self:
        """The response to what was taken last; that to an INVITE is for `says`."""
        lines = ["[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]"]
        return self._send(_message([f"SIP/2.0 {status} Said", *lines, *headers], ""), repeats=False)

    def says(self, status: int, *headers: str, tag: str = CALLEE, body: str = "", repeats: bool = False) -> Self:
        """A response to the INVITE, whatever came since."""
        lines = ["Via: [$their_via]", "From: [$their_from]", f"To: [$their_to];tag={tag}"]
        lines += ["[last_Call-ID:]", "CSeq: [$their_cseq]"]
        return self._send(_message([f"SIP/2.0 {status} Said", *lines, self._contact, *headers], body), repeats=repeats)

    def asks(self, method: str, cseq: int, *headers: str, tag: str = CALLEE, body: str = "") -> Self:
        """A request of who was called."""
        lines = [
            f"{method} [next_url] SIP/2.0",
            _VIA,
            f"From: <sip:{self.user}@[local_ip]:[local_port]>;tag={tag}",
            "To: [$their_from]",
            "Call-ID: [call_id]",
            f"CSeq: {cseq} {method}",
            "Max-Forwards: 70",
            *headers,
        ]
        return self._send(_message(lines, body))

    # --- both -------------------------------------------------------------------------------------------------

    def pause(self, milliseconds: int) -> Self:
        """Nothing."""
        self.steps.append(f'<pause milliseconds="{milliseconds}"/>')
        return self

    def __str__(self) -> str:
        names = ",".join(self._kept)
        unused = f'<Reference variables="{names}"/>' if names else ""
        steps = "\n".join(self.steps)
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{self.user}">\n{steps}\n{unused}\n</scenario>\n'
        )

    @property
    def _contact(self) -> str:
        return f"Contact: <sip:{self.user}@{self.place};transport=[transport]>"

    @property
    def _target(self) -> str:
        return f"sip:{self.called}@[remote_ip]:[remote_port]"

    def _request(self, method: str, cseq: int, to_tag: str, *headers: str, body: str = "") -> str:
        target = self.target if to_tag else self._target
        return _message(
            [
                f"{method} {target} SIP/2.0",
                _VIA,
                f"From: <sip:{self.user}@[local_ip]:[local_port]>;tag=[pid]C[call_number]",
                f"To: <{self._target}>{to_tag}",
                "Call-ID: [call_id]",
                f"CSeq: {cseq} {method}",
                "Max-Forwards: 70",
                *(["[routes]"] if to_tag else []),
                *headers,
            ],
            body,
        )

    def _hop_by_hop(self, method: str, to_tag: str) -> str:
        """A request in the transaction of the INVITE: SIPp counts steps back to its branch."""
        message = self._request(method, self._invite, to_tag).replace(
            f"{method} {self.target}", f"{method} {self._target}"
        )
        return message.replace("[branch]", f"[branch-{len(self.steps) - self._invite_step}]")

    def _send(self, message: str, *, repeats: bool = True) -> Self:
        repeat = ' retrans="500"' if repeats else ""
        self.steps.append(f"<send{repeat}><![CDATA[\n{message}\n]]></send>")
        return self

    def _receive(self, what: str, matches: dict[str, str], actions: str = "") -> Self:
        actions += "".join(self._match(name, pattern, name) for name, pattern in matches.items())
        self.steps.append(f"<recv {what}><action>{actions}</action></recv>" if actions else f"<recv {what}/>")
        return self

    def _match(self, name: str, pattern: str, variable: str) -> str:
        where = 'search_in="body"' if name == "body" else f'search_in="hdr" header="{name.replace("_", "-")}:"'
        variable = variable.lower()
        if variable not in self._kept:
            self._kept.append(variable)
        return f'<ereg regexp="{pattern}" {where} check_it="true" assign_to="{variable}"/>'


def _message(lines: list[str], body: str) -> str:
    described = [_SDP] if body and not any(line.startswith("Content-Type:") for line in lines) else []
    return "\n".join([*lines, *described, "Content-Length: [len]", "", body])


async def plays(
    scenario: Scenario,
    folder: Path,
    *more: str,
    remote: str = "",
    host: str = "127.0.0.1",
    port: int = 0,
    within: float = 20,
) -> None:
    """Run it once, towards `remote` or waiting for whoever calls; it must end as it says.

    Args:
        scenario: what happens.
        folder: for SIPp's files.
        more: further words of SIPp's command line.
        remote: `host:port` of whom it calls; empty for one that is called.
        host: its own address.
        port: its own.
        within: seconds.
    """
    file, errors = folder / f"{scenario.user}.xml", folder / f"{scenario.user}-errors.log"
    file.write_text(str(scenario))
    words = [program("sipp"), *([remote] if remote else []), "-sf", file, "-m", 1, "-i", host]
    words += ["-p", port or free_port(), "-mi", host, "-mp", free_port() // 2 * 2, "-timeout", f"{within - 3}s"]
    words += ["-timeout_error", "-trace_err", "-error_file", errors, "-nostdin", *more]
    code, printed = await finish([str(word) for word in words], within, cwd=folder)
    assert code == 0, printed[-2000:] + (errors.read_text()[-4000:] if errors.exists() else "")
