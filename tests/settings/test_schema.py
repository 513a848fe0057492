"""The JSON Schema says of a file what the gateway says of it, as far as a schema can."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from sipgw.settings import Settings, embedded, load
from sipgw.settings.schema import schema

ROUTES = "routes: [{targets: [demo], anyone: true}]\n"
DEMO = "backends: {demo: {dialect: demo}}\n"


def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


def as_an_editor_reads(text: str) -> Any:
    """YAML 1.2, as editors take it: `yes` and `off` are texts."""
    return yaml.load(re.sub(r"\b(yes|no|on|off)\b", r'"\1"', text), yaml.SafeLoader)


@pytest.mark.parametrize("uncommented", [False, True])
def test_the_default_file_is_valid_with_and_without_its_examples(uncommented: bool) -> None:
    text = embedded("config/sipgw.yaml").read_text()
    if uncommented:
        text = re.sub(r"^  # ( *)(?=\w+:|  )", r"  \1", text, flags=re.MULTILINE)
    validator().validate(as_an_editor_reads(text))


@pytest.mark.parametrize(
    "text",
    [
        "sip: {port: '${PORT}', host_file: host}\n" + DEMO + ROUTES,
        "sip: {port: '5070'}\nlog: {level: '${LEVEL}'}\n" + DEMO + ROUTES,
        "media: {port_rest: '${PORT}', codecs: ['${CODEC}', PCMU], ports_file: ports}\n" + DEMO + ROUTES,
        "backends: {demo: {dialect_file: dialect, headers: {Authorization_file: token, X-Number: 5}}}\n" + ROUTES,
        "backends: {demo: {dialect: echo, barge_in: off, live: no}}\n" + ROUTES,
        DEMO + "routes: [{number: 4930, targets: [demo], anyone: yes, last_resort: 503, max_duration: 60}]\n",
        DEMO + "routes: [{number_file: number, targets: [demo], anyone: '${ANYONE}'}]\n",
    ],
)
def test_what_the_gateway_takes_an_editor_takes(text: str, tmp_path: Path) -> None:
    files = {"host": "127.0.0.2", "ports": "3000-3999", "dialect": "echo", "token": "Bearer x", "number": "*"}
    for name, content in {**files, "x.yaml": text}.items():
        (tmp_path / name).write_text(content)
    load(tmp_path / "x.yaml", {"PORT": "5070", "LEVEL": "debug", "CODEC": "PCMA", "ANYONE": "true"})
    assert list(validator().iter_errors(as_an_editor_reads(text))) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sip: {prot: 5060}\n" + DEMO + ROUTES, "sip"),
        ("sip: {port: 99999}\n" + DEMO + ROUTES, "sip.port"),
        ("sip: {port: many}\n" + DEMO + ROUTES, "sip.port"),
        ("log: {level: loud}\n" + DEMO + ROUTES, "log.level"),
        ("log: {level: 5}\n" + DEMO + ROUTES, "log.level"),
        ("sip_file: x\n" + DEMO + ROUTES, ""),
        ("media: {codecs: [G729]}\n" + DEMO + ROUTES, "media.codecs.0"),
        ("backends: {demo: {url: x}}\n" + ROUTES, "backends.demo"),
        (DEMO, ""),
        (DEMO + "routes: [{targets: [demo], anybody: true}]\n", "routes.0"),
    ],
)
def test_what_the_gateway_refuses_is_marked_at_its_place(text: str, path: str, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(Exception, match=r"x\.yaml"):
        load(file, {})
    (error,) = validator().iter_errors(as_an_editor_reads(text))
    assert ".".join(map(str, error.absolute_path)) == path


def test_every_key_has_its_docstring_for_the_editor_to_show() -> None:
    made = schema()
    for section in (made, *made["$defs"].values()):
        for name, key in section.get("properties", {}).items():
            described = made["$defs"][key["$ref"].rpartition("/")[2]] if "$ref" in key else key
            assert described.get("description"), f"{section['title']}.{name}"
    port = made["$defs"]["Sip"]["properties"]["port"]
    assert port["description"] == str(Settings.model_fields["sip"].annotation.model_fields["port"].description)  # type: ignore[union-attr]
