"""What an operator should think about again."""

from pathlib import Path

import pytest

from sipgw.settings import embedded, examine
from tests.fakes.certificates import Authority

BACKENDS = "backends:\n  demo: {dialect: demo}\n"
ROUTES = 'routes:\n  - {number: "*", targets: [demo], anyone: true}\n'
KNOWN = 'routes:\n  - {number: "*", targets: [demo], sources: [203.0.113.0/24]}\n'


def advised(folder: Path, text: str) -> list[str]:
    path = folder / "x.yaml"
    path.write_text(text)
    return [str(warning).replace(f"{folder}/", "") for warning in examine(path, {}).warnings]


def test_the_defaults_are_beyond_doubt() -> None:
    assert examine(embedded("config/sipgw.yaml"), {}).warnings == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1"])
def test_on_loopback_anyone_may_call(tmp_path: Path, host: str) -> None:
    assert advised(tmp_path, f"sip: {{host: '{host}'}}\n" + BACKENDS + ROUTES) == []


def test_anyone_may_call_from_elsewhere(tmp_path: Path) -> None:
    media = "media: {host: 192.0.2.1}\n"
    assert advised(tmp_path, "sip: {host: 192.0.2.1}\n" + media + BACKENDS + KNOWN) == []
    assert advised(tmp_path, "sip: {host: 192.0.2.1}\n" + media + BACKENDS + ROUTES) == [
        "x.yaml:6: routes[0].anyone: whoever reaches 192.0.2.1 may call '*'; "
        "list the callers' addresses in sources instead"
    ]


def test_every_listener_counts(tmp_path: Path) -> None:
    listener = "sip: {listeners: [{transport: tcp, host: 192.0.2.1, port: 5070}]}\nmedia: {host: 192.0.2.1}\n"
    (said,) = advised(tmp_path, listener + BACKENDS + ROUTES)
    assert said.startswith("x.yaml:6: routes[0].anyone: whoever reaches 192.0.2.1 may call")


def test_a_trunk_that_no_listener_would_know(tmp_path: Path) -> None:
    trunks = "trunks: {teams: {names: [sip.example.com]}}\n"
    assert advised(tmp_path, trunks + BACKENDS + KNOWN) == [
        "x.yaml:1: trunks.teams.names: no listener asks those who connect for a certificate, which would prove these; "
        "give a tls listener clients: optional or required"
    ]
    pair = Authority(tmp_path).issue("ours", "sbc.example.com")
    files = f"certificate: {pair.certificate}, private_key: {pair.key}"
    listener = f"sip: {{listeners: [{{transport: tls, port: 5061, {files}, clients: optional}}]}}\n"
    assert advised(tmp_path, listener + trunks + BACKENDS + KNOWN) == []


def test_a_registrar_that_no_listener_reaches(tmp_path: Path) -> None:
    places = '["sip:a.example", "sip:a.example;transport=tcp", "sip:a.example;transport=tls", "sips:a.example"]'
    trunks = f"trunks: {{carrier: {{register: {{registrars: {places}, user: me}}}}}}\n"
    assert [one.partition(";")[0] for one in advised(tmp_path, trunks + BACKENDS + KNOWN)] == [
        f"x.yaml:1: trunks.carrier.register.registrars[{index}]: cannot be reached without a tls listener"
        for index in (2, 3)
    ]


def test_sound_that_reaches_nobody(tmp_path: Path) -> None:
    assert advised(tmp_path, "sip: {host: 192.0.2.1}\n" + BACKENDS + KNOWN) == [
        "x.yaml: media.host: 127.0.0.1 is reached from this machine only, so that other callers hear nothing; "
        "write 192.0.2.1, as SIP has it"
    ]


