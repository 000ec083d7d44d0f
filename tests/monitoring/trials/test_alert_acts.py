"""A verb on all runs of an alert: previewed, one first, then more; it stops where they fail again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections

from foundation.errors import BadInput, NotAllowed, NotFound, WrongState
from foundation.identity.actor import Actor
from foundation.models import AuditEvent
from monitoring.models import Alert, Job, RunHealth
from monitoring.trials import alert_acts, jobs, members
from monitoring.watch import sweep
from orchestration.models import Run
from orchestration.workers.celery.worker import work
from tests.monitoring.admin.test_overview import client_of as browser_of
from tests.monitoring.alerting.test_alerts import AGENT, VIEWER
from tests.monitoring.watch.test_sweep import begun, step
from tests.orchestration.api.test_runs import client_of, post
from tests.support.peer import Peer
from tests.system.contract.sagas import ADA
from tests.system.contract.sagas import step as contract_step

pytestmark = [pytest.mark.django_db(transaction=True)]


def blocked(peer: Peer, count: int) -> Alert:
    """So many runs that stand past their pivot because the peer refuses."""
    peer.say("/things/ship", 403)
    for _ in range(count):
        ship = contract_step("ship", dependencies=["pay"], undo=False)
        ship["forward_action"]["url"] = f"{peer.url}/things/ship"
        begun(step("pay", {"type": "wait", "seconds": 0}, pivot=True), ship, saga_id="order")
    sweep.sweep(at_once=True)
    return Alert.objects.get(rule__name="run_blocked")


@contextmanager
def worker() -> Iterator[None]:
    """Performs what is ready, as another process does."""
    stop = threading.Event()

    def perform() -> None:
        while not stop.wait(0.05):
            work("w")
        connections.close_all()

    thread = threading.Thread(target=perform)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def done(job: Job) -> dict[str, object]:
    with worker():
        found = jobs.done_now(job)
    assert found.state == Job.DONE, found.error
    return dict(found.results or {})


def test_it_goes_on_while_they_work(peer: Peer) -> None:
    alert = blocked(peer, 5)
    foretold = alert_acts.preview_act(alert.pk, "retry", actor=ADA)
    assert (foretold["of"], foretold["legal"]) == (5, 5) and foretold["runs"][0]["step_id"] == "ship"
    peer.say("/things/ship", 200)
    job = alert_acts.ask_act(alert.pk, "retry", actor=ADA, note="the peer is mended")
    begun(step("late", {"type": "wait", "seconds": 0}))  # what comes later is none of it
    results = done(job)
    assert results["counts"] == {"worked": 5} and results["stopped"] is None
    assert set(Run.objects.filter(definition__saga_id="order").values_list("status", flat=True)) == {"completed"}
    assert AuditEvent.objects.filter(action="run.retry", note="the peer is mended").count() == 5
    assert AuditEvent.objects.get(action="alert.act").data["runs"] == 5
    assert alert.notes.filter(kind="act").get().note.startswith("retry on 5 runs")
    assert jobs.job_view(Job.objects.get(pk=job.pk))["done"] == 5


def test_it_stops_after_the_first_that_fails_again(peer: Peer) -> None:
    alert = blocked(peer, 4)
    calls = len(peer.methods("POST"))
    results = done(alert_acts.ask_act(alert.pk, "retry", actor=ADA))
    assert results["counts"] == {"failed": 1, "left": 3}
    assert results["stopped"] == "it failed again, so the others are left alone"
    assert len(peer.methods("POST")) == calls + 1


def test_a_verb_that_mends_nothing_is_done_to_all(peer: Peer) -> None:
    alert = blocked(peer, 3)
    run = Run.objects.order_by("pk").first()
    assert run is not None
    RunHealth.objects.filter(pk=run.pk).update(checked_at=run.created_at)
    results = done(alert_acts.ask_act(alert.pk, "skip", actor=ADA, note="sent by hand"))
    assert results["counts"] == {"done": 3}
    again = alert_acts.ask_act(alert.pk, "skip", actor=ADA, note="sent by hand")
    assert done(again)["counts"] == {"refused": 3}  # the runs have ended meanwhile


def test_who_may_not_and_what_cannot_be_is_refused(peer: Peer) -> None:
    alert = blocked(peer, 1)
    for actor in (VIEWER, AGENT, Actor(name="a", door="api", roles=frozenset({"approver"}))):
        with pytest.raises(NotAllowed):
            alert_acts.ask_act(alert.pk, "retry", actor=actor)
    with pytest.raises(BadInput, match="no verb for many runs"):
        alert_acts.ask_act(alert.pk, "force-stop", actor=ADA)
    with pytest.raises(BadInput, match="note"):
        alert_acts.ask_act(alert.pk, "skip", actor=ADA)
    with pytest.raises(NotFound):
        alert_acts.preview_act(alert.pk + 1, "retry", actor=ADA)
    alert.member_rows.all().delete()
    with pytest.raises(WrongState, match="has no runs to retry"):
        alert_acts.ask_act(alert.pk, "retry", actor=ADA)
    assert Job.objects.count() == 0


def test_an_account_that_lost_its_role_acts_no_more(peer: Peer) -> None:
    alert = blocked(peer, 2)
    client = client_of("operator")
    asked = post(client, f"alerts/{alert.pk}/act/", {"verb": "abort", "note": "x"})
    assert asked.status_code == 202 and asked.json()["kind"] == "act"
    User.objects.get(username="operator1").groups.clear()
    results = done(Job.objects.get(pk=asked.json()["id"]))
    assert results["counts"] == {"refused": 2}


def test_rest_previews_and_tells_how_far_it_is(peer: Peer) -> None:
    alert = blocked(peer, 2)
    operator, where = client_of("operator"), f"alerts/{alert.pk}/act/"
    foretold = post(operator, where, {"verb": "retry", "preview": True})
    assert foretold.status_code == 200 and foretold.json()["legal"] == 2 and Job.objects.count() == 0
    assert post(operator, where, {"verb": "burn"}).status_code == 422
    peer.say("/things/ship", 200)
    job = post(operator, where, {"verb": "retry", "note": "again"}).json()
    assert (job["state"], job["of"], job["done"]) == ("open", 2, 0)
    done(Job.objects.get(pk=job["id"]))
    told = operator.get(f"/api/v1/jobs/{job['id']}/").json()
    assert told["state"] == "done" and told["results"]["counts"] == {"worked": 2}


def test_the_console_asks_and_follows_it(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    alert = blocked(peer, 2)
    call_command("alerts", "act", str(alert.pk), "retry", "--preview")
    assert "retry is legal on 2 of 2 runs shown, 2 in all" in " ".join(capsys.readouterr().out.split())
    peer.say("/things/ship", 200)
    with worker():
        call_command("alerts", "act", str(alert.pk), "retry", "--yes", "--note", "mended", "--json")
    assert json.loads(capsys.readouterr().out)["results"]["counts"] == {"worked": 2}


def test_the_admin_shows_what_it_would_do_and_its_course(peer: Peer) -> None:
    alert = blocked(peer, 2)
    operator = browser_of("operator")
    page = f"/admin/monitoring/alert/{alert.pk}/change/"
    assert f"/admin/monitoring/alert/{alert.pk}/runs/retry/" in operator.get(page).content.decode()
    assert "/runs/retry/" not in browser_of("viewer").get(page).content.decode()
    where = f"/admin/monitoring/alert/{alert.pk}/runs/retry/"
    assert "legal now: 2 of 2" in operator.get(where).content.decode()
    assert browser_of("approver").post(where, {"note": ""}).status_code == 403
    peer.say("/things/ship", 200)
    assert operator.post(where, {"note": "mended"})["Location"] == f"{page}#jobs"
    done(Job.objects.get())
    assert "retry by operator, 2 of 2 so far: 2 worked" in " ".join(operator.get(page).content.decode().split())
    assert operator.get(f"/admin/monitoring/alert/{alert.pk}/runs/burn/").status_code == 403


def test_the_number_of_open_jobs_is_bounded(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    alert = blocked(peer, 1)
    monkeypatch.setattr(members, "MOST_OPEN", 1)
    alert_acts.ask_act(alert.pk, "retry", actor=ADA)
    with pytest.raises(BadInput, match="1 jobs are open"):
        alert_acts.ask_act(alert.pk, "retry", actor=ADA)
