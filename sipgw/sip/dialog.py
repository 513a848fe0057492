"""A dialog: what two user agents have to remember to talk on (RFC 3261 section 12)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from sipgw.errors import PeerError
from sipgw.flow import Flow
from sipgw.options import Nat
from sipgw.sip.message import Request, Response
from sipgw.sip.paths import is_behind_nat, is_sent_elsewhere, next_hop
from sipgw.sip.uri import Uri
from sipgw.sip.values import NameAddr

VERSION = 2
"""Of the snapshots."""


@dataclass(slots=True)
class Dialog:
    """One dialog, seen from our side. `local` and `remote` are whole From and To values with their tags."""

    call_id: str
    local: str
    local_tag: str
    remote: str
    remote_tag: str
    """Empty for a peer by RFC 2543."""
    target: str
    """The peer's Contact: the Request-URI of what we send."""
    routes: tuple[str, ...]
    flow: Flow
    """On which the peer was last heard."""
    behind_nat: bool
    """The peer's Via said so."""
    local_cseq: int
    remote_cseq: int | None
    caller: bool
    """We sent the INVITE, so we own the Call-ID (RFC 3261 14.1)."""
    confirmed: bool = False
    nat: Nat = "auto"
    """Whether the peer's Contact is replaced by its source, as its trunk has it."""

    @classmethod
    def of_request(cls, invite: Request, source: Flow, local_tag: str, nat: Nat = "auto") -> Self:
        """The dialog that our response to `invite` makes (RFC 3261 12.1.1)."""
        return cls(
            call_id=invite.call_id,
            local=str(invite.to.with_tag(local_tag)),
            local_tag=local_tag,
            remote=invite.single("From"),
            remote_tag=invite.from_.tag or "",
            target=target_of(invite) or str(invite.from_.uri),
            routes=tuple(str(route) for route in invite.record_routes),
            flow=source,
            behind_nat=is_behind_nat(invite, source),
            local_cseq=0,
            remote_cseq=invite.cseq.number,
            caller=False,
            nat=nat,
        )

    @classmethod
    def of_response(cls, invite: Request, response: Response, flow: Flow) -> Self:
        """The dialog that a response to our `invite` makes (RFC 3261 12.1.2)."""
        return cls(
            call_id=invite.call_id,
            local=str(invite.from_),
            local_tag=invite.from_.tag or "",
            remote=response.single("To"),
            remote_tag=response.to.tag or "",
            target=target_of(response) or invite.uri,
            routes=tuple(str(route) for route in reversed(response.record_routes)),
            flow=flow,
            behind_nat=is_sent_elsewhere(invite, flow),
            local_cseq=invite.cseq.number,
            remote_cseq=None,
            caller=True,
            confirmed=response.status >= 200,
        )

    def is_with(self, request: Request) -> bool:
        """Whether `request` belongs here; its To tag was our local tag already."""
        return request.call_id == self.call_id and (request.from_.tag or "") == self.remote_tag

    def heard(self, request: Request, source: Flow) -> None:
        """Note a request of the peer's (RFC 3261 12.2.2).

        Raises:
            PeerError: 500 where it is older than the last one.
        """
        number = request.cseq.number
        if self.remote_cseq is not None and number < self.remote_cseq:
            raise PeerError(500, "CSeq Out Of Order")
        self.remote_cseq = number
        self.flow, self.behind_nat = source, is_behind_nat(request, source)

    def next_cseq(self) -> int:
        """The number of our next request."""
        self.local_cseq += 1
        return self.local_cseq

    def refresh(self, message: Request | Response) -> None:
        """Take the Contact of a re-INVITE, or of a 2xx to ours, as the new target."""
        self.target = target_of(message) or self.target

    def address(self, *, gone: bool = False) -> tuple[str, tuple[str, ...], Flow]:
        """Request-URI, Route values and flow of our next request (RFC 3261 12.2.1.1).

        Args:
            gone: the connection on which the peer was last heard is.
        """
        if not self.routes:
            return self.target, (), self._hop(self.target, gone)
        first = NameAddr.parse(self.routes[0]).uri
        if "lr" in first.params:
            return self.target, self.routes, self._hop(str(first), gone)
        # A strict router takes its own address from the Request-URI and the target from the last Route.
        return str(first), (*self.routes[1:], f"<{self.target}>"), self._hop(str(first), gone)

    @property
    def secure(self) -> bool:
        """Whether our Contact in a request is to be a SIPS URI, by where that goes (RFC 3261 section 8.1.1.8)."""
        return any(uri.lower().lstrip("<").startswith("sips:") for uri in (self.target, *self.routes[:1]))

    def snapshot(self) -> dict[str, Any]:
        """Plain data from which `restore` makes the same dialog in another process."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        flow = self.flow
        plain["flow"] = [flow.transport, list(flow.local), list(flow.remote), list(flow.names)]
        plain["routes"] = list(self.routes)
        return {"version": VERSION, **plain}

    @classmethod
    def restore(cls, plain: Mapping[str, Any]) -> Self:
        """The dialog of a snapshot, also one that went through JSON.

        Raises:
            ValueError: it was written by a version that we do not know.
        """
        if plain.get("version") != VERSION:
            raise ValueError(f"dialog snapshot of version {plain.get('version')!r}, not {VERSION}")
        transport, local, remote, names = plain["flow"]
        values = {field.name: plain[field.name] for field in fields(cls)}
        values["flow"] = Flow(transport, (local[0], local[1]), (remote[0], remote[1]), tuple(names))
        values["routes"] = tuple(plain["routes"])
        return cls(**values)

    def _hop(self, uri: str, gone: bool) -> Flow:
        try:
            return next_hop(Uri.parse(uri), self.flow, behind_nat=self.behind_nat, nat=self.nat, gone=gone)
        except PeerError:
            return self.flow


def target_of(message: Request | Response) -> str:
    """The URI in the Contact, empty where there is none that can be read."""
    try:
        found = message.contact
    except PeerError:
        return ""
    return str(found.uri) if found is not None else ""
