"""The files for Grafana and Prometheus can be loaded, and name metrics and labels that there are."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.queries.families import FAMILIES, HISTOGRAM

FOLDER = Path(__file__).parents[3] / "monitoring" / "grafana"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER.parents[1] / "docker-compose.yml").read_text())
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "zen.json").read_text())
RULES = [rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
OF_PROMETHEUS = {"le", "job"}


def expressions() -> Iterator[str]:
    for panel in PANELS:
        yield from (target["expr"] for target in panel["targets"])
    yield from (rule["expr"] for rule in RULES)


@pytest.mark.parametrize("text", sorted(set(expressions())))
def test_an_expression_names_metrics_and_labels_that_there_are(text: str) -> None:
    names = set(re.findall(r"\bzen_\w+", text))
    families = {
        name: FAMILIES.get(name) or FAMILIES[name.removesuffix("_bucket")] for name in names
    }  # a KeyError names one that there is not
    assert all((family.kind == HISTOGRAM) == name.endswith("_bucket") for name, family in families.items())
    known = {label for family in families.values() for label in family.labels} | OF_PROMETHEUS
    grouped = re.findall(r"\b(?:by|on) \(([\w, ]+)\)", text)
    matched = re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', text)
    assert {label for group in grouped for label in group.split(", ")} | set(matched) <= known
    assert all(text.count(one) == text.count(other) for one, other in ("()", "{}", "[]"))
    counted = re.findall(r"(?:rate|increase)\((zen_\w+)", text)
    assert all(name.endswith(("_total", "_bucket")) for name in counted)


def test_the_dashboard_has_what_grafana_needs() -> None:
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= DASHBOARD.keys()
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken = [
        (x, y) for panel in DASHBOARD["panels"] for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]  # fmt: skip
    assert len(taken) == len(set(taken)) and max(x for x, _ in taken) == 23
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD))) - {"__rate_interval", "__all"}
    assert used == variables == {"datasource", "saga"}
    for panel in PANELS:
        assert panel["title"] and {"datasource", "fieldConfig", "options", "targets"} <= panel.keys()
        assert all({"refId", "expr"} <= target.keys() for target in panel["targets"])


def test_each_rule_says_how_bad_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names)) and all(re.fullmatch(r"Zen[A-Za-z]+", name) for name in names)
    for rule in RULES:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == {"summary", "description"}


def test_prometheus_and_grafana_beside_zen_find_each_other_and_the_files() -> None:
    services = COMPOSE["services"]
    scraped = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    (target,) = scraped["scrape_configs"][0]["static_configs"][0]["targets"]
    environment = services["web"]["environment"]
    assert target == "web:8000" and environment["ZEN_ALLOWED_HOSTS"].endswith(",web")
    peer = services["prometheus"]["networks"]["metrics"]["ipv4_address"]
    assert environment["ZEN_METRICS_ALLOW"] == peer and "metrics" in services["web"]["networks"]
    subnet = COMPOSE["networks"]["metrics"]["ipam"]["config"][0]["subnet"]
    assert ipaddress.ip_address(peer) in ipaddress.ip_network(subnet)
    for name in ("prometheus", "grafana"):
        assert services[name]["profiles"] == ["metrics"] and "metrics" in services[name]["networks"]
        mounted = [volume.split(":")[0] for volume in services[name]["volumes"] if volume.startswith("./")]
        assert mounted and all((FOLDER.parents[1] / path).exists() for path in mounted)
    source = yaml.safe_load((FOLDER / "provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    assert source["url"] == "http://prometheus:9090"
    assert f"{scraped['rule_files'][0]}" in services["prometheus"]["volumes"][1]
