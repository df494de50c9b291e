"""The parts of a Grafana dashboard, and its JSON, as Grafana documents it under *JSON model*."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]
SCHEMA_VERSION: Final = 39
"""The version of the format, that of Grafana 11; newer ones read it."""
SOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS: Final = 24
GROUPED: Final = re.compile(r"\bby \(([a-z_, ]+)\)")


@dataclass(frozen=True)
class Query:
    """One expression, and what its lines are called: `{{method}}` is the value of a label. Without a name, lines are
    called by the labels of the first `by (…)`.
    """

    expr: str
    name: str = ""

    @property
    def legend(self) -> str:
        """The name of its lines."""
        labels = GROUPED.search(self.expr)
        if self.name or labels is None:
            return self.name
        return " ".join(f"{{{{{label}}}}}" for label in labels[1].split(", ") if label != "le")


class Panel:
    """One picture. `meaning` says what it shows, and what is normal."""

    def __init__(
        self,
        title: str,
        meaning: str,
        *queries: str | Query,
        unit: str = "short",
        kind: str = "timeseries",
        width: int = 8,
        stacked: bool = False,
        limits: Sequence[tuple[float, str]] = (),
    ) -> None:
        """`kind` is timeseries, stat or table; `limits` are values from which on a colour counts, upwards."""
        self.title = title
        self.meaning = meaning
        self.queries = [Query(each) if isinstance(each, str) else each for each in queries]
        self.unit = unit
        self.kind = kind
        self.width = width
        self.stacked = stacked
        self.limits = limits

    def json(self, number: int, x: int, y: int) -> Json:
        """The panel at a place of the grid."""
        colours = [{"color": "green", "value": None}, *({"color": name, "value": at} for at, name in self.limits)]
        defaults: Json = {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": colours}}
        if self.kind == "timeseries":
            stacking = {"mode": "normal" if self.stacked else "none", "group": "A"}
            lines = {
                "lineWidth": 1,
                "fillOpacity": 20 if self.stacked else 5,
                "showPoints": "never",
                "stacking": stacking,
            }
            defaults |= {"min": 0, "custom": lines}
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.meaning,
            "datasource": SOURCE,
            "gridPos": {"h": HEIGHTS[self.kind], "w": self.width, "x": x, "y": y},
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": OPTIONS[self.kind],
            "targets": [self._target(query, chr(ord("A") + i)) for i, query in enumerate(self.queries)],
        }

    def _target(self, query: Query, letter: str) -> Json:
        now = self.kind != "timeseries"
        return {
            "refId": letter,
            "datasource": SOURCE,
            "editorMode": "code",
            "expr": query.expr,
            "legendFormat": query.legend or "__auto",
            "range": not now,
            "instant": now,
            "format": "table" if self.kind == "table" else "time_series",
        }


HEIGHTS: Final = {"timeseries": 8, "stat": 4, "table": 8}
OPTIONS: Final[dict[str, Json]] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "area",
        "textMode": "auto",
        "orientation": "auto",
        "justifyMode": "auto",
    },
    "table": {"showHeader": True, "cellHeight": "sm", "footer": {"show": False, "reducer": ["sum"], "fields": ""}},
}


@dataclass(frozen=True)
class Section:
    """A row of the dashboard: a title, and its panels."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Dashboard:
    """One dashboard. `uid` is its address in Grafana, and its file's name."""

    uid: str
    title: str
    meaning: str
    sections: Sequence[Section]
    by_context: bool = False
    """Whether one chooses a context, which queries have as `$context`."""

    def panels(self) -> list[Panel]:
        """All its panels."""
        return [panel for section in self.sections for panel in section.panels]

    def json(self) -> Json:
        """What Grafana imports."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.meaning,
            "tags": ["unora"],
            "timezone": "utc",
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-3h", "to": "now"},
            "templating": {"list": [_source(), *([_context()] if self.by_context else [])]},
            "annotations": {"list": []},
            "links": [_link()],
            "panels": list(_placed(self.sections)),
        }


def _placed(sections: Iterable[Section]) -> Iterable[Json]:
    """All rows and panels, from left to right, each row below the one before."""
    number, y = 0, 0
    for section in sections:
        number += 1
        at = {"h": 1, "w": COLUMNS, "x": 0, "y": y}
        yield {"id": number, "type": "row", "title": section.title, "collapsed": False, "gridPos": at, "panels": []}
        x, y, height = 0, y + 1, 0
        for panel in section.panels:
            if x + panel.width > COLUMNS:
                x, y, height = 0, y + height, 0
            number += 1
            yield panel.json(number, x, y)
            x, height = x + panel.width, max(height, HEIGHTS[panel.kind])
        y += height


def _source() -> Json:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0}


def _context() -> Json:
    return {
        "name": "context",
        "label": "Context",
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": 'label_values(up{context!="", context!="gateway"}, context)', "refId": "context"},
        "refresh": 2,
        "sort": 1,
        "includeAll": False,
        "multi": False,
        "hide": 0,
    }


def _link() -> Json:
    return {
        "title": "Unora",
        "type": "dashboards",
        "tags": ["unora"],
        "asDropdown": True,
        "includeVars": False,
        "url": "",
    }
