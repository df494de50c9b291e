"""The rule files of Prometheus, as they stand in deploy/observe/rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[3]
FOLDER: Final = ROOT / "deploy" / "observe" / "rules"
SEVERITIES: Final = ("page", "ticket")
UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WINDOW: Final = re.compile(r"(?<=[\[:])(\d+)([smhd])(?=[\]:])")
_SETTING: Final = re.compile(r"(?m)^( *(?:for|interval): )(\d+)([smhd])$")
_LIMIT: Final = re.compile(r"\* (60|3600|86400)\b")


@dataclass(frozen=True)
class Alert:
    """One alert rule. Two alerts may have one name, if their severities differ."""

    file: str
    name: str
    severity: str
    expr: str
    annotations: Mapping[str, str]


@dataclass(frozen=True)
class Recording:
    """One recording rule."""

    file: str
    name: str
    labels: Mapping[str, str]
    expr: str


def files(folder: Path = FOLDER) -> list[Path]:
    """The rule files, by name."""
    return sorted(folder.glob("*.yaml"))


def alerts(folder: Path = FOLDER) -> list[Alert]:
    """All alerts, in the order of the files."""
    return [
        Alert(file.name, rule["alert"], rule["labels"]["severity"], rule["expr"], rule["annotations"])
        for file in files(folder)
        for rule in _rules(file)
        if "alert" in rule
    ]


def recordings(folder: Path = FOLDER) -> list[Recording]:
    """All recording rules, in the order of the files."""
    return [
        Recording(file.name, rule["record"], rule.get("labels", {}), rule["expr"])
        for file in files(folder)
        for rule in _rules(file)
        if "record" in rule
    ]


def _rules(file: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def scaled(text: str, factor: int) -> str:
    """A rule file in which time goes `factor` times faster: windows, `for` and `interval`, and limits that are written
    as a number of minutes, hours or days (`5 * 60`, `26 * 3600`, `3 * 86400`). So a test sees an alert of half an hour
    within seconds. Nothing becomes shorter than two seconds, in which Prometheus scrapes twice.
    """

    def shorter(number: str, unit: str) -> str:
        return f"{max(2000, round(int(number) * UNITS[unit] * 1000 / factor))}ms"

    text = _WINDOW.sub(lambda found: shorter(found[1], found[2]), text)
    text = _SETTING.sub(lambda found: found[1] + shorter(found[2], found[3]), text)
    return _LIMIT.sub(lambda found: f"* {int(found[1]) / factor:g}", text)


def scale(into: Path, factor: int, folder: Path = FOLDER) -> None:
    """Write all rule files into a folder, scaled."""
    into.mkdir(parents=True, exist_ok=True)
    for file in files(folder):
        (into / file.name).write_text(scaled(file.read_text(), factor))
