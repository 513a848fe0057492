"""`sipgw check`: what it says of a configuration, and what it prints."""

import json
import os
import resource
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from sipgw.app.check import main, print_schema


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sipgw.yaml"
    path.write_text(
        "sip: {port: 5090}\n"
        'media: {ports: "20801-20820"}\n'
        "backends: {tone: {dialect: tone}}\n"
        "routes: [{targets: [tone], anyone: true}]\n"
        "workers: 0\n"
    )
    return path


def test_check_says_how_many_calls_there_is_room_for(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(config) == 0
    assert capsys.readouterr().out == (
        "The configuration is good: 1 backends, 1 routes, room for 9 calls in the main process, "
        "SIP on udp:127.0.0.1:5090, tcp:127.0.0.1:5090.\n"
    )


@pytest.mark.parametrize(
    ("workers", "said"), [("1", "in one media worker"), ("3", "in 3 media workers"), ("auto", "in 7 media workers")]
)
def test_check_says_how_many_workers_there_are(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, workers: str, said: str
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    config.write_text(config.read_text().replace("workers: 0", f"workers: {workers}"))
    assert main(config) == 0
    assert f"room for 9 calls {said}, SIP" in capsys.readouterr().out


def test_check_says_where_the_system_bounds_that(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1042))
    assert main(config) == 0
    said = capsys.readouterr().out
    assert "1042 files, which is enough for 3 calls" in said
    assert "to 1078" in said


def test_check_prints_the_configuration_without_its_secrets(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(
        config.read_text().replace(
            "{dialect: tone}", "{dialect: sipgw, url: 'ws://127.0.0.1:9/', headers: {Authorization: Bearer hush}}"
        )
    )
    assert main(config, show=True) == 0
    said = capsys.readouterr().out
    assert "dialect: sipgw" in said
    assert "hush" not in said


def test_what_is_printed_is_a_configuration_again_however_long_its_lines(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "a very long name of a user agent " * 8
    config.write_text(config.read_text().replace("port: 5090", f"port: 5090, user_agent: '{words}'"))
    assert main(config, show=True) == 0
    config.write_text(capsys.readouterr().out)
    assert yaml.safe_load(config.read_text())["sip"]["user_agent"] == words
    assert main(config) == 0


def test_what_is_printed_has_its_keys_as_files_write_them(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register = "register: {registrars: ['sip:a.example'], user: '1'}"
    credentials = "credentials: [{username: u, password: hush-hush}]"
    config.write_text(config.read_text() + f"trunks: {{t: {{{register}, {credentials}}}}}\n")
    assert main(config, show=True) == 0
    said = capsys.readouterr().out
    assert "hush" not in said
    config.write_text(said)
    assert main(config) == 0


def test_a_mistake_is_told_and_is_exit_code_2(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text().replace("anyone", "anybody"))
    assert main(config) == 2
    assert capsys.readouterr().err == f"{config}:4: routes[0].anybody: unknown key; did you mean anyone?\n"


def test_what_should_be_thought_about_is_told_and_is_no_mistake(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text().replace("port: 5090", "port: 5090, host: 192.0.2.1"))
    assert main(config) == 0
    assert f"Think about {config}:4: routes[0].anyone: whoever reaches 192.0.2.1 may call" in capsys.readouterr().out


def test_the_schema_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_schema() == 0
    Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))
