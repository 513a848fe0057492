"""Pins who may import whom (sipgw/README.md, "Who may import whom"), by reading the syntax trees."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STDLIB = sys.stdlib_module_names | {"sipgw"}

FIRST_ROW = {"errors", "trace", "options", "flow"}
WIRE = {"sip", "sdp", "rtp", "audio", "sipgw_codecs"}
PURE = FIRST_ROW | WIRE | {"media", "ai", "call"}

IO_MODULES = {"asyncio", "socket", "select", "selectors", "time", "threading", "subprocess", "multiprocessing", "ssl"}
IO_LIBRARIES = {"uvloop", "picows", "websockets", "httpx", "structlog", "prometheus_client", "typer", "rich"}

MAY_IMPORT: dict[str, set[str]] = {
    **{layer: set() for layer in FIRST_ROW},
    **dict.fromkeys(WIRE, FIRST_ROW),
    "media": FIRST_ROW | WIRE,
    "ai": FIRST_ROW | {"audio"},
    "call": FIRST_ROW | {"sip", "sdp"},
    "io": FIRST_ROW,
    "worker": FIRST_ROW | WIRE | {"io", "media", "ai"},
    "ops": FIRST_ROW | {"call", "io", "records"},
    "records": FIRST_ROW | {"call"},
    "tools": FIRST_ROW | WIRE | {"media", "ai", "call", "io", "worker", "ops", "records"},
    "client": set(),
}
"""Layer to the layers it may import. `app`, `cli` and `settings` may import everything."""

MAY_IMPORT_MODULES: dict[str, set[str]] = {
    "media": {"sipgw.ai.events"},
    "call": {"sipgw.ai.carried", "sipgw.ai.events", "sipgw.media.plane"},
    "records": {"sipgw.media.plane"},
}
"""Single modules of layers that are otherwise closed."""

TOP = {"app", "cli", "settings", "__main__"}
LIBRARIES: dict[str, set[str]] = {
    **{layer: set() for layer in FIRST_ROW},
    "sip": set(),
    "sdp": set(),
    "rtp": {"numpy", "pylibsrtp"},
    "audio": {"numpy", "soxr", "webrtcvad"},
    "sipgw_codecs": {"numpy", "G722"},
    "media": {"numpy", "msgspec"},
    "ai": {"numpy", "msgspec", "pybase64"},
    "call": set(),
}
"""Third-party packages a pure layer may import."""


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of ours: its layer and its file."""
    for path in sorted((ROOT / "sipgw").rglob("*.py")):
        relative = path.relative_to(ROOT / "sipgw")
        layer = relative.parts[0] if len(relative.parts) > 1 else relative.stem
        if layer != "__init__":
            yield layer, path
    for path in sorted((ROOT / "codecs" / "sipgw_codecs").rglob("*.py")):
        yield "sipgw_codecs", path


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import in a file."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: import by full name"
            yield from ((node.lineno, imported(node.module or "", alias.name)) for alias in node.names)


def imported(module: str, name: str) -> str:
    """What `from module import name` loads: the submodule of that name, where there is one."""
    whole = f"{module}.{name}"
    path = ROOT.joinpath(*whole.split("."))
    return whole if path.is_dir() or path.with_suffix(".py").is_file() else module


CASES = [pytest.param(layer, path, id=str(path.relative_to(ROOT))) for layer, path in modules()]


@pytest.mark.parametrize(("layer", "path"), CASES)
def test_a_module_imports_only_what_its_layer_may(layer: str, path: Path) -> None:
    for line, name in imports(path):
        where = f"{path.relative_to(ROOT)}:{line} imports {name}"
        top, _, rest = name.partition(".")
        assert top not in ("config", "tests", "pcaps", "codecs"), where
        if top == "sipgw" and rest:
            other = rest.split(".")[0]
            if layer in TOP or other == layer or name in MAY_IMPORT_MODULES.get(layer, ()):
                continue
            assert other in MAY_IMPORT[layer], where
        elif top == "sipgw_codecs":
            assert layer in TOP or layer == "sipgw_codecs" or "sipgw_codecs" in MAY_IMPORT[layer], where
        elif layer in PURE:
            assert top not in IO_MODULES, where
            assert top not in IO_LIBRARIES, where
            if top not in STDLIB:
                assert top in LIBRARIES[layer], where


def test_nothing_below_io_awaits() -> None:
    for layer, path in modules():
        if layer not in PURE or path.name == "plane.py":
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"{path}:{getattr(node, 'lineno', 0)}"


def test_the_table_names_every_layer() -> None:
    assert {layer for layer, _ in modules()} <= set(MAY_IMPORT) | TOP
