"""The alert rules and the dashboard: what they ask for is what the gateway counts."""

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from sipgw.ops.hooks.counts import Counts
from sipgw.ops.metrics import Metrics
from sipgw.ops.webhooks.outbox import Waiting
from sipgw.ops.webhooks.tally import Tally
from sipgw.trace import Mark, Note
from sipgw.worker.tick import Lateness
from tests.ops.test_media_metrics import Worker
from tests.shared import missing

DEPLOY = Path(__file__).parents[2] / "config" / "deploy"
RULES = DEPLOY / "alerts.yaml"
OTHERS = {"up"}
"""Metrics that Prometheus makes itself."""
_METRIC = re.compile(r"\b(?:sipgw_\w+|up)\b")
_LABELS = re.compile(r"(sipgw_\w+)\{([^}]*)\}")


def counted() -> dict[str, set[str]]:
    """Every series of a gateway that has seen a bit of everything, with its labels."""
    metrics = Metrics()
    metrics.watch_media(lambda: {"0": Worker(Lateness(), {"send_ECONNREFUSED": 1}, 1)})
    metrics.watch_loop(Lateness())
    metrics.registry.register(_webhooks())
    hooks = Counts(metrics.registry)
    hooks.outcome("crm", "answered")
    hooks.took("crm", 0.1)
    metrics.call_began()
    metrics.call_ended("normal", answered=True, seconds=1.0, first_audio_ms=300)
    metrics.send_error("EPERM")
    metrics.alarm("worker_died")
    metrics.trace(Note(0.0, "sip", Mark.DROP, "not_sip"))
    metrics.banned("not_sip")
    metrics.watch_registrations({"carrier": True})
    metrics.watch_phones(lambda: {"desk": 1})
    names: dict[str, set[str]] = defaultdict(set)
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            names[sample.name] |= sample.labels.keys()
    return names


def _webhooks() -> Tally:
    tally = Tally()
    tally.delivered["crm"] = tally.failures["crm", "timeout"] = tally.dropped["crm", "too_old"] = 1
    tally.waiting, tally.now = (Waiting("crm", 1, 5.0, 0, "timeout", ""),), 9.0
    return tally


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries(node: object) -> Iterator[str]:
    """Every expression of a dashboard."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("expr", "query") and isinstance(value, str):
                yield value
            else:
                yield from queries(value)
    elif isinstance(node, list):
        for each in node:
            yield from queries(each)


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    return found


EXPRESSIONS = [rule["expr"] for rule in rules()] + [q for q in queries(dashboard()) if q != "prometheus"]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_asked_for_is_counted_with_those_labels(expression: str) -> None:
    known = counted()
    used = set(_METRIC.findall(expression))
    assert used, "an expression without a metric of ours"
    assert used <= known.keys() | OTHERS
    for name, matchers in _LABELS.findall(expression):
        labels = {re.split(r"[!=]", matcher)[0].strip() for matcher in matchers.split(",")}
        assert labels <= known[name] | {"instance", "job"}, name


def test_everything_counted_is_on_the_dashboard() -> None:
    shown = " ".join(queries(dashboard()))
    families = {re.sub(r"_(total|bucket|sum|count|created)$", "", name) for name in counted()}
    assert [name for name in families if name not in shown] == []


def test_every_alert_says_how_bad_what_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"].keys() == {"summary", "description"}, rule["alert"]


def test_no_two_panels_share_an_id_or_a_place() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)


@pytest.mark.interop
def test_prometheus_takes_the_rules() -> None:
    if shutil.which("promtool") is None:
        missing("promtool is not installed (Debian package prometheus)")
    done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{len(rules())} rules found" in done.stdout
