"""`sipgw calls …`, `sipgw phones …`: looks at a running gateway and steers it, through its HTTP API."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from sipgw.errors import SipgwError

_LIMIT = 10.0
"""Seconds to wait for an answer."""
_PAGE = 200


class NotDone(SipgwError):
    """The gateway is not there, or refused; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API is, and what opens it."""

    url: str
    token: str


class Remote:
    """The calls of a running gateway, from here. Everything raises NotDone.

    Args:
        access: to its API.
        console: takes what is printed.
    """

    def __init__(self, access: Access, console: Console) -> None:
        self._access, self._console = access, console

    def list(self, filters: Mapping[str, str]) -> None:
        """Print a table of the calls there are."""
        table = Table("call", "from", "to", "state", "since", "target", "codec", "hold", box=None, header_style="bold")
        with self._client() as client:
            for call in _pages(client, "calls", filters):
                table.add_row(
                    *(call[name] for name in ("id", "caller", "called", "state")), _clock(call["started"]),
                    call["target"], call["codec"], " ".join(call["held_by"]),
                )  # fmt: skip
        self._console.print(table if table.row_count else "no calls")

    def phones(self) -> None:
        """Print a table of the phones there are, a line for each place where one is registered."""
        table = Table("phone", "user", "name", "contact", "from", "until", "phone is", box=None, header_style="bold")
        with self._client() as client:
            for phone in _pages(client, "phones", {}):
                words = [phone[key] for key in ("name", "user", "display_name")]
                for one in phone["contacts"] or [None]:
                    table.add_row(*words, *(_place(one) if one else ("not registered",)))
        self._console.print(table if table.row_count else "no phones")

    def show(self, call: str) -> None:
        """Print all that is known of one."""
        table = Table(box=None, show_header=False)
        with self._client() as client:
            for name, value in _ask(client, "GET", f"/v1/calls/{call}").items():
                table.add_row(name, _shown(name, value))
        self._console.print(table)

    def steer(self, call: str, act: str, **body: object) -> None:
        """Do something with one."""
        given = {name: value for name, value in body.items() if value is not None}
        with self._client() as client:
            _ask(client, "POST", f"/v1/calls/{call}/{act}", json=given or None)
        self._console.print(f"{act}: accepted")

    def list_bans(self) -> None:
        """Print a table of the sources that are banned."""
        table = Table("source", "for", "since", "until", "over", box=None, header_style="bold")
        with self._client() as client:
            for ban in _ask(client, "GET", "/v1/bans")["bans"]:
                over = "UDP" if ban["datagrams_only"] else "all"
                table.add_row(ban["source"], ban["reason"], _clock(ban["since"]), _clock(ban["until"]), over)
        self._console.print(table if table.row_count else "nobody is banned")

    def lift_ban(self, source: str) -> None:
        """Let a source in again."""
        with self._client() as client:
            _ask(client, "DELETE", f"/v1/bans/{source}")
        self._console.print(f"{source}: let in again")

    def follow(self, call: str, kinds: tuple[str, ...], *, as_json: bool) -> None:
        """Print what happens, until the gateway or somebody else ends it."""
        query = [*(("kind", kind) for kind in kinds), *((("call", call),) if call else ())]
        shown: Callable[[str], str] = str if as_json else _line
        with self._client() as client, client.stream("GET", "/v1/events", params=query, timeout=_PATIENT) as response:
            _check(response)
            for line in response.iter_lines():
                if line.startswith("data: "):
                    self._console.print(shown(line.removeprefix("data: ")), markup=False, soft_wrap=True)

    @contextmanager
    def _client(self) -> Iterator[httpx.Client]:
        """A connection. No proxy of the environment stands between."""
        headers = {"Authorization": f"Bearer {self._access.token}"}
        try:
            with httpx.Client(base_url=self._access.url, headers=headers, timeout=_LIMIT, trust_env=False) as client:
                yield client
        except httpx.HTTPError as error:
            where = self._access.url
            raise NotDone(f"no gateway answers at {where}: {error}; is it running with api.port set?") from None


_PATIENT = httpx.Timeout(_LIMIT, read=None)


def _pages(client: httpx.Client, what: str, filters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """All calls or phones that there are, page by page."""
    query: dict[str, str | int] = {"limit": _PAGE, **filters}
    while True:
        page = _ask(client, "GET", f"/v1/{what}", params=query)
        yield from page[what]
        if page["next"] is None:
            return
        query["after"] = page["next"]


def _ask(client: httpx.Client, method: str, path: str, **more: Any) -> dict[str, Any]:
    response = client.request(method, path, **more)
    _check(response)
    answer: dict[str, Any] = response.json()
    return answer


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    response.read()
    try:
        said = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        raise NotDone(f"{response.url} answers {response.status_code}, which is not what the API says") from None
    raise NotDone(said)


def _place(contact: Mapping[str, Any]) -> tuple[str, ...]:
    """One place where a phone is registered."""
    return contact["uri"], contact["source"], _clock(contact["expires"]), contact["user_agent"]


def _shown(name: str, value: object) -> str:
    if isinstance(value, float) and name in ("started", "answered"):
        return _clock(value)
    return " ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _line(text: str) -> str:
    """One event for people."""
    event = json.loads(text)
    data = " ".join(f"{name}={value}" for name, value in event["data"].items() if value not in ("", None))
    return " ".join(word for word in (_clock(event["when"]), event["call"], event["kind"], data) if word)


def _clock(when: float) -> str:
    return datetime.fromtimestamp(when).astimezone().strftime("%H:%M:%S")
