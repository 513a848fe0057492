"""Posts go where they may, in time, and nowhere else, whatever names and redirects say. Real sockets and real TLS."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sipgw.io.guarded_http import GuardedHttp, HttpAnswer, HttpFailed, Resolve
from sipgw.io.inside import Reach
from tests.fakes.certificates import Authority
from tests.fakes.receiver import Reply, receiving

LOOPBACK = Reach.of(["127.0.0.0/8"])


@asynccontextmanager
async def client(
    reach: Reach = LOOPBACK, *, resolve: Resolve | None = None, ca_file: str = "", connections: int = 4
) -> AsyncIterator[GuardedHttp]:
    http = GuardedHttp(reach, resolve=resolve, ca_file=ca_file, connections=connections)
    try:
        yield http
    finally:
        await http.close()


async def post(http: GuardedHttp, url: str, within: float = 5.0, most_bytes: int = 1000) -> HttpAnswer:
    return await http.post(url, b"{}", {"X-Test": "1"}, within=within, most_bytes=most_bytes)


async def fails(http: GuardedHttp, url: str, within: float = 5.0) -> str:
    """The name of the failure."""
    with pytest.raises(HttpFailed) as caught:
        await post(http, url, within)
    return caught.value.name


def names(*addresses: str) -> tuple[Resolve, list[str]]:
    """A name server that gives these answers, one after another, to whatever it is asked; and what it was asked."""
    asked: list[str] = []

    async def resolve(host: str) -> list[str]:
        asked.append(host)
        return [addresses[min(len(asked), len(addresses)) - 1]]

    return resolve, asked


async def test_a_post_is_answered_and_the_connection_used_again() -> None:
    async with receiving(lambda post, before: Reply(201, {"X-One": "1", "x-one": "2"}, b"yes")) as receiver:
        async with client() as http:
            answer = await post(http, receiver.url)
            await post(http, receiver.url)
        assert (answer.status, answer.body, answer.headers["x-one"]) == (201, b"yes", "1")
        first = receiver.posts[0]
        assert (first.path, first.body, first.headers["x-test"]) == ("/hook", b"{}", "1")
        assert first.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"]
)
async def test_an_inside_address_is_not_connected_to(host: str) -> None:
    async with receiving() as receiver, client(Reach()) as http:
        assert await fails(http, f"http://{host}:{receiver.port}/") == "inside_address"
        assert receiver.posts == []


async def test_a_name_that_leads_inside_is_not_followed() -> None:
    resolve, asked = names("10.0.0.7")
    async with client(resolve=resolve) as http:
        assert await fails(http, "http://innocent.example/") == "inside_address"
    assert asked == ["innocent.example"]


async def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to() -> None:
    # The second answer would lead to a neighbour that nobody allowed: it is never asked for.
    resolve, asked = names("127.0.0.1", "127.0.0.2")
    async with receiving() as receiver, client(Reach.of(["127.0.0.1"]), resolve=resolve) as http:
        url = f"http://rebinding.example:{receiver.port}/"
        assert (await post(http, url)).status == 200
        assert asked == ["rebinding.example"]
        assert receiver.posts[0].headers["host"] == f"rebinding.example:{receiver.port}"
        # A new connection is checked anew.
        receiver.behaviour = lambda post, before: Reply(headers={"Connection": "close"})
        await post(http, url)
        assert await fails(http, url) == "inside_address"


async def test_of_several_addresses_only_those_within_reach_are_tried_until_one_answers() -> None:
    async def resolve(host: str) -> list[str]:
        return ["10.0.0.1", "127.0.0.9", "127.0.0.1"]

    async with receiving() as receiver, client(resolve=resolve) as http:
        assert (await post(http, f"http://several.example:{receiver.port}/")).status == 200


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with receiving() as inside:
        async with receiving(lambda post, before: Reply(307, {"Location": inside.url})) as receiver, client() as http:
            assert (await post(http, receiver.url)).status == 307
        assert inside.posts == []


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        async with client() as http:
            await post(http, receiver.url)
        assert (len(proxy.posts), len(receiver.posts)) == (0, 1)


@pytest.mark.parametrize("reply", [Reply(after=3), Reply(body=b"x" * 500, drip=0.05)], ids=["silent", "dripping"])
async def test_a_slow_answer_is_given_up_in_time(reply: Reply) -> None:
    async with receiving(lambda post, before: reply) as receiver, client() as http:
        began = asyncio.get_running_loop().time()
        assert await fails(http, receiver.url, within=0.3) == "timeout"
        assert asyncio.get_running_loop().time() - began < 2.0


async def test_one_that_never_accepts_is_given_up_in_time() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        held = [socket.socket() for _ in range(4)]
        for one in held:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        async with client() as http:
            assert await fails(http, f"http://127.0.0.1:{port}/", within=0.3) == "timeout"
        for one in held:
            one.close()


@pytest.mark.parametrize(
    ("behaviour", "name"),
    [
        (lambda post, before: Reply(body=b"x" * 2000), "answer_too_long"),
        (lambda post, before: Reply(hang_up=True), "not_http"),
        (lambda post, before: Reply(headers={"Content-Length": "many"}), "not_http"),
    ],
    ids=["endless", "hangs up", "nonsense"],
)
async def test_an_answer_that_cannot_be_used_has_a_name(behaviour: Callable[..., Reply], name: str) -> None:
    async with receiving(behaviour) as receiver, client() as http:
        assert await fails(http, receiver.url) == name
        # And the next one is none the worse for it.
        receiver.behaviour = lambda post, before: Reply()
        assert (await post(http, receiver.url)).status == 200


async def test_nobody_there_has_a_name_too() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]
    async with client() as http:
        assert await fails(http, f"http://127.0.0.1:{closed}/") == "connection_refused"
        assert await fails(http, "http://no-such-name.invalid/") == "name_not_resolved"
        assert await fails(http, "ftp://127.0.0.1/") == "bad_url"


async def test_more_requests_than_connections_wait_their_turn() -> None:
    async with receiving(lambda post, before: Reply(after=0.1)) as receiver, client(connections=2) as http:
        await asyncio.gather(*(post(http, receiver.url) for _ in range(6)))
        assert receiver.most_open == 2


# --- TLS ----------------------------------------------------------------------------------------------------------


async def test_a_certificate_counts_when_its_authority_and_its_name_are_right(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("server", "hooks.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    resolve, _ = names("127.0.0.1")
    async with receiving(context=context) as receiver:
        good, other = (f"https://{host}:{receiver.port}/" for host in ("hooks.example", "other.example"))
        async with client(resolve=resolve, ca_file=str(authority.file)) as http:
            assert (await post(http, good)).status == 200
            assert await fails(http, other) == "certificate_not_trusted"
        async with client(resolve=resolve) as http:
            assert await fails(http, good) == "certificate_not_trusted"
        assert len(receiver.posts) == 1


async def test_a_server_without_tls_has_a_name() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, client() as http:
        assert await fails(http, f"https://127.0.0.1:{port}/") == "tls_failed"


def test_an_authority_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises((OSError, ssl.SSLError)):
        GuardedHttp(Reach(), ca_file=str(tmp_path / "gone.pem"))
