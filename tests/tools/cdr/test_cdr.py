"""`sipgw cdr`: what is printed and written."""

import asyncio
import csv
import io
import json
import re
from pathlib import Path

import pytest
from sqlalchemy import URL

from sipgw.call.cdr import Replacement
from sipgw.errors import Unavailable
from sipgw.records.engine import file_url
from sipgw.records.migrate import newest
from sipgw.records.reading import Filter
from sipgw.records.store import Store
from sipgw.tools.cdr.command import export, list_calls, migrate, show
from sipgw.tools.cdr.export import Form
from tests.records.reading import filled
from tests.records.records import NOON, record, refused


@pytest.fixture
def url(tmp_path: Path) -> URL:
    """A database with calls in it."""
    return asyncio.run(filled(file_url(tmp_path / "records.db")))


def test_a_table_of_calls_the_newest_first(url: URL, capsys: pytest.CaptureFixture[str]) -> None:
    list_calls(url, Filter(), 3, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "began", "(UTC)", "call", "from", "to", "backend", "talked", "cause", "MOS", "turn", "ms", "ended", "by",
    ]  # fmt: skip
    assert [line.split()[2] for line in lines[1:]] == ["n1-4", "n1-3", "n1-2"]
    assert lines[2].split() == [
        "2023-11-15", "12:00:20", "n1-3", "+33155", "200", "second", "20.0", "s", "normal", "4.0", "500", "caller",
    ]  # fmt: skip
    assert lines[3].split()[5:] == ["-", "-", "not_found", "-", "-", "gateway"]


def test_no_calls_are_no_table(url: URL, capsys: pytest.CaptureFixture[str]) -> None:
    list_calls(url, Filter(cause="loop"), 3, as_json=False)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "no calls\n")


def test_json_of_calls_is_a_line_each(url: URL, capsys: pytest.CaptureFixture[str]) -> None:
    list_calls(url, Filter(), 50, as_json=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["call"] for line in lines] == ["n1-4", "n1-3", "n1-2", "n1-1"]
    assert lines[3]["answered"] == "2023-11-15T12:00:00.800000Z"


def test_the_whole_story_of_a_call(url: URL, capsys: pytest.CaptureFixture[str]) -> None:
    show(url, "n1-1", as_json=False)
    assert capsys.readouterr().out == (
        "+4930123 → 100\n"
        "call      n1-1   SIP Call-ID n1-1@phone\n"
        "way       from 192.0.2.7, route 1*, node n1\n"
        "name      Ann\n"
        "attested  B, by p-asserted-identity\n"
        "privacy   none, critical\n"
        "diverted  by +4930111: no-answer\n"
        "header    X-Account: 17\n"
        "began     2023-11-15 12:00:00\n"
        "ringing   2023-11-15 12:00:00  (+0.1 s)\n"
        "answered  2023-11-15 12:00:00  (+0.8 s)\n"
        "ended     2023-11-15 12:00:20  after 20.0 s by the caller\n"
        "cause     normal, SIP 200, Q.850 16\n"
        "sound     codec PCMU, first audio after 310 ms, MOS 4.0, 3 keys\n"
        "\n"
        "leg 0     caller +4930123: 990 packets in, 10 lost, jitter 1.5 ms, MOS 4.2; 1000 out, 30 lost, MOS 4.0; "
        "round trip 42.0 ms; dropped 2 stranger\n"
        "leg 1     first (sipgw): tried 2023-11-15 12:00:00, failed after 0.1 s: refused\n"
        "leg 2     second (openai-realtime): tried 2023-11-15 12:00:00, connected in 120 ms, ready after 0.5 s, "
        "heard 19.5 s, said 8.0 s\n"
        "\n"
        "turns     400, 900, 500, 700 ms; half within 500, 95 % within 900\n"
        "\n"
        f"recording /var/lib/sipgw/n1-1.wav, 20.0 s, sha256 {'ab' * 32}\n"
        "\n"
        "     1.2  agent   Harbour office, good morning.\n"
        "     4.2  caller  Moin!\n"
    )


def test_the_story_of_a_refused_call_is_short(url: URL, capsys: pytest.CaptureFixture[str]) -> None:
    show(url, "n1-2", as_json=False)
    printed = capsys.readouterr().out
    assert "cause     not_found, SIP 404, Q.850 1\n" in printed
    assert printed.endswith("\nleg 0     caller +4930123\n")


def test_the_story_says_who_took_the_callers_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def write() -> URL:
        store = Store(file_url(tmp_path / "records.db"))
        await store.migrate()
        await store.write([record(replacements=(Replacement(NOON + 5, "desk", "192.0.2.8", "b@desk"),))])
        await store.close()
        return file_url(tmp_path / "records.db")

    show(asyncio.run(write()), "n1-1", as_json=False)
    told = "\nleg 3     desk took the caller's place 2023-11-15 12:00:05, SIP Call-ID b@desk\n"
    assert told in capsys.readouterr().out


