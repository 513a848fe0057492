"""Log lines."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from sipgw.ops.logs import LogTrace, both, configure, trace_to
from sipgw.trace import Mark, Note, silent

NOTE = Note(12.34567, "rtp", Mark.DROP, "too_short", "c-1", "7 bytes")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_is_one_object_a_line_with_time_and_level() -> None:
    stream = io.StringIO()
    configure("json", "info", stream=stream).info("answered", call="c-1", codec="PCMU")
    [line] = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "answered", "level": "info", "call": "c-1", "codec": "PCMU"}


def test_console_is_for_reading_and_without_colours_where_nobody_reads() -> None:
    stream = io.StringIO()
    configure("console", "info", stream=stream).info("answered", call="c-1")
    assert "answered" in stream.getvalue()
    assert "call=c-1" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_a_note_is_a_debug_line_with_its_sign_and_its_call() -> None:
    stream = io.StringIO()
    trace_to(configure("json", "debug", stream=stream))(NOTE)
    [line] = lines(stream)
    assert line["event"] == "x rtp too_short"
    assert (line["level"], line["at"], line["call"], line["detail"]) == ("debug", 12.3457, "c-1", "7 bytes")


def test_notes_cost_nothing_where_debug_is_off() -> None:
    assert trace_to(configure("json", "info", stream=io.StringIO())) is silent


def test_level_and_secrets_may_change_while_the_log_is_in_use() -> None:
    stream = io.StringIO()
    log = configure("json", "info", secrets=["first-secret"], stream=stream)
    trace = LogTrace(log)
    trace(NOTE)
    configure("json", "debug", secrets=["second-secret"], stream=stream)
    trace.follow()
    trace(NOTE)
    log.info("first-secret second-secret")
    configure("json", "warning", stream=stream)
    trace.follow()
    trace(NOTE)
    log.info("not wanted any longer")
    assert [line["event"] for line in lines(stream)] == ["x rtp too_short", "first-secret ***"]


def test_several_traces_all_hear_a_note() -> None:
    first: list[Note] = []
    second: list[Note] = []
    both(first.append, silent, second.append)(NOTE)
    assert first == second == [NOTE]
    assert both(silent) is silent
    assert both(silent, first.append) == first.append


@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_are_masked_wherever_they_appear(form: str) -> None:
    stream = io.StringIO()
    log = configure(form, "info", secrets=["sk-environment", "Bearer sk-environment"], stream=stream)
    log.info("connecting with sk-environment", headers={"X": "Bearer sk-environment"}, Authorization="Basic abc")
    try:
        raise ValueError("refused sk-environment")
    except ValueError as error:
        log.info("failed", error=error)
    assert "sk-environment" not in stream.getvalue()
    assert "Basic abc" not in stream.getvalue()
    assert stream.getvalue().count("***") == 4


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_secret_in_a_traceback_is_masked_too(form: str) -> None:
    stream = io.StringIO()
    log = configure(form, "info", secrets=["sk-environment"], stream=stream)
    try:
        raise ValueError("refused sk-environment")
    except ValueError:
        log.exception("failed")
    assert "ValueError: refused ***" in stream.getvalue()
    assert "sk-environment" not in stream.getvalue()


def test_libraries_write_their_warnings_into_the_same_log_and_nothing_below() -> None:
    stream = io.StringIO()
    configure("json", "debug", stream=stream)
    logging.getLogger("asyncio").error("Task exception was never retrieved")
    logging.getLogger("websockets").debug("> GET / with every header")
    logging.getLogger("websockets").info("server listening")
    [line] = lines(stream)
    assert (line["event"], line["library"]) == ("Task exception was never retrieved", "asyncio")


def test_a_value_that_is_no_json_is_written_as_text() -> None:
    stream = io.StringIO()
    configure("json", "info", stream=stream).info("odd", path={1, 2}, raw=b"\xff")
    assert lines(stream)[0]["raw"] == "b'\\xff'"
