"""An INVITE that is to take the place of a dialog, as attended transfers end with (RFC 3891)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from sipgw.errors import PeerError
from sipgw.options.phone import PREFIX
from sipgw.sip.grammar import bad
from sipgw.sip.params import Params

if TYPE_CHECKING:
    from sipgw.flow import Flow
    from sipgw.sip.core import Core
    from sipgw.sip.dialog import Dialog
    from sipgw.sip.leg import Leg
    from sipgw.sip.message import Request
    from sipgw.sip.trust import Verdict

OPTION: Final = "replaces"
_NONE: Final = "0"
"""Stands for the tag of a peer by RFC 2543, which has none (section 6.1)."""


@dataclass(frozen=True, slots=True)
class Replaces:
    """Names a dialog as whoever gets this header knows it (section 6.1)."""

    call_id: str
    to_tag: str
    """The tag of whoever gets this."""
    from_tag: str
    """The tag of the far end that is to be replaced; `0` where it has none."""
    early_only: bool = False
    """The dialog must not have been answered."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the header's value.

        Raises:
            PeerError: 400 where it is none.
        """
        call_id, semicolon, rest = text.partition(";")
        params = Params.parse(semicolon + rest)
        names = [name.lower() for name, _ in params]
        to_tag, from_tag = params.get("to-tag"), params.get("from-tag")
        if not call_id.strip() or not to_tag or not from_tag or names.count("to-tag") + names.count("from-tag") > 2:
            bad("Replaces")
        return cls(call_id.strip(), to_tag, from_tag, "early-only" in params)

    @classmethod
    def of(cls, dialog: "Dialog") -> Self:
        """Names a dialog of ours to its far end: for an INVITE, also a third party's, that takes our place."""
        return cls(dialog.call_id, dialog.remote_tag or _NONE, dialog.local_tag)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """For an INVITE of ours; who does not know what is meant has to refuse it (section 4)."""
        return ("Replaces", str(self)), ("Require", OPTION)

    def means(self, dialog: "Dialog") -> bool:
        """Whether that dialog is meant; our tag is compared already."""
        return self.call_id == dialog.call_id and self.from_tag == (dialog.remote_tag or _NONE)

    def __str__(self) -> str:
        flag = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{flag}"


def replaces_of(request: "Request") -> Replaces | None:
    """What an INVITE is to take the place of; None where that is nothing.

    Raises:
        PeerError: 400 where that cannot be read, or is more than one thing (section 3).
    """
    values = request.headers.all("Replaces")
    if not values:
        return None
    if len(values) > 1 or "Join" in request.headers:
        bad("Replaces")
    return Replaces.parse(values[0])


def names_a_leg(core: "Core", request: "Request") -> bool:
    """Whether it is to take the place of a leg that is there: then there will not be one call more."""
    try:
        wanted = replaces_of(request)
    except PeerError:
        return False
    return wanted is not None and _found(core, wanted) is not None


def to_be_replaced(core: "Core", request: "Request", source: "Flow", verdict: "Verdict") -> str:
    """The leg whose place an INVITE takes; empty where it is a call of its own (section 3).

    Raises:
        PeerError: 400; 481 where there is no such dialog; 603 where it is over, 486 where it was answered and must not
            have been; 403 for somebody who has nothing to do with it.
    """
    wanted = replaces_of(request)
    if wanted is None:
        return ""
    leg = _found(core, wanted)
    if leg is None:
        raise PeerError(603 if (wanted.call_id, wanted.to_tag, wanted.from_tag) in core.past else 481)
    if not _may(leg, source, verdict):
        raise PeerError(403)
    if leg.ending:
        raise PeerError(603)
    if wanted.early_only and leg.answered:
        raise PeerError(486)
    return leg.name


def past(dialog: "Dialog") -> tuple[str, str, str]:
    """What is remembered of a dialog that is over."""
    return dialog.call_id, dialog.local_tag, dialog.remote_tag or _NONE


def _found(core: "Core", wanted: Replaces) -> "Leg | None":
    """The leg that is meant. Not one whose caller still waits for our answer: only what we began is replaced early."""
    leg = core.legs.get(wanted.to_tag)
    if leg is None:
        return None
    dialogs = leg.ours.dialogs if leg.ours is not None and not leg.answered else (leg.dialog,)
    known = any(dialog is not None and wanted.means(dialog) for dialog in dialogs)
    return leg if known and not leg.asked else None


def _may(leg: "Leg", source: "Flow", verdict: "Verdict") -> bool:
    """Only who may have been told of it: the trunk it is with, any phone of ours for a phone's, else the same host."""
    if verdict.trunk or leg.trunk:
        return verdict.trunk == leg.trunk or (_is_phone(verdict.trunk) and _is_phone(leg.trunk))
    return leg.dialog is not None and source.remote[0] == leg.dialog.flow.remote[0]


def _is_phone(trunk: str) -> bool:
    return trunk.startswith(PREFIX)
