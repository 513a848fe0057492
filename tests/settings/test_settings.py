"""The configuration, from file and environment to options and to words that help."""

import re
import typing
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from sipgw.options import BackendOptions, CallOptions, MediaOptions, RouteOptions, SipOptions
from sipgw.settings import Settings, SettingsError, embedded, load
from sipgw.settings.keys import keys_of
from sipgw_codecs.registry import codec
from tests.fakes.certificates import Authority

ROUTES = """\
backends:
  demo: {dialect: demo}
routes:
  - {number: "*", targets: [demo], anyone: true}
"""


@pytest.fixture
def write(tmp_path: Path) -> "Write":
    return Write(tmp_path / "x.yaml")


class Write:
    """Writes a configuration and loads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, text: str, environment: Mapping[str, str] | None = None) -> Settings:
        self.path.write_text(text)
        return load(self.path, environment or {})

    def refused(self, text: str, environment: Mapping[str, str] | None = None) -> list[str]:
        """What is said of it, without the folder."""
        with pytest.raises(SettingsError) as caught:
            self.load(text, environment)
        assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
        return [str(problem).replace(f"{self.path.parent}/", "") for problem in caught.value.problems]


def kinds(annotation: object) -> set[object]:
    """Every type that a key's type is made of."""
    return {annotation}.union(*map(kinds, typing.get_args(annotation)))


def sections(section: type[BaseModel]) -> list[type[BaseModel]]:
    """A section and every one inside it."""
    fields = section.model_fields.values()
    inner = {kind for field in fields for kind in kinds(field.annotation) if isinstance(kind, type)}
    found = [section]
    for kind in sorted((kind for kind in inner if issubclass(kind, BaseModel)), key=lambda kind: kind.__name__):
        found += sections(kind)
    return found


# --- the defaults -------------------------------------------------------------------------------------------------


def test_the_embedded_defaults_are_the_defaults_of_every_layer() -> None:
    settings = load(None, {})
    assert settings.sip_options() == SipOptions()
    there = tuple(name for name in MediaOptions().codecs if not codec(name).available())
    assert settings.media_options() == MediaOptions(codecs=there)
    assert settings.call_options() == CallOptions(
        routes=(
            RouteOptions("echo", ("echo",), anyone=True),
            RouteOptions("tone", ("tone",), anyone=True),
            RouteOptions("*", ("demo",), anyone=True),
        ),
        backends=(
            BackendOptions("echo", "echo", barge_in="off", live=True),
            BackendOptions("demo", "demo", barge_in="backend"),
            BackendOptions("tone", "tone", barge_in="off"),
        ),
    )
    assert (settings.log.format, settings.log.level) == ("console", "info")
    assert (settings.metrics.host, settings.metrics.port) == ("127.0.0.1", 0)
    assert settings.state == Path(".sipgw")
    assert settings.workers == "auto"


def test_every_key_there_is_stands_in_the_default_file_and_is_described() -> None:
    text = embedded("config/sipgw.yaml").read_text()
    for section in sections(Settings):
        for name, field in keys_of(section).items():
            written = rf"(^[ #-]*|[{{,] ?){name}(_file)?:"
            assert re.search(written, text, re.MULTILINE), f"{section.__name__}.{name} is not in the file"
            assert field.description, f"{section.__name__}.{name} has no docstring"


def test_what_is_called_a_secret_is_one_to_the_printer_and_the_log() -> None:
    for section in sections(Settings):
        for name, field in section.model_fields.items():
            if re.search(r"(^|_)(token|secret|password)$", name):
                assert SecretStr in kinds(field.annotation), f"{section.__name__}.{name} would be printed"


def test_the_commented_examples_of_backends_work(write: Write) -> None:
    text = embedded("config/sipgw.yaml").read_text()
    examples = re.sub(r"^  # ( *)(?=\w+:|  )", r"  \1", text, flags=re.MULTILINE)
    folder = write.path.parent
    (folder / "token").write_text("from-a-file-of-its-own\n")
    Authority(folder, "carrier").issue("sbc", "sbc.example.com")
    Authority(folder, "other-authority").issue("other", "other.example.com")
    examples = examples.replace("/run/secrets/token", "token")
    backends = {b.name: b for b in write.load(examples, {"OPENAI_API_KEY": "sk-1"}).call_options().backends}
    assert backends["mine"] == BackendOptions(
        "mine",
        "sipgw",
        "ws://127.0.0.1:9000/",
        headers={"X-Token": "from-a-file-of-its-own"},
        ca_file=str(write.path.parent / "authorities.pem"),
    )
    assert backends["assistant"].headers == {"Authorization": "Bearer sk-1"}
    assert backends["assistant"].settings["greeting"] is True


