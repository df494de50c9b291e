"""Writes deploy/observe/dashboards."""

import json

from unora_tools.observe.boards import ALL
from unora_tools.observe.panels import Dashboard
from unora_tools.observe.rules import ROOT

FOLDER = ROOT / "deploy" / "observe" / "dashboards"


def text(dashboard: Dashboard) -> str:
    """The file of a dashboard."""
    return json.dumps(dashboard.json(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes all of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for dashboard in ALL:
        (FOLDER / f"{dashboard.uid}.json").write_text(text(dashboard))


if __name__ == "__main__":
    main()
