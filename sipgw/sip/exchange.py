"""The transaction layer of an agent: keeps the transactions, matches messages to them, collects what is to be sent."""

from collections.abc import Callable

from sipgw.flow import Flow
from sipgw.options import SipOptions
from sipgw.sip.client_transaction import ClientTransaction, ClientUser, InviteClient, NonInviteClient
from sipgw.sip.half_open import HalfOpen
from sipgw.sip.matching import client_key, merge_key, server_key, untagged_key
from sipgw.sip.message import Request, Response
from sipgw.sip.paths import response_flow
from sipgw.sip.server_transaction import InviteServer, NonInviteServer, ServerTransaction
from sipgw.sip.source import source_key
from sipgw.sip.timers import Timers
from sipgw.sip.transaction import Ground, Key, Transaction
from sipgw.sip.uri import without_secrets
from sipgw.trace import Mark, Note, Trace, silent


class Exchange:
    """All transactions of one agent."""

    def __init__(self, options: SipOptions, trace: Trace) -> None:
        self.timers = Timers()
        self.half_open = HalfOpen()
        self._options = options
        self._trace = trace
        self._ground = Ground(options, self.timers, self.send, self._ended, trace)
        self._transactions: dict[Key, Transaction] = {}
        self._by_flow: dict[Flow, dict[Key, Transaction]] = {}
        self._merged: dict[Key, Key] = {}
        self._outbox: list[tuple[bytes, Flow]] = []

    def __len__(self) -> int:
        """How many transactions there are."""
        return len(self._transactions)

    def send(self, data: bytes, flow: Flow, now: float) -> None:
        """Send a message, for a transaction or outside of any."""
        self._outbox.append((data, flow))
        if self._trace is not silent:
            line = without_secrets(data[: data.find(b"\r\n")].decode("utf-8", "replace"))
            name = "response" if line.startswith("SIP/") else line.partition(" ")[0].lower()
            self._trace(Note(now, "sip", Mark.OUT, name, detail=f"{line} to {flow}"))

    def to_send(self) -> list[tuple[bytes, Flow]]:
        """Take what is to be sent."""
        taken, self._outbox = self._outbox, []
        return taken

    def request(self, request: Request, flow: Flow, user: ClientUser, now: float) -> ClientTransaction:
        """Send a request of ours in a transaction of its own."""
        kind = InviteClient if request.method == "INVITE" else NonInviteClient
        client = kind(client_key(request), request, flow, self._ground, user, now)
        self._keep(client)
        return client

    def serve_invite(
        self, request: Request, source: Flow, acknowledged: Callable[[Request, float], None]
    ) -> InviteServer:
        """Open the transaction of a new INVITE."""
        server = InviteServer(server_key(request), request, response_flow(request, source), self._ground, acknowledged)
        self._keep(server)
        if not request.to.tag:
            self.half_open.add(server.key, source_key(source.remote[0]))
        return server

    def serve(self, request: Request, source: Flow) -> NonInviteServer:
        """Open the transaction of any other new request."""
        server = NonInviteServer(server_key(request), request, response_flow(request, source), self._ground)
        self._keep(server)
        return server

    def forget(self, server: ServerTransaction) -> None:
        """Keep nothing of a request that has no response yet: what answers it will be without state (8.2.7)."""
        self._ended(server)

    def find(self, request: Request) -> ServerTransaction | None:
        """The transaction of which `request` is a repeat, or which an ACK acknowledges."""
        if request.method == "ACK":
            return self._acknowledged(request)
        found = self._transactions.get(server_key(request))
        return found if isinstance(found, ServerTransaction) else None

    def cancelled(self, cancel: Request) -> InviteServer | None:
        """The INVITE that a CANCEL is about (RFC 3261 9.2)."""
        found = self._transactions.get(server_key(cancel, "INVITE"))
        return found if isinstance(found, InviteServer) else None

    def is_merged(self, request: Request) -> bool:
        """Whether another transaction brought the same request on another path (RFC 3261 8.2.2.2)."""
        first = self._merged.get(merge_key(request))
        return first is not None and first != server_key(request)

    def receive_response(self, response: Response, source: Flow, now: float) -> bool:
        """Give a response to the transaction it belongs to; whether there is one."""
        client = self._transactions.get(client_key(response))
        via = response.via
        if not isinstance(client, ClientTransaction):
            return False
        if (via.host.lower(), via.port) != (client.request.via.host, client.request.via.port):
            self._drop("not_our_via", response, now)
        else:
            client.receive(response, now)
        return True

    def transport_failed(self, flow: Flow, now: float) -> None:
        """What was sent on `flow` did not arrive."""
        for transaction in list(self._by_flow.get(flow, {}).values()):
            transaction.transport_failed(now)

    def _acknowledged(self, ack: Request) -> InviteServer | None:
        found = self._transactions.get(server_key(ack, "INVITE"))
        if found is None:
            found = self._transactions.get(untagged_key(ack))
            if isinstance(found, InviteServer) and found.to_tag != (ack.to.tag or ""):
                return None
        return found if isinstance(found, InviteServer) else None

    def _keep(self, transaction: Transaction) -> None:
        self._transactions[transaction.key] = transaction
        self._by_flow.setdefault(transaction.flow, {})[transaction.key] = transaction
        if isinstance(transaction, ServerTransaction):
            self._merged.setdefault(merge_key(transaction.request), transaction.key)

    def _ended(self, transaction: Transaction) -> None:
        self._transactions.pop(transaction.key, None)
        self.half_open.settle(transaction.key)
        siblings = self._by_flow.get(transaction.flow, {})
        siblings.pop(transaction.key, None)
        if not siblings:
            self._by_flow.pop(transaction.flow, None)
        if isinstance(transaction, ServerTransaction):
            merged = merge_key(transaction.request)
            if self._merged.get(merged) == transaction.key:
                del self._merged[merged]

    def _drop(self, name: str, response: Response, now: float) -> None:
        self._trace(Note(now, "sip", Mark.DROP, name, detail=f"{response.status} {response.cseq}"))