def test_the_story_says_why_the_far_end_hung_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def write() -> URL:
        store = Store(file_url(tmp_path / "records.db"))
        await store.migrate()
        told = record("n1-2", far_status=200, far_text="elsewhere\x1b[31m")
        await store.write([record(far_q850=27, far_text="out of order"), told])
        await store.close()
        return file_url(tmp_path / "records.db")

    url = asyncio.run(write())
    show(url, "n1-1", as_json=False)
    assert "\nfar end   Q.850 27 (out of order)\n" in capsys.readouterr().out
    show(url, "n1-2", as_json=False)
    assert "\nfar end   SIP 200 (elsewhere\ufffd[31m)\n" in capsys.readouterr().out


def test_what_looks_like_markup_or_like_orders_to_a_terminal_is_printed_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def write() -> URL:
        store = Store(file_url(tmp_path / "records.db"))
        await store.migrate()
        await store.write([record(caller="[red]Ann[/]", caller_name="[/x]\x1b[31m\n")])
        await store.close()
        return file_url(tmp_path / "records.db")

    url = asyncio.run(write())
    show(url, "n1-1", as_json=False)
    printed = capsys.readouterr().out
    assert "[red]Ann[/]" in printed
    assert "[/x]\ufffd[31m\ufffd" in printed
    assert "\x1b" not in printed
    list_calls(url, Filter(), 9, as_json=False)
    assert "[red]Ann[/]" in capsys.readouterr().out


def test_json_of_a_call_has_everything_below_it(url: URL, capsys: pytest.CaptureFixture[str]) -> None:
    show(url, "n1-1", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["legs"][2]["name"] == "second"
    assert told["transcript"][1] == {"at": "2023-11-15T12:00:05Z", "who": "caller", "text": "Moin!"}
    assert told["recordings"][0]["paused"] == [[3.0, 7.5]]


def test_a_call_that_is_not_there_is_told(url: URL) -> None:
    with pytest.raises(Unavailable, match="no record of a call 'n1-99'"):
        show(url, "n1-99", as_json=False)


def test_csv_has_a_row_a_call_in_the_order_they_began(url: URL, tmp_path: Path) -> None:
    export(url, Filter(), Form.CSV, tmp_path / "calls.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "calls.csv").read_text())))
    assert [row["call"] for row in rows] == ["n1-1", "n1-2", "n1-3", "n1-4"]
    assert (rows[0]["caller"], rows[0]["answered"], rows[0]["turns_ms"]) == (
        "+4930123", "2023-11-15T12:00:00.800Z", "[400,900,500,700]",
    )  # fmt: skip
    assert rows[1]["answered"] == ""


def test_csv_of_legs_has_a_row_a_leg(url: URL, tmp_path: Path) -> None:
    export(url, Filter(), Form.LEGS, tmp_path / "legs.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "legs.csv").read_text())))
    assert [(row["call"], row["name"]) for row in rows[:4]] == [
        ("n1-1", "+4930123"), ("n1-1", "first"), ("n1-1", "second"), ("n1-2", "+4930123"),
    ]  # fmt: skip
    assert json.loads(rows[0]["drops"]) == {"stranger": 2}


def test_json_lines_are_whole_calls(url: URL, capsys: pytest.CaptureFixture[str]) -> None:
    export(url, Filter(backend="first"), Form.JSONL, None)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["call"], len(one["legs"]), len(one["transcript"])) for one in told] == [("n1-1", 3, 2), ("n1-3", 3, 2)]


def test_a_name_is_no_formula_for_a_spreadsheet(tmp_path: Path) -> None:
    async def write() -> URL:
        store = Store(file_url(tmp_path / "records.db"))
        await store.migrate()
        await store.write([refused(caller_name='=HYPERLINK("http://x.example")', caller="+491", called="-")])
        await store.close()
        return file_url(tmp_path / "records.db")

    export(asyncio.run(write()), Filter(), Form.CSV, tmp_path / "calls.csv")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "calls.csv").read_text()))
    assert (row["caller_name"], row["caller"], row["called"]) == ('\'=HYPERLINK("http://x.example")', "+491", "'-")


def test_migrating_says_from_which_version_to_which(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = file_url(tmp_path / "records.db")
    migrate(url)
    migrate(url)
    assert capsys.readouterr().out == (
        f"the tables are of version {newest()} now, from nothing\nthe tables are of version {newest()} already\n"
    )
    with pytest.raises(Unavailable, match=re.escape("cannot be migrated: FileNotFoundError")):
        migrate(file_url(tmp_path / "none" / "records.db"))