# --- what people get wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "backends:\n  demo:\n    dialekt: demo\nroutes: [{targets: [demo], anyone: true}]\n",
            ["x.yaml:2: backends.demo.dialect: is missing",
             "x.yaml:3: backends.demo.dialekt: unknown key; did you mean dialect?"],
        ),
        ("sipp: {}\n" + ROUTES, ["x.yaml:1: sipp: unknown key; did you mean sip?"]),
        ("log:\n  xyzzy: 1\n" + ROUTES, ["x.yaml:2: log.xyzzy: unknown key; there is format, level"]),
        (ROUTES + "    anybody: true\n", None),
        ("sip:\n  port: 99999\n" + ROUTES, ["x.yaml:2: sip.port: should be less than or equal to 65535"]),
        ("sip:\n\n  port: many\n" + ROUTES,
         ["x.yaml:3: sip.port: should be a valid integer, unable to parse string as an integer"]),
        ("log: {level: loud}\n" + ROUTES, ["x.yaml:1: log.level: should be 'debug', 'info', 'warning' or 'error'"]),
        ("workers: some\n" + ROUTES, ["x.yaml:1: workers: is none; give a number from 0 to 64, or auto"]),
        ("workers: 65\n" + ROUTES, ["x.yaml:1: workers: is none; give a number from 0 to 64, or auto"]),
        ("", ["x.yaml: backends: is missing", "x.yaml: routes: is missing"]),
        ("- a\n", ["x.yaml:1: is not a configuration; begin with a key such as `sip:`"]),
        ("sip: {port: 1\n", None),
        ("sip:\n  port: 5060\n  port: 5070\n" + ROUTES, ["x.yaml:2: sip.port: port is given twice; keep one"]),
        ("sip: {host: localhost}\n" + ROUTES,
         ["x.yaml:1: sip.host: 'localhost' is not an IP address; give one of this machine"]),
        ("media: {host: 0.0.0.0}\n" + ROUTES,
         ["x.yaml:1: media.host: 0.0.0.0 cannot be told to others; "
          "set media.advertised to the address they reach, or to auto"]),
        ("media: {ports: 3000}\n" + ROUTES, ["x.yaml:1: media.ports: should match pattern '^\\d{1,5}-\\d{1,5}$'"]),
        ("media: {ports: 3000-2000}\n" + ROUTES,
         ["x.yaml:1: media.ports: 3000-2000 is no range of ports; write the lower first, from 1024 to 65535"]),
        ("media: {ports: 3001-3002}\n" + ROUTES,
         ["x.yaml:1: media.ports: 3001-3002 has no even port with its next; a call takes two"]),
        ("media: {ports: 5000-6000}\n" + ROUTES,
         ["x.yaml:1: media.ports: 5000-6000 holds SIP's port 5060; move one of them"]),
        ("media: {allowed_destinations: [127.0.0.1, here]}\n" + ROUTES,
         ["x.yaml:1: media.allowed_destinations[1]: 'here' is neither an address nor a range; "
          "write 203.0.113.7 or 203.0.113.0/24"]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_key_and_what_to_do(write: Write, text: str, said: list[str] | None) -> None:
    problems = write.refused(text)
    assert problems == said if said is not None else problems


def route(fields: str) -> str:
    return f"backends:\n  demo: {{dialect: demo}}\nroutes:\n  - number: '*'\n    {fields}\n"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("targets: [dema]\n    anyone: true",
         "x.yaml:5: routes[0].targets[0]: there is no backend 'dema'; did you mean demo?"),
        ("targets: []\n    anyone: true",
         "x.yaml:5: routes[0].targets: is empty; name a backend"),
        ("targets: [demo]",
         "x.yaml:4: routes[0]: nobody may use this route; list the callers' addresses in sources, "
             "their trunks in trunks, phones in phones, or write anyone: true"),
        ("targets: [demo]\n    sources: [carrier]",
         "x.yaml:6: routes[0].sources[0]: 'carrier' is neither an address nor a range; "
         "write 203.0.113.7 or 203.0.113.0/24"),
        ("targets: [demo]\n    anyone: true\n    last_resort: 200",
         "x.yaml:7: routes[0].last_resort: '200' is no last resort; write apology, or a SIP code from 400 to 699"),
        ("targets: [demo]\n    anyone: true\n    silence_prompt: still_there",
         "x.yaml:7: routes[0].silence_prompt: there is no prompt 'still_there'; did you mean still-there?"),
        ("targets: [demo]\n    anyone: true\n    early_media: true\n    early_prompt: greting",
         "x.yaml:8: routes[0].early_prompt: there is no prompt 'greting'; did you mean greeting?"),
        ("targets: [demo]\n    anyone: true\n    early_prompt: greeting",
         "x.yaml:7: routes[0].early_prompt: would not be heard; write early_media: true as well"),
        ("targets: [demo]\n    anyone: true\n    early_media: true\n    early_seconds: 60",
         "x.yaml:8: routes[0].early_seconds: 60 s are not less than max_ringing, after which the call gets 480; "
         "let the AI speak for a shorter time, or raise max_ringing"),
        ("targets: [demo]\n    anyone: true\n    taget_timeout: 2",
         "x.yaml:7: routes[0].taget_timeout: unknown key; did you mean target_timeout?"),
    ],
)  # fmt: skip
def test_a_route_that_cannot_work_is_told(write: Write, fields: str, said: str) -> None:
    assert write.refused(route(fields)) == [said]


