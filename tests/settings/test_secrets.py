"""What is secret is known by its type, in any section that comes to be."""

import pytest
from pydantic import Field, SecretStr

from sipgw.settings.secrets import hide, secrets_in
from sipgw.settings.section import Section


class Inner(Section):
    """A section inside another."""

    token: SecretStr
    spare: SecretStr | None = None


class Outer(Section):
    """Secrets in every place a section may have them."""

    plain: str = "nothing to hide"
    url: str = ""
    database: SecretStr = SecretStr("")
    tokens: tuple[SecretStr, ...] = ()
    inners: list[Inner] = Field(default_factory=list)
    by_name: dict[str, Inner] = Field(default_factory=dict)
    anything: dict[str, object] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("given", "secrets"),
    [
        ({}, set()),
        ({"tokens": ["first-token", "second-token"]}, {"first-token", "second-token"}),
        ({"inners": [{"token": "in-a-list", "spare": "spare-one"}]}, {"in-a-list", "spare-one"}),
        ({"by_name": {"desk": {"token": "by-name"}}}, {"by-name"}),
        ({"url": "https://user:open-sesame@hook.example/?lang=de&api_key=in-the-url"}, {"open-sesame", "in-the-url"}),
        ({"url": "postgresql://sipgw:p%40ssword@db/calls"}, {"p%40ssword", "p@ssword"}),
        ({"database": "postgresql://u:whole-and-part@db/x"}, {"postgresql://u:whole-and-part@db/x", "whole-and-part"}),
        ({"tokens": ["Bearer sk-123456"]}, {"Bearer sk-123456", "Bearer", "sk-123456"}),
        ({"anything": {"voice": "marin", "deep": [{"api_key": "told-by-its-name"}]}}, {"told-by-its-name"}),
        ({"url": "http://[broken"}, set()),
    ],
)
def test_secrets_are_found_wherever_they_stand(given: dict[str, object], secrets: set[str]) -> None:
    assert set(secrets_in(Outer.model_validate(given))) == secrets


def test_a_section_is_printed_without_them() -> None:
    section = Outer.model_validate(
        {
            "url": "postgresql://sipgw:open-sesame@db/calls",
            "database": "sqlite://",
            "by_name": {"desk": {"token": "by-name"}},
            "anything": {"api_key": "told-by-its-name", "voice": "marin", "list": ["told-by-its-name or so"]},
        }
    )
    printed = hide(section.model_dump(mode="json"), set(secrets_in(section)))
    assert isinstance(printed, dict)
    assert printed["url"] == "postgresql://sipgw:***@db/calls"
    assert printed["plain"] == "nothing to hide"
    assert printed["anything"] == {"api_key": "***", "voice": "marin", "list": ["*** or so"]}
    for secret in ("open-sesame", "sqlite", "by-name", "told-by-its-name"):
        assert secret not in str(printed)
        assert secret not in repr(section.by_name)
