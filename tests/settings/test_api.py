"""The `api` section: who may use it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from sipgw.options import ApiOptions, TokenOptions
from sipgw.settings import embedded, examine, load
from sipgw.settings.api import Api, Token

REST = 'backends:\n  demo: {dialect: demo}\nroutes:\n  - {number: "*", targets: [demo], anyone: true}\n'
TOKEN = "0123456789abcdef"


def test_a_file_that_does_not_ask_for_it_has_none() -> None:
    assert Api().options() == ApiOptions()


def test_the_built_in_defaults_serve_it_to_this_machine() -> None:
    options = load(embedded("config/sipgw.yaml"), {}).api.options()
    assert options == ApiOptions(port=8060)


def test_a_token_comes_from_a_file_and_is_a_secret(tmp_path: Path) -> None:
    (tmp_path / "desk.token").write_text(f"{TOKEN}\n")
    path = tmp_path / "x.yaml"
    path.write_text("api:\n  tokens:\n    - {name: desk, role: operate, token_file: desk.token}\n" + REST)
    settings = load(path, {})
    assert settings.api.options().tokens == (TokenOptions("desk", "operate", TOKEN),)
    assert TOKEN in settings.secrets()
    assert TOKEN not in str(settings.printable())


def test_the_port_may_come_from_the_environment() -> None:
    assert load(None, {"SIPGW_API_PORT": "0"}).api.port == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tokens": [{"name": "a", "role": "read", "token": "short"}]}, "shorter than 16 characters"),
        ({"tokens": [{"name": "a b", "role": "read", "token": TOKEN}]}, "name"),
        ({"tokens": [{"name": "a", "role": "root", "token": TOKEN}]}, "role"),
        ({"tokens": [{"name": "a", "role": "read", "token": TOKEN}] * 2}, "the same name"),
        ({"host": "localhost"}, "not an IP address"),
        ({"port": 70_000}, "port"),
    ],
)
def test_what_makes_no_sense(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Api.model_validate(given)


def test_every_key_is_described() -> None:
    text = embedded("config/sipgw.yaml").read_text()
    for section in (Api, Token):
        for name, field in section.model_fields.items():
            assert field.description, name
            assert f"{name}:" in text or f"{name}_file:" in text, name


@pytest.mark.parametrize(("api", "told"), [("{host: 0.0.0.0, port: 8060}", True), ("{port: 8060}", False)])
def test_tokens_that_travel_in_the_open(tmp_path: Path, api: str, told: bool) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"api: {api}\n" + REST)
    said = [str(warning) for warning in examine(path, {}).warnings]
    assert [one for one in said if "api.host" in one] == (said if told else [])
    assert bool(said) is told
