from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from foundation.clock import now
from foundation.identity.actor import Actor
from orchestration.models import Run, RunLine
from orchestration.runs import start_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("size", [1, 200])
def test_the_run_page_and_its_verbs(size: int) -> None:
    steps = [{"step_id": f"s{n}", "forward_action": {"type": "wait", "seconds": 60}} for n in range(size)]
    body = {"saga_id": "order", "name": "<script>alert(1)</script>", "steps": steps}
    admin = Actor(name="root", door="python", roles=frozenset({"administrator"}))
    run, _ = start_run(definition=body, actor=admin, workflow_id="o-1", engine="celery")
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    page = f"/admin/orchestration/run/{run.pk}/"
    for place in ("run/", "definition/", "auditevent/", "apitoken/"):
        assert client.get(f"/admin/orchestration/{place}").status_code == 200
    shown = client.get(f"{page}change/").content.decode()
    assert "<svg" in shown
    assert "<script>alert(1)" not in shown
    for verb, status in (("hold", "held"), ("release", "waiting"), ("abort", "rolled_back")):
        assert client.get(f"{page}act/{verb}/").status_code == 200
        assert client.post(f"{page}act/{verb}/", {"note": "<b>x</b>"}).status_code == 302
        assert verb != "hold" or Run.objects.get().status == status
    assert "<b>x</b>" not in client.get(f"{page}change/").content.decode()


def test_an_attempt_that_a_lost_worker_may_have_made_already_says_so() -> None:
    steps = [{"step_id": "a", "forward_action": {"type": "api_call", "url": "http://127.0.0.1:9/"}}]
    admin = Actor(name="root", door="python", roles=frozenset({"administrator"}))
    run, _ = start_run(definition={"saga_id": "order", "steps": steps}, actor=admin, engine="celery")
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    page = f"/admin/orchestration/run/{run.pk}/change/"
    assert "was lost" not in client.get(page).content.decode()
    run.commands.filter(step_id="a").update(tries=2, status="running", worker="w2")
    shown = client.get(page).content.decode()
    assert "worker 2 of this attempt; the one before was lost" in shown
    assert "is running, attempt 1, taken up 2 times: a worker was lost over it" in shown
    assert "1, possibly repeated" in shown


def test_the_run_page_shows_the_last_lines_of_its_log() -> None:
    steps = [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 60}}]
    admin = Actor(name="root", door="python", roles=frozenset({"administrator"}))
    run, _ = start_run(definition={"saga_id": "order", "steps": steps}, actor=admin, workflow_id="o-1", engine="celery")
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    page = f"/admin/orchestration/run/{run.pk}/change/"
    before = version_of(client.get(page).content.decode())
    RunLine.objects.bulk_create(
        RunLine(run=run, step_id="a", n=n, at=now(), level=40, logger="shop", text=f"<i>line {n}</i>")
        for n in range(1, 61)
    )
    shown = client.get(page).content.decode()
    assert "&lt;i&gt;line 60&lt;/i&gt;" in shown and "<i>line" not in shown
    assert "line 11&" in shown and "line 10&" not in shown
    assert version_of(shown) != before, "the page of a live run shows lines as they come"
    (address,) = re.findall(r'href="(/api/v1/runs/o-1/logs/[^"]*)"', shown)
    assert "line 10" in client.get(address).content.decode()


def version_of(page: str) -> str:
    (found,) = re.findall('data-version="([^"]*)"', page)
    return str(found)


def test_a_verb_that_does_not_exist_is_not_found() -> None:
    body = {"saga_id": "order", "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 60}}]}
    admin = Actor(name="root", door="python", roles=frozenset({"administrator"}))
    run, _ = start_run(definition=body, actor=admin, engine="celery")
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    for method in (client.get, client.post):
        assert method(f"/admin/orchestration/run/{run.pk}/act/nonsense/").status_code == 404
    assert Client().get(f"/admin/orchestration/run/{run.pk}/act/nonsense/").status_code == 302  # to the login