OPEN = "sip: {host: 192.0.2.1}\nmedia: {host: 192.0.2.1, srtp: %s}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (OPEN % "optional", []),
        (OPEN % "required", ["media.srtp: the keys travel unencrypted in calls that come over tcp or udp"]),
        ("media: {srtp: required}\n", []),
        (
            OPEN % "off" + "trunks: {carrier: {sources: [203.0.113.0/24], srtp: required}}\n",
            ["trunks.carrier.srtp: the keys travel unencrypted in calls that come over tcp or udp"],
        ),
        (
            OPEN % "off" + "phones: {desk: {password: x, srtp: optional, transports: [tls, tcp]}}\n",
            ["phones.desk.srtp: the keys travel unencrypted in calls that come over tcp"],
        ),
        (OPEN % "off" + "phones: {desk: {password: x, srtp: required, transports: [tls]}}\n", []),
        (OPEN % "required" + "trunks: {carrier: {sources: [203.0.113.0/24], srtp: off}}\n", ["media.srtp"]),
    ],
)
def test_keys_that_travel_in_the_clear(tmp_path: Path, text: str, told: list[str]) -> None:
    said = advised(tmp_path, text + BACKENDS + KNOWN)
    assert len(said) == len(told)
    assert all(expected in one for one, expected in zip(said, told, strict=True)), said


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        ("{host: 0.0.0.0, port: 9100}", True),
        ("{host: 203.0.114.1, port: 9100}", True),
        ("{host: 0.0.0.0}", False),
        ("{host: 10.1.2.3, port: 9100}", False),
        ("{port: 9100}", False),
    ],
)
def test_metrics_for_everybody(tmp_path: Path, metrics: str, told: bool) -> None:
    said = advised(tmp_path, f"metrics: {metrics}\n" + BACKENDS + ROUTES)
    assert [one.split(" sees ")[0].rpartition(" ")[0] for one in said] == (
        ["x.yaml:1: metrics.host: whoever reaches"] if told else []
    )


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ws://ai.example/", True),
        ("ws://198.51.101.7:9000/", True),
        ("wss://ai.example/", False),
        ("ws://agent:9000/", False),
        ("ws://localhost:9000/", False),
        ("ws://10.0.0.7/", False),
        ("ws://agent.internal/", False),
    ],
)
def test_words_that_travel_in_the_clear(tmp_path: Path, url: str, told: bool) -> None:
    backend = f"backends:\n  demo:\n    dialect: sipgw\n    url: {url}\n    headers: {{X-Token: '1'}}\n"
    said = advised(tmp_path, backend + ROUTES)
    assert [one.startswith("x.yaml:4: backends.demo.url: calls and headers travel to ") for one in said] == [
        True
    ] * told


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ('number: "*", anyone: true', 'number: "1", anyone: true', True),
        ('number: "+49*", anyone: true', 'number: "+4930*", sources: [192.0.2.1]', True),
        ('number: "*", sources: [192.0.2.1]', 'number: "1", sources: [192.0.2.1]', True),
        ('number: "*", sources: [192.0.2.1]', 'number: "1", anyone: true', False),
        ('number: "+4930*", anyone: true', 'number: "+49*", anyone: true', False),
        ('number: "1", anyone: true', 'number: "*", anyone: true', False),
        ('number: "1", anyone: true', 'number: "11", anyone: true', False),
        ("anyone: true, attestation: [A]", "anyone: true", False),
        ("anyone: true, attestation: [A, B]", "anyone: true, attestation: [A]", True),
        ("anyone: true", 'anyone: true, callers: ["1"]', True),
        ('anyone: true, callers: ["1"]', 'anyone: true, callers: ["2"]', False),
    ],
)
def test_a_route_that_gets_no_calls(tmp_path: Path, first: str, second: str, told: bool) -> None:
    routes = f"routes:\n  - {{targets: [demo], {first}}}\n  - {{targets: [demo], {second}}}\n"
    said = "x.yaml:5: routes[1]: gets no calls: routes[0] before it takes them all; put it first"
    assert advised(tmp_path, BACKENDS + routes) == [said] * told
