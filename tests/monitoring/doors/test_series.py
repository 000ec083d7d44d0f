"""A metric over time, over REST."""

from __future__ import annotations

import pytest

from foundation import telemetry
from monitoring.metrics import store
from monitoring.queries import series as queries
from tests.orchestration.api.test_runs import client_of

pytestmark = [pytest.mark.django_db(transaction=True)]
SERIES = "/api/v1/monitoring/series/"


def test_a_course_is_read_over_rest_and_split_by_a_label() -> None:
    telemetry.take()
    for status in ("completed", "completed", "rolled_back"):
        telemetry.count("zen_runs_ended_total", saga_id="order", status=status, kind="saga", engine="celery", cause="")
    store.add(telemetry.take())
    client = client_of("viewer")
    body = client.get(f"{SERIES}?name=zen_runs_ended_total&by=status&step=m&saga_id=order").json()
    assert {one["labels"]["status"]: sum(point["count"] for point in one["points"]) for one in body["series"]} == {
        "completed": 2, "rolled_back": 1,
    }  # fmt: skip
    body = client.get(f"{SERIES}?name=zen_runs_ended_total&from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z").json()
    assert [body["step"], len(body["series"]), len(body["series"][0]["points"])] == ["h", 1, 48]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("", "name"), ("name=zen_nothing", "name"), ("name=zen_runs_ended_total&step=w", "step"),
        ("name=zen_runs_ended_total&from=yesterday", "from"), ("name=zen_runs_ended_total&to=2026-13-01T00:00", "to"),
        ("name=zen_runs_ended_total&from=2001-01-01T00:00:00Z", "from"), ("name=zen_runs_open&saga_id=a", "saga_id"),
        ("name=zen_runs_ended_total&from=0001-01-01T00:00:00%2B23:00", "from"),
        ("name=zen_runs_ended_total&to=9999-12-31T23:59:59-23:00", "to"), ("name=zen_runs_ended_total&to=", "to"),
        ("name=zen_runs_ended_total&to=0001-01-01T00:00:00Z", "to"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_with_its_field(asked: str, field: str) -> None:
    answer = client_of("viewer").get(f"{SERIES}?{asked}")
    assert answer.status_code == 422 and answer.json()["field"] == field


def test_all_lines_together_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry.take()
    for saga_id in ("a", "b", "c"):
        telemetry.count("zen_runs_ended_total", saga_id=saga_id, status="completed", kind="saga", engine="celery")
    store.add(telemetry.take())
    monkeypatch.setattr(queries, "MOST_IN_ALL", 120)
    asked = f"{SERIES}?name=zen_runs_ended_total&step=m&by=saga_id"
    client = client_of("viewer")
    answer = client.get(asked)
    assert answer.status_code == 422 and answer.json()["field"] == "by"
    assert client.get(f"{asked}&saga_id=a").status_code == 200
