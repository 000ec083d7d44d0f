"""The overview is the first page: what needs somebody now, with its act; charts with tables; nothing for strangers."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from foundation.clock import now
from foundation.db import statements
from foundation.telemetry import Series, Values
from monitoring.dashboard import forget
from monitoring.metrics.store import statements_for
from monitoring.models import Alert
from monitoring.queries.charts import charts, seconds
from monitoring.watch import sweep
from orchestration.models import Command, Worker
from orchestration.runs import start_run
from tests.monitoring.watch.test_sweep import BAD, LONG, begun, step
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True)]
PAGE, PART = "/admin/monitoring/", "/admin/monitoring/now/"


def client_of(role: str) -> Client:
    """Somebody of the staff in this role, or in none, without a password: to hash one takes long."""
    user, _ = User.objects.get_or_create(username=role or "nobody", is_staff=True)
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    client = Client()
    client.force_login(user)
    return client


def blocked() -> str:
    """A run that needs a person: it failed past its pivot."""
    run = begun(step("pay", {"type": "wait", "seconds": 0}, pivot=True), step("ship", BAD, dependencies=["pay"]))
    sweep.sweep(at_once=True)
    return run.workflow_id


def measured(minutes: int = 1) -> None:
    """In each of the last minutes ten runs of which one was rolled back; half took 2 s, and a queue is 3 s old."""
    for ago in range(minutes):
        told: dict[Series, Values] = {
            ("zen_runs_ended_total", labels(status="completed")): Values(count=9),
            ("zen_runs_ended_total", labels(status="rolled_back")): Values(count=1),
            ("zen_run_duration_seconds", (("kind", "saga"), ("saga_id", "s"))): Values(
                10, 40.0, {4: 6, 12 + ago % 7: 4}
            ),
            ("zen_oldest_ready_seconds", (("engine", "celery"),)): Values(1, 3.0 + ago % 5, {6: 1}),
        }
        statements.run(*statements_for(told, now() - timedelta(minutes=ago)))


def labels(status: str) -> tuple[tuple[str, str], ...]:
    return (("cause", ""), ("engine", "celery"), ("kind", "saga"), ("saga_id", "s"), ("status", status))


def test_the_admin_begins_with_it_for_who_may_look() -> None:
    assert client_of("viewer").get("/admin/")["Location"] == PAGE
    nobody = client_of("")
    assert nobody.get("/admin/").status_code == 200
    assert nobody.get(PAGE).status_code == nobody.get(PART).status_code == 403
    assert Client().get(PAGE).status_code == Client().get(PART).status_code == 302


def test_a_quiet_site_says_so_and_has_charts_with_tables() -> None:
    Worker.objects.all().delete()
    shown = client_of("viewer").get(PAGE).content.decode()
    assert "All is well: 0 runs are open, 0 ended within a day." in shown or "are left on the disk" in shown
    assert shown.count('<figure class="course"') == 4 == shown.count("<details id=")
    assert shown.count("data-empty") == 4 and "None is alive. Start one:" in shown
    assert ">Overview<" in shown and 'class="app-' not in shown


def test_what_needs_somebody_has_its_act_beside_it() -> None:
    handle = blocked()
    shown = client_of("operator").get(PAGE).content.decode()
    assert "1 run does not go on without somebody" in shown
    assert re.search(rf"retry ship<span class=\"sr\"> of {handle}", shown)
    assert Alert.objects.filter(rule__name="run_blocked").exists() and "Acknowledge<span" in shown
    forget()
    viewer = client_of("viewer").get(PAGE).content.decode()
    assert handle in viewer and "Acknowledge<span" not in viewer and "retry ship" not in viewer
    Alert.objects.update(acked_at=now(), acked_by="olga")
    assert "alert of the rule" not in client_of("administrator").get(PART).content.decode()


def test_what_is_wrong_with_the_site_comes_first() -> None:
    start_run(definition={"saga_id": "s", "steps": [step("a", LONG)]}, actor=ADA, engine="celery")
    Worker.objects.all().delete()
    Command.objects.update(due_at=now() - timedelta(seconds=40))
    shown = client_of("viewer").get(PAGE).content.decode()
    assert "No celery worker is alive: 1 step waits, the oldest for 40 s" in shown and "t-bad" in shown


def test_what_has_not_changed_is_not_sent_again() -> None:
    client = client_of("viewer")
    first = client.get(PART)
    tag = first["ETag"]
    assert first.status_code == 200 and b"<html" not in first.content and b"csrf" not in first.content
    assert client.get(PART, headers={"If-None-Match": tag}).status_code == 304
    blocked()
    forget()
    assert client.get(PART, headers={"If-None-Match": tag}).status_code == 200
    assert client.get(f"{PART}?span=century").status_code == 200


def test_charts_add_up_what_was_measured() -> None:
    measured()
    ended, share, lengths, queue = charts("hour")
    assert len(ended.rows) == len(share.rows) == len(lengths.rows) == len(queue.rows) >= 60
    assert ended.said == "9 completed, 1 ended otherwise" and ended.rows[-1][1] == (9.0, 1.0)
    assert share.said == "10.0 % of 10 runs" and share.rows[-1][1] == (10.0,) and share.rows[0][1] == (None,)
    assert lengths.said == "half took less than 2 s, 95 of 100 less than 8 s" and queue.said == "3 s at most"
    assert len(charts("day")[0].rows) in (24, 25) and len(charts("month")[0].rows) in (30, 31)


def test_lengths_in_words() -> None:
    assert [seconds(one) for one in (None, 0.351, 12.3, 90, 250, 9000)] == [
        "",
        "0.35 s",
        "12 s",
        "90 s",
        "4.2 min",
        "2.5 h",
    ]


def test_people_without_the_staff_flag_see_nothing() -> None:
    user = User.objects.create_user("eve")
    user.groups.add(Group.objects.get_or_create(name="viewer")[0])
    client = Client()
    client.force_login(user)
    assert client.get(PAGE).status_code == 302


def test_a_saga_of_which_no_run_completed_is_among_the_worst() -> None:
    for _ in range(2):
        begun(step("pay", BAD), saga_id="all-failed")
    sweep.sweep(at_once=True)
    page = client_of("viewer").get(PAGE).content.decode()
    assert re.search(r'class="name"><a href="[^"]*q=all-failed">all-failed</a>', page)
    assert re.search(r'data-label="ended">2</td><td data-label="completed">0 %', page)
