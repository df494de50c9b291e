"""The rules: Prometheus accepts them, each alert fires when it should and only then, and tells what members notice."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from unora_tools.observe import rules

from tests.unit.observe.promtool import needs_promtool, promtool

SERIES = Path(__file__).with_name("series")
FILES = [file.name for file in rules.files()]
ALERT = re.compile(r'ALERTS\{alertname="(\w+)"')
SEVERITY = re.compile(r'severity="(\w+)"')
LABEL = re.compile(r'(\w+)="')
USED_LABEL = re.compile(r"\$labels\.(\w+)")
FEWEST_WORDS = 8


@cache
def tried() -> list[tuple[str, str | None, list[str]]]:
    """Of each expectation in the series: the alert, the severity that it asks for, and the samples that it expects."""
    found = []
    for file in sorted(SERIES.glob("*.yaml")):
        for test in yaml.safe_load(file.read_text())["tests"]:
            for each in test["promql_expr_test"]:
                if name := ALERT.match(each["expr"]):
                    severity = SEVERITY.search(each["expr"])
                    samples = [sample["labels"] for sample in each.get("exp_samples") or []]
                    found.append((name[1], severity[1] if severity else None, samples))
    return found


def severities(name: str) -> list[str]:
    return [alert.severity for alert in rules.alerts() if alert.name == name]


@needs_promtool
@pytest.mark.parametrize("file", FILES)
def test_each_alert_fires_when_it_should_and_only_then(file: str) -> None:
    promtool("check", "rules", str(rules.FOLDER / file))
    if any(alert.file == file for alert in rules.alerts()):
        promtool("test", "rules", str(SERIES / file))


@pytest.mark.parametrize("alert", rules.alerts(), ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_there_are_series_for_which_an_alert_fires_and_some_for_which_it_does_not(alert: rules.Alert) -> None:
    mine = [(severity, samples) for name, severity, samples in tried() if name == alert.name]
    fires = [s for _, samples in mine for s in samples if f'severity="{alert.severity}"' in s and '"firing"' in s]
    rests = [samples for severity, samples in mine if severity in (None, alert.severity) and not samples]
    assert fires, f"no series in {SERIES}/{alert.file} makes {alert.name} ({alert.severity}) fire"
    assert rests, f"no series in {SERIES}/{alert.file} leaves {alert.name} ({alert.severity}) at rest"


@pytest.mark.parametrize("alert", rules.alerts(), ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_an_alert_says_what_members_notice_and_names_only_labels_that_it_has(alert: rules.Alert) -> None:
    assert alert.severity in rules.SEVERITIES
    assert set(alert.annotations) == {"summary", "description", "runbook_url"}
    assert len(alert.annotations["description"].split()) >= FEWEST_WORDS
    fired = [s for name, _, samples in tried() for s in samples if name == alert.name and alert.severity in s]
    has = set(LABEL.findall(fired[0]))
    used = {label for text in alert.annotations.values() for label in USED_LABEL.findall(text)}
    assert used <= has, f"{alert.name} has no label {used - has}"


def test_two_alerts_of_one_name_differ_in_severity() -> None:
    found = Counter((alert.name, alert.severity) for alert in rules.alerts())
    assert [each for each, count in found.items() if count > 1] == []


def test_what_is_expected_is_of_alerts_that_exist() -> None:
    assert {name for name, _, _ in tried()} == {alert.name for alert in rules.alerts()}


def test_limits_of_time_are_written_so_that_a_test_can_shorten_them() -> None:
    """As `2 * 60`, never as `120`: else a scaled rule would wait for real minutes."""
    limit = re.compile(r"[<>]=? *(\d+(?:\.\d+)?)(?! *\*)(?:\s|$)")
    for alert in rules.alerts():
        for line in alert.expr.splitlines():
            if "_seconds" in line and "rate(" not in line:
                assert [n for n in limit.findall(line) if float(n) > 1] == [], f"{alert.name}: {line}"


SCALED = """\
    interval: 30s
      - alert: X
        expr: |
          max_over_time(a[5m]) > 2 * 60 and avg_over_time(b[6h:5m]) * (5 * 60) > 14.4 and c < 3 * 86400
        for: 10m
"""


def test_a_scaled_rule_has_shorter_windows_and_limits_and_nothing_else() -> None:
    assert rules.scaled(SCALED, 60) == (
        SCALED.replace("30s", "2000ms")
        .replace("a[5m]", "a[5000ms]")
        .replace("[6h:5m]", "[360000ms:5000ms]")
        .replace("* 60)", "* 1)")
        .replace("2 * 60", "2 * 1")
        .replace("* 86400", "* 1440")
        .replace("for: 10m", "for: 10000ms")
    )


@needs_promtool
def test_prometheus_accepts_the_scaled_rules(tmp_path: Path) -> None:
    rules.scale(tmp_path, 60)
    for file in rules.files(tmp_path):
        promtool("check", "rules", str(file))
    windows: Any = re.compile(r"[\[:]\d+[smhd][\]:]")
    assert not any(windows.search(file.read_text()) for file in rules.files(tmp_path))
