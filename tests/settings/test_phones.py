"""Phones as people configure them."""

import re
from pathlib import Path

import pytest

from sipgw.options import PhoneOptions
from sipgw.settings import Settings, SettingsError, embedded, load
from sipgw.sip.digest import secret_of

REST = "backends: {e: {dialect: echo}}\nroutes: [{targets: [e], phones: ['*']}, {targets: [e], phones: [desk]}]\n"
HA1 = secret_of("SHA-256", "200", "sipgw", "correct horse")


def loaded(folder: Path, phones: str, rest: str = REST) -> Settings:
    (folder / "x.yaml").write_text(f"phones:\n{phones}\n{rest}")
    return load(folder / "x.yaml", {})


def refused(folder: Path, phones: str, rest: str = REST) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        loaded(folder, phones, rest)
    return [str(problem).partition("x.yaml:")[2] for problem in caught.value.problems]


def test_a_phone_needs_a_password_and_no_more(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "  desk: {password: correct horse}\n  lobby: {user: 300, password: battery}")
    assert settings.sip_options().phones == (
        PhoneOptions("desk", "desk", "correct horse"),
        PhoneOptions("lobby", "300", "battery"),
    )
    every, one = settings.call_options().routes
    assert (every.trunks, one.trunks) == (("phone:desk", "phone:lobby"), ("phone:desk",))


def test_neither_password_nor_hash_is_printed(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path, f"  desk: {{password: correct horse}}\n  lobby: {{ha1: {{SHA-256: {HA1}, MD5: {HA1[:32]}}}}}"
    )
    assert settings.sip_options().phones[1].hashes == (("SHA-256", HA1), ("MD5", HA1[:32]))
    for text in (repr(settings), repr(settings.sip_options()), str(settings.printable())):
        assert "correct horse" not in text
        assert HA1[:32] not in text
    assert {"correct horse", HA1, HA1[:32]} <= settings.secrets()


def test_the_commented_example_is_one(tmp_path: Path) -> None:
    [block] = re.findall(r"^# phones:\n(?:# .*\n)+", embedded("config/sipgw.yaml").read_text(), re.MULTILINE)
    (tmp_path / "desk").write_text("correct horse\n")
    lines = re.sub(r"^# ", "", block, flags=re.MULTILINE).replace("/run/secrets/desk", "desk").split("\n", 1)[1]
    [options] = loaded(tmp_path, lines).sip_options().phones
    assert options == PhoneOptions(
        "desk", "200", "correct horse", (), "Front desk", 5, ("192.0.2.0/24",), ("tls", "wss")
    )


@pytest.mark.parametrize(
    ("phones", "said"),
    [
        ("  desk: {}", "2: phones.desk: needs either password or ha1; give it a password_file, say"),
        ("  desk: {password: x, sources: [here]}",
         "2: phones.desk.sources[0]: 'here' is neither an address nor a range; write 203.0.113.7 or 203.0.113.0/24"),
        ("  desk: {password: x, user: a@b}",
         "2: phones.desk.user: 'a@b' cannot stand in an address; write an extension, as 200"),
        ("  desk: {user: 1, password: x}\n  other: {user: 1, password: y}",
         "3: phones.other: '1' is somebody else's user as well; give each a name of its own"),
        ("  desk: {ha1: {MD5: abc, SHA-256: " + HA1 + "}}",
         "2: phones.desk.ha1.MD5: is no hash of MD5: that has 32 hex digits; hash user:realm:password"),
        ("  desk: {ha1: {SHA-256: " + HA1 + "}}",
         "2: phones.desk.ha1: has none for MD5, which we ask for; "
         "add them, or leave those algorithms out of sip.algorithms"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_told(tmp_path: Path, phones: str, said: str) -> None:
    assert refused(tmp_path, phones) == [said]


def test_names_and_limits_that_do_not_fit(tmp_path: Path) -> None:
    rest = "sip: {min_register_expires: 120, max_register_expires: 60}\n" + REST.replace("[desk]", "[dusk]")
    trunks = "trunks: {'phone:x': {sources: [192.0.2.1]}}\n"
    assert sorted(refused(tmp_path, "  desk: {password: x}", trunks + rest)) == [
        "3: trunks.phone:x: a trunk's name cannot begin with phone:; that is what phones are called by",
        "4: sip.min_register_expires: 120 is more than max_register_expires; write 60 or less",
        "6: routes[1].phones[0]: there is no phone 'dusk'; did you mean desk?",
    ]
