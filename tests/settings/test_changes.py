"""Which keys differ between two configurations."""

from typing import Any

import pytest

from sipgw.settings import Settings
from sipgw.settings.changes import changes
from sipgw.settings.problems import dotted

BEFORE: dict[str, Any] = {
    "sip": {"port": 5060},
    "backends": {"a": {"dialect": "sipgw", "url": "ws://a/", "headers": {"X": "1"}}, "b": {"dialect": "echo"}},
    "routes": [{"number": "1", "targets": ["a", "b"], "anyone": True}, {"targets": ["b"], "anyone": True}],
}


@pytest.mark.parametrize(
    ("after", "keys"),
    [
        ({}, []),
        ({"sip": {"port": 5070, "t1": 0.1}}, ["sip.port", "sip.t1"]),
        ({"log": {"level": "debug"}, "node": "n2"}, ["node", "log.level"]),
        ({"backends": {"a": {"dialect": "sipgw", "url": "ws://a/", "headers": {"X": "2"}}, "c": {"dialect": "echo"}}},
         ["backends.a.headers.X", "backends.b", "backends.c"]),
        ({"routes": [{"number": "1", "targets": ["b", "a"], "anyone": True}, {"targets": ["b"], "sources": ["::1"]}]},
         ["routes[0].targets[0]", "routes[0].targets[1]", "routes[1].anyone", "routes[1].sources"]),
        ({"routes": BEFORE["routes"][1:]}, ["routes"]),
    ],
)  # fmt: skip
def test_the_innermost_keys_that_differ(after: dict[str, Any], keys: list[str]) -> None:
    old, new = Settings.model_validate(BEFORE), Settings.model_validate(BEFORE | after)
    assert list(map(dotted, changes(old, new))) == keys


def test_keys_are_called_as_files_write_them() -> None:
    trunk = {"sources": ["192.0.2.1"], "register": {"registrars": ["sip:a.example"], "user": "1"}}
    before = Settings.model_validate(BEFORE | {"trunks": {"t": trunk}})
    trunk["register"] = {"registrars": ["sip:b.example"], "user": "1"}
    after = Settings.model_validate(BEFORE | {"trunks": {"t": trunk}})
    assert list(map(dotted, changes(before, after))) == ["trunks.t.register.registrars[0]"]


def test_a_section_in_the_place_of_another_kind_is_a_change_of_the_whole() -> None:
    assert list(changes({"x": 1}, {"x": {"y": 1}})) == [("x",)]
