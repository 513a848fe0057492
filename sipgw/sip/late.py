"""A 2xx to an INVITE of ours whose transaction is over (RFC 3261 section 13.2.2.4).

From a phone that answers what was given up without a final response: it gets ACK and BYE, or would believe for half a
minute that it is in a call. From one whose call goes on: it never got our ACK, which the process before us sent, say.
"""

from typing import TYPE_CHECKING

from sipgw.sip.message import Response
from sipgw.sip.recent import Recent

if TYPE_CHECKING:
    from sipgw.sip.core import Core
    from sipgw.sip.our_invite import OurInvite

_KEPT = 1000


class Abandoned:
    """The newest INVITEs that were given up, by the branch in Via, which nobody can guess."""

    def __init__(self) -> None:
        self._kept: Recent[str, OurInvite] = Recent(_KEPT)

    def add(self, invite: "OurInvite") -> None:
        """This one was."""
        self._kept.put(invite.request.via.branch or "", invite)

    def find(self, response: Response) -> "OurInvite | None":
        """The one that is answered."""
        invite = self._kept.get(response.via.branch or "")
        return invite if invite is not None and invite.request.call_id == response.call_id else None


def receive_late(core: "Core", response: Response, now: float) -> bool:
    """Take a response that belongs to no transaction; whether it is such a 2xx."""
    if not 200 <= response.status < 300 or response.cseq.method != "INVITE":
        return False
    invite = core.abandoned.find(response)
    if invite is not None:
        invite.answered_late(response, now)
        return True
    return _acknowledge_again(core, response, now)


def _acknowledge_again(core: "Core", response: Response, now: float) -> bool:
    leg = core.legs.get(response.from_.tag or "")
    dialog = leg.dialog if leg is not None and leg.answered else None
    if dialog is None or (response.call_id, response.to.tag or "") != (dialog.call_id, dialog.remote_tag):
        return False
    ack = core.within(dialog, "ACK", core.hop(dialog), response.cseq.number)
    core.exchange.send(bytes(ack), core.hop(dialog), now)
    return True