def test_a_pattern_has_its_star_at_the_end(write: Write) -> None:
    text = route("targets: [demo]\n    anyone: true").replace("'*'", "'+4*9'")
    assert write.refused(text) == ["x.yaml:4: routes[0].number: '+4*9' is no pattern; a `*` stands at the end or alone"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("dialect: demon",
         "x.yaml:3: backends.demo.dialect: there is no dialect 'demon'; did you mean demo?"),
        ("dialect: sipgw",
         "x.yaml:2: backends.demo.url: is missing; write ws://host:port/ or wss://host/"),
        ("dialect: sipgw\n    url: http://127.0.0.1/",
         "x.yaml:4: backends.demo.url: is not a WebSocket address; write ws://host:port/ or wss://host/"),
        ("dialect: echo\n    url: ws://127.0.0.1/",
         "x.yaml:4: backends.demo.url: dialect echo is built in; leave the url out"),
        ("dialect: echo\n    settings:\n      voice: x",
         "x.yaml:4: backends.demo.settings: Object contains unknown field `voice`"),
        ("dialect: tone\n    audio: pcmu/8000",
         "x.yaml:2: backends.demo: tone speaks pcm16, not pcmu/8000"),
    ],
)  # fmt: skip
def test_a_backend_that_cannot_work_is_told(write: Write, fields: str, said: str) -> None:
    text = f"backends:\n  demo:\n    {fields}\nroutes: [{{targets: [demo], anyone: true}}]\n"
    assert write.refused(text) == [said]


def test_the_settings_of_a_dialect_are_checked_by_the_dialect(write: Write) -> None:
    text = """\
backends:
  demo:
    dialect: openai-realtime
    settings:
      voise: marin
routes: [{targets: [demo], anyone: true}]
"""
    [said] = write.refused(text)
    assert said.startswith("x.yaml:4: backends.demo.settings: ")
    assert "voise" in said


def test_yaml_that_is_none_is_told_with_its_line(write: Write) -> None:
    [said] = write.refused("sip:\n  port: [1\nlog: {}\n")
    assert said.startswith("x.yaml:3: is not YAML: ")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.yaml: cannot be read: No such file or directory"):
        load(tmp_path / "gone.yaml", {})


def test_an_alias_that_holds_itself_is_told_and_does_not_hang(write: Write) -> None:
    assert any("nested too deeply" in said for said in write.refused("sip: &a\n  port: *a\n" + ROUTES))


# --- values as people mean them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["0711", "+15550100", "123", "1_000", "0x10", "12:30", "on", "2026-01-01"])
def test_a_number_without_quotes_stays_what_was_written(write: Write, number: str) -> None:
    text = route("targets: [demo]\n    anyone: true").replace("'*'", number)
    assert write.load(text).routes[0].number == number


def test_off_is_off_and_no_is_false(write: Write) -> None:
    text = "backends: {e: {dialect: echo, barge_in: off, live: no}}\nroutes: [{targets: [e], anyone: yes}]\n"
    options = write.load(text).call_options()
    assert options.backends[0].barge_in == "off"
    assert options.backends[0].live is False
    assert options.routes[0].anyone is True


# --- environment and secrets --------------------------------------------------------------------------------------


