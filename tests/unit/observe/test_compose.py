"""Prometheus and Grafana in docker-compose.yml: every process is a target, and what they mount is there."""

from __future__ import annotations

from typing import Any

import yaml
from unora_common.config import CONTEXTS
from unora_tools.observe.rules import ROOT

from tests.unit.observe.promtool import needs_promtool, promtool

FOLDER = ROOT / "deploy" / "observe" / "compose"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


@needs_promtool
def test_prometheus_accepts_its_configuration() -> None:
    promtool("check", "config", str(FOLDER / "prometheus.yaml"))


def test_each_service_is_a_target_on_the_port_of_its_metrics() -> None:
    (scraped,) = read("prometheus.yaml")["scrape_configs"]
    found = {each["labels"]["context"]: each for each in scraped["static_configs"]}
    assert set(found) == {*CONTEXTS, "gateway"}
    for context in CONTEXTS:
        port = COMPOSE["services"][context]["environment"]["UNORA_METRICS_LISTEN"].rpartition(":")[2]
        assert (found[context]["targets"], found[context]["labels"]["role"]) == ([f"{context}:{port}"], "all")
    assert found["gateway"]["labels"]["role"] == "front"


def test_grafana_asks_that_prometheus_and_shows_these_dashboards() -> None:
    (source,) = read("datasources.yaml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = read("dashboards.yaml")["providers"]
    assert provider["options"]["path"] == "/etc/unora/dashboards"
    home = COMPOSE["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / "deploy" / "observe" / home.removeprefix("/etc/unora/")).exists()


def test_what_is_mounted_is_there_and_cannot_be_changed() -> None:
    for name in ("prometheus", "grafana"):
        service = COMPOSE["services"][name]
        assert service["profiles"] == ["observe"]
        for mount in service["volumes"]:
            source, _, rest = mount.partition(":")
            if source.startswith("./"):
                assert (ROOT / source).exists(), mount
                assert rest.endswith(":ro"), mount
