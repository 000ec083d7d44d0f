"""/metrics tells what all processes have measured, to those who may know it, in the format of Prometheus."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from foundation import telemetry
from foundation.identity.actor import Actor
from foundation.identity.tokens import issue_token
from monitoring.metrics import fold, store
from monitoring.queries.families import FAMILIES
from monitoring.watch import metrics, sweep
from tests.monitoring.watch.test_sweep import BAD, LONG, begun, step
from tests.orchestration.api.test_runs import client_of
from tests.system.contract.cast import account

pytestmark = [pytest.mark.django_db(transaction=True)]


def read() -> dict[str, Any]:
    metrics.forget()
    store.add(telemetry.take())
    return {one.name: one for one in text_string_to_metric_families(metrics.scrape().decode())}


def samples(families: dict[str, Any], name: str, **labels: str) -> dict[str, float]:
    """Values of the samples of a name that have these labels, by their other labels in alphabetical order."""
    found = [one for family in families.values() for one in family.samples]
    return {
        ",".join(str(value) for label, value in sorted(one.labels.items()) if label not in labels): one.value
        for one in found
        if one.name == name and labels.items() <= one.labels.items()
    }


def test_every_family_is_told_with_help_and_type_before_anything_has_happened() -> None:
    text = metrics.scrape().decode()
    for name, family in FAMILIES.items():
        assert f"# HELP {name} {family.help}\n# TYPE {name} {family.kind}\n" in text


@pytest.mark.both_databases
def test_it_tells_of_runs_attempts_and_gauges() -> None:
    begun(step("a", LONG)), begun(step("a", BAD))
    sweep.sweep(at_once=True)
    families = read()
    assert samples(families, "zen_runs_ended_total", saga_id="s", status="rolled_back") == {"failure,celery,saga": 1}
    assert samples(families, "zen_runs_open") == {"celery,saga,waiting": 1}
    ended = samples(families, "zen_attempts_total", engine="celery", purpose="forward")
    assert ended == {"task,failed": 1}
    assert samples(families, "zen_attempt_wait_seconds_count") == {"celery": 1}
    assert samples(families, "zen_health_runs")["healthy"] == 1
    assert samples(families, "zen_workers_alive")["celery"] == 1
    fold.fold_all()
    assert samples(read(), "zen_runs_ended_total") == samples(families, "zen_runs_ended_total")


def test_the_buckets_of_a_histogram_hold_what_is_not_above_their_edge() -> None:
    for value in (0.5, 1, 1.01, 3, 1e9):
        telemetry.observe("zen_run_duration_seconds", value, kind="saga", saga_id="a")
    buckets = samples(read(), "zen_run_duration_seconds_bucket", kind="saga", saga_id="a")
    assert [buckets[edge] for edge in ("0.25", "0.5", "1.0", "2.0", "4.0", "131072.0", "+Inf")] == [0, 1, 2, 3, 4, 4, 5]


def test_a_snapshot_serves_all_who_ask_within_seconds() -> None:
    metrics.scrape()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        metrics.scrape()
    assert not queries.captured_queries


def test_it_is_for_those_who_may_look_at_anything(settings: Settings) -> None:
    ops = Actor(name="ops", door="console", roles=frozenset({"administrator"}))
    bearer = [issue_token(account("eve", role), actor=ops, scopes=scopes) for role, scopes in (
        ("viewer", ["view"]), ("operator", ["run.start"]),
    )]  # fmt: skip
    headers = [{"authorization": f"Bearer {token}"} for token in [*bearer, "zen_a_b"]]
    assert [Client().get("/metrics", headers=one).status_code for one in headers] == [200, 403, 401]
    assert Client().get("/metrics").status_code == 401
    assert client_of("nobody").get("/metrics").status_code == 403
    answer = client_of("viewer").get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain; version=0.0.4")
    settings.ZEN_METRICS_ALLOW = ("10.0.0.0/8", "::1")
    for peer, through, status in (
        ("10.1.2.3", {}, 200), ("::ffff:10.1.2.3", {}, 200), ("11.1.2.3", {}, 401), ("", {}, 401),
        ("10.1.2.3", {"x-forwarded-for": "10.1.2.3"}, 401), ("10.1.2.3", {"forwarded": "for=10.1.2.3"}, 401),
        ("10.1.2.3", {"x-forwarded-proto": "https"}, 401), ("10.1.2.3", {"cf-connecting-ip": "10.1.2.3"}, 401),
        ("10.1.2.3", {"x-real-ip": ""}, 401),
    ):  # fmt: skip
        assert Client(REMOTE_ADDR=peer).get("/metrics", headers=through).status_code == status, (peer, through)


def test_requests_are_counted_by_their_route_and_have_an_id() -> None:
    client = client_of("viewer")
    given = client.get("/api/v1/runs/nosuch/", headers={"x-request-id": "abc-1"})
    assert given["X-Request-ID"] == "abc-1"
    assert len(client.get("/nowhere", headers={"x-request-id": "<b>"})["X-Request-ID"]) == 32
    found = samples(read(), "zen_http_requests_total", method="GET")
    assert found == {"api-run,4xx": 1, "none,4xx": 1}