def test_the_environment_moves_ports_host_and_state(write: Write) -> None:
    settings = write.load(
        ROUTES,
        {
            "SIPGW_SIP_HOST": "127.0.0.2",
            "SIPGW_SIP_PORT": "5070",
            "SIPGW_MEDIA_PORTS": "30000-30999",
            "SIPGW_METRICS_PORT": "9100",
            "SIPGW_STATE": "/var/lib/sipgw",
        },
    )
    assert (settings.sip.host, settings.sip.port, settings.metrics.port) == ("127.0.0.2", 5070, 9100)
    assert settings.state == Path("/var/lib/sipgw")
    media = settings.media_options()
    assert (media.first_port, media.last_port) == (30_000, 30_999)


def test_a_bad_variable_is_named_instead_of_the_file(write: Write) -> None:
    said = ["SIPGW_SIP_PORT: sip.port: should be a valid integer, unable to parse string as an integer"]
    assert write.refused("sip: {port: 5060}\n" + ROUTES, {"SIPGW_SIP_PORT": "x"}) == said
    assert write.refused(ROUTES, {"SIPGW_SIP_PORT": "x"}) == said


def test_the_environment_names_the_file(write: Write) -> None:
    write.path.write_text("node: other\n" + ROUTES)
    assert load(None, {"SIPGW_CONFIG": str(write.path)}).node == "other"


SECRETS = """\
backends:
  mine:
    dialect: sipgw
    url: wss://user:open-sesame@ai.example/?api_key=in-the-url&lang=de
    headers:
      Authorization: Bearer ${KEY}
      X-Token_file: token
routes: [{targets: [mine], anyone: true}]
"""


def test_texts_come_from_the_environment_and_from_files(write: Write) -> None:
    folder = write.path.parent
    (folder / "token").write_text("from-a-file-of-its-own\n")
    Authority(folder, "carrier").issue("sbc", "sbc.example.com")
    Authority(folder, "other-authority").issue("other", "other.example.com")
    [backend] = write.load(SECRETS, {"KEY": "sk-environment"}).call_options().backends
    assert backend.headers == {"Authorization": "Bearer sk-environment", "X-Token": "from-a-file-of-its-own"}


def test_a_dollar_is_written_twice(write: Write) -> None:
    assert write.load('sip: {user_agent: "a$$b $c ${X}"}\n' + ROUTES, {"X": "$$x"}).sip.user_agent == "a$b $c $$x"


def test_a_variable_or_a_file_that_is_not_there_is_told(write: Write) -> None:
    first, second = write.refused(SECRETS)
    assert first.startswith("x.yaml:6: backends.mine.headers.Authorization: ${KEY} is not set; export KEY=")
    assert second.startswith("x.yaml:7: backends.mine.headers.X-Token_file: token cannot be read: No such file")


def test_secrets_are_never_printed(write: Write) -> None:
    folder = write.path.parent
    (folder / "token").write_text("from-a-file-of-its-own\n")
    Authority(folder, "carrier").issue("sbc", "sbc.example.com")
    Authority(folder, "other-authority").issue("other", "other.example.com")
    settings = write.load(SECRETS, {"KEY": "sk-environment"})
    printed = f"{settings.printable()} {settings.backends['mine'].headers!r} {settings.call_options()!r}"
    assert "lang=de" in str(settings.printable())
    for secret in ("sk-environment", "from-a-file-of-its-own"):
        assert secret not in printed
        assert secret not in repr(settings)
        assert secret in settings.secrets()
    for secret in ("open-sesame", "in-the-url"):
        assert secret not in str(settings.printable())
        assert secret in settings.secrets()


def test_the_wheel_carries_the_default_where_the_program_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "sipgw"
    (package / "_data" / "config").mkdir(parents=True)
    (package / "_data" / "config" / "sipgw.yaml").write_text("node: wheel\n")
    monkeypatch.setattr("sipgw.settings.packaged.files", lambda name: package)
    assert embedded("config/sipgw.yaml").read_text() == "node: wheel\n"


def test_srtp_by_trunk_and_phone(write: Write) -> None:
    text = (
        "media: {srtp: off}\nbackends: {demo: {dialect: demo}}\n"
        "routes: [{number: '*', targets: [demo], anyone: true}]\n"
        "trunks: {a: {sources: [192.0.2.1], srtp: required}, b: {sources: [192.0.2.2]}}\n"
        "phones: {desk: {password: x, srtp: optional}}\n"
    )
    options = write.load(text).call_options()
    assert [options.srtp_with(one) for one in ("a", "b", "phone:desk", "")] == ["required", "off", "optional", "off"]
