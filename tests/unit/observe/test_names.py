"""What rules, dashboards and runbooks ask for exists: each metric, each label, each expression."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from unora_tools.observe import rules
from unora_tools.observe.boards import ALL

from tests.unit.observe.names import declared, faults, series_in
from tests.unit.observe.promtool import needs_promtool, promtool

WINDOW = "$__rate_interval"
"""Grafana replaces it by a window that fits the time range."""
JUDGED: list[rules.Alert | rules.Recording] = [*rules.alerts(), *rules.recordings()]
RULES = [(each.name, each.expr) for each in JUDGED]
BOARDS = [(f"{board.uid}: {panel.title}", q.expr) for board in ALL for panel in board.panels() for q in panel.queries]
ASKED = re.compile(r"\bquery (?:'([^']+)'|\"((?:[^\"\\]|\\.)+)\")")
PAGES = sorted((rules.ROOT / "docs" / "runbooks").glob("*.md"))


def in_pages() -> list[tuple[str, str]]:
    """The expressions that runbooks ask for, as the shell gives them to Prometheus."""
    found = []
    for page in PAGES:
        for plain, quoted in ASKED.findall(page.read_text()):
            expr = plain or quoted.replace('\\"', '"').replace("$context", "streak")
            found.append((page.name, expr))
    return found


EVERY = [*RULES, *BOARDS, *in_pages()]


@pytest.mark.parametrize(("where", "expr"), EVERY, ids=[f"{i}-{where}" for i, (where, _) in enumerate(EVERY)])
def test_an_expression_names_metrics_and_labels_that_exist(where: str, expr: str) -> None:
    assert series_in(expr) or expr.startswith("vector("), f"{where} names no series: {expr}"
    assert faults(expr) == [], f"{where}: {expr}"


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ("unora_gone_total", ["unora_gone_total"]),
        ('rate(unora_jobs_done_total{who="me"}[5m])', ["unora_jobs_done_total{who}"]),
        ("sum by (who) (unora_jobs_done_total)", ["by who"]),
        ("sum by (context, le) (unora_rpc_duration_seconds_bucket)", []),
        ("unora_rpc_duration_seconds", ["unora_rpc_duration_seconds"]),
    ],
)
def test_what_does_not_exist_is_found(expr: str, found: list[str]) -> None:
    assert faults(expr) == found


@needs_promtool
def test_prometheus_understands_each_expression_of_dashboards_and_runbooks(tmp_path: Path) -> None:
    exprs = [expr.replace(WINDOW, "5m") for _, expr in (*BOARDS, *in_pages())]
    recorded = [{"record": f"expression:{i}", "expr": expr} for i, expr in enumerate(exprs)]
    file = tmp_path / "expressions.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "expressions", "rules": recorded}]}))
    assert f"{len(exprs)} rules found" in promtool("check", "rules", str(file))


def test_each_metric_of_the_services_is_shown_or_judged_somewhere() -> None:
    """What nobody looks at is not worth its cost, or lacks a panel."""
    used = {re.sub(r"_(bucket|sum|count)$", "", name) for _, expr in EVERY for name in series_in(expr)}
    assert sorted(metric.name for metric in declared() if metric.name not in used) == []


def test_the_list_of_files_is_json_that_grafana_can_find() -> None:
    folder = rules.ROOT / "deploy" / "observe" / "dashboards"
    assert {file.stem for file in folder.glob("*.json")} == {board.uid for board in ALL}
    assert all(json.loads(file.read_text())["uid"] == file.stem for file in folder.glob("*.json"))


def test_one_cause_is_one_page_by_what_alertmanager_is_told() -> None:
    """Routes and inhibitions name alerts that exist; what an outage of Postgres causes is inhibited by it."""
    page = (rules.ROOT / "docs" / "observability.md").read_text()
    (told,) = (
        each for each in map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)) if "route" in each
    )
    matchers = [m for route in told["route"]["routes"] for m in route["matchers"]]
    inhibited: dict[str, set[str]] = {}
    for each in told["inhibit_rules"]:
        matchers += [*each["source_matchers"], *each["target_matchers"]]
        for source in named(each["source_matchers"]):
            inhibited.setdefault(source, set()).update(named(each["target_matchers"]))
    assert named(matchers) <= {alert.name for alert in rules.alerts()}
    follows = {
        "CallsFail",
        "GatewayFails",
        "RevocationsStale",
        "OutboxOld",
        "NoRelayLeads",
        "ConsumerStuck",
        "EventsLate",
    }
    assert follows <= inhibited["PostgresUnreachable"]
    (alone,) = (route for route in told["route"]["routes"] if "PostgresUnreachable" in named(route["matchers"]))
    assert alone["group_by"] == ["alertname"], "one page for all contexts"


def named(matchers: list[str]) -> set[str]:
    """The alerts that matchers of Alertmanager name."""
    return {name for each in matchers if each.startswith("alertname") for name in each.split('"')[1].split("|")}
