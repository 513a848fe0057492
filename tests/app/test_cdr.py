"""`sipgw cdr`: which database, which calls, and what is said of mistakes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from sipgw.app.cdr import form_of, main, wanted
from sipgw.errors import Unavailable, UsageError
from sipgw.records.reading import Filter
from sipgw.tools.cdr.export import Form


def config(tmp_path: Path, records: str = "{}") -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(
        f"state: {tmp_path / 'state'}\nrecords: {records}\n"
        "backends: {demo: {dialect: demo}}\nroutes: [{targets: [demo], anyone: true}]\n"
    )
    return path


def test_the_configurations_database_is_taken_or_the_one_that_is_named(tmp_path: Path) -> None:
    seen: list[URL] = []
    assert main(config(tmp_path), "", seen.append) == 0
    assert main(config(tmp_path, "{url: 'postgresql://me:pw@db.example/calls'}"), "", seen.append) == 0
    assert main(config(tmp_path), "sqlite:////elsewhere/records.db", seen.append) == 0
    assert [one.render_as_string() for one in seen] == [
        f"sqlite+aiosqlite:///{tmp_path}/state/records.db",
        "postgresql+asyncpg://me:***@db.example/calls",
        "sqlite+aiosqlite:////elsewhere/records.db",
    ]


def test_mistakes_are_told_and_a_wrong_question_differs_from_no_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unavailable(url: URL) -> None:
        raise Unavailable("it is gone")

    assert main(config(tmp_path), "", unavailable) == 1
    assert main(config(tmp_path), "mysql://me:secret@db.example/calls", unavailable) == 2
    assert main(tmp_path / "none.yaml", "", unavailable) == 2
    said = capsys.readouterr().err
    assert "it is gone" in said
    assert "--url mysql is no database we know" in said
    assert "secret" not in said


def test_what_is_asked_for_becomes_a_filter() -> None:
    asked = wanted("2h", "2026-11-25", "+49*", "normal", "1*", "carrier", "demo")
    assert asked.since is not None
    assert timedelta(hours=1.9) < datetime.now(UTC) - asked.since < timedelta(hours=2.1)
    rest = Filter(asked.since, datetime(2026, 11, 25, tzinfo=UTC), "+49*", "normal", "1*", "carrier", "demo")
    assert asked == rest
    assert wanted("", "", "", "", "", "", "") == Filter()
    with pytest.raises(UsageError, match="'soon' is no moment"):
        wanted("soon", "", "", "", "", "", "")


def test_forms_have_names() -> None:
    assert [form_of(name) for name in ("csv", "legs", "jsonl")] == list(Form)
    with pytest.raises(UsageError, match="--format xml: there is csv, legs, jsonl"):
        form_of("xml")
