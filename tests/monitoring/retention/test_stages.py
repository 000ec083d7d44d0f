"""Lines go after 14 days, details after 90, all but a tombstone after 400; whole families, and no approval."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F
from pytest_django import Settings

from foundation.audit.verify import verify
from foundation.clock import now
from foundation.errors import BadInput, NotFound, WrongState
from foundation.models import AuditEvent
from monitoring.health_check import check_health
from monitoring.models import Alert, AlertMember, AlertRule, RecoveryAttempt, RunHealth
from monitoring.watch import sweep
from orchestration.core.enums import Verb
from orchestration.models import Archive, Command, Definition, Event, Message, Run, RunLine, Tombstone
from orchestration.runs import act, get_run, preview
from orchestration.runs.queries import run_view
from tests.approvals.scenes import asked
from tests.monitoring.retention.scenes import BY, FAILS, GREETS, PARENT, aged, counts, ended, pruned, settle
from tests.system.contract.cast import account
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
GATE = {"step_id": "gate", "forward_action": {"type": "approval", "approvers": ["bob"]}}


def shown(workflow_id: str) -> dict[str, object]:
    view = run_view(get_run(workflow_id))
    del view["archived"]
    return view


def line(run: Run) -> None:
    RunLine.objects.create(run=run, step_id="a", n=1, at=now(), logger="shop", text="packed")


def test_what_is_young_enough_stays() -> None:
    for name, days in (("young", 13), ("no-lines", 89), ("condensed", 399)):
        line(ended(name, days=days))
    got = pruned()
    assert (got["condensed"], got["removed"], got["left"], got["oldest"]) == (1, 0, 0, None)
    assert set(RunLine.objects.values_list("run__workflow_id", flat=True)) == {"young"}
    assert set(Event.objects.values_list("run__workflow_id", flat=True)) == {"young", "no-lines"}
    assert Run.objects.count() == 3 and Archive.objects.get().run.workflow_id == "condensed"


@pytest.mark.parametrize("steps", [[], [FAILS], [PARENT], [{"step_id": "a", "forward_action": GREETS}, PARENT, FAILS]])
def test_a_condensed_run_is_shown_as_it_was(steps: list[dict[str, object]]) -> None:
    run = ended("o-1", *steps, days=100)
    sweep.sweep(at_once=True)
    before, health = shown("o-1"), check_health("o-1", ADA)
    assert pruned()["condensed"] == Run.objects.count()
    assert not (Command.objects.exists() or Event.objects.exists() or Message.objects.exists())
    assert shown("o-1") == before
    after = check_health("o-1", ADA)
    assert (after.status, after.issues_detected) == (health.status, health.issues_detected)
    Alert.objects.update(state=Alert.RESOLVED)
    aged(run, 400)
    assert pruned()["removed"] >= 1 and counts()["Step"] == 0 and not RunHealth.objects.exists()


def test_a_condensed_run_is_restarted_and_not_run_again() -> None:
    ended("o-1", days=100)
    assert preview(workflow_id="o-1", verb=Verb.RERUN, actor=ADA, step_id="a").refusal == ""
    pruned()
    assert "was archived on" in preview(workflow_id="o-1", verb=Verb.RERUN, actor=ADA, step_id="a").refusal
    with pytest.raises(WrongState, match="archived on .* restart the run"):
        act(workflow_id="o-1", verb=Verb.RERUN, actor=ADA, step_id="a")
    again = act(workflow_id="o-1", verb=Verb.RESTART, actor=ADA)
    assert again.context == {"name": "ada"} and again.workflow_id != "o-1"
    aged(Run.objects.get(workflow_id="o-1"), 400)
    assert pruned()["removed"] == 1 and Run.objects.get().pk == again.pk, "the chain of restarts goes on"


def test_the_id_of_a_removed_run_is_never_used_again() -> None:
    ended("o-1", days=401)
    assert pruned()["removed"] == 1
    stone = Tombstone.objects.get()
    assert (stone.workflow_id, stone.status) == ("o-1", "completed") and len(stone.sha256) == 64
    with pytest.raises(BadInput, match="'o-1' was used by a run that ended completed on .* removed on") as refused:
        ended("o-1")
    assert refused.value.field == "workflow_id" and "choose another" in refused.value.remedy
    with pytest.raises(NotFound, match="no longer kept: it ended completed on .* removed on"):
        get_run("o-1")
    account("bob")
    with pytest.raises(BadInput, match="request_id 'o-1' was used") as refused:
        asked(request_id="o-1", approvers=["bob"])
    assert refused.value.field == "request_id"
    assert AuditEvent.objects.filter(workflow_id="o-1").exists() and verify().is_whole


def test_a_child_takes_another_id_where_a_removed_stranger_had_its_own() -> None:
    ended("o-1.sub.1", days=401)
    pruned()
    run = ended("o-1", PARENT)
    assert run.status == "completed" and run.children.get().workflow_id.startswith("o-1.sub.1~")


def test_a_family_goes_as_a_whole_and_with_its_last_end() -> None:
    run = ended("o-1", PARENT, days=401)
    child = run.children.get()
    Run.objects.filter(pk=child.pk).update(finished_at=now() - timedelta(days=20))
    assert (pruned()["condensed"], counts()["Run"]) == (0, 2)
    Run.objects.filter(pk=child.pk).update(finished_at=None, status="running")
    assert (pruned()["condensed"], counts()["Run"]) == (0, 2)
    Run.objects.filter(pk=child.pk).update(finished_at=now() - timedelta(days=100), status="completed")
    assert (pruned()["condensed"], counts()["Archive"]) == (2, 2)
    aged(child, 301)
    assert (pruned()["removed"], counts()["Run"]) == (2, 0)


def test_a_family_with_an_approval_is_condensed_and_never_removed() -> None:
    account("bob")
    for name, steps in (("gated", [GATE]), ("named", [])):
        run = ended(name, *steps)
        if run.finished_at is None:
            act(workflow_id=name, verb=Verb.ABORT, actor=ADA)
        else:
            act(workflow_id=str(asked(about=name, approvers=["bob"])), verb=Verb.ABORT, actor=ADA)
    settle()
    Run.objects.update(finished_at=F("finished_at") - timedelta(days=500))
    approvals = list(Run.objects.filter(kind="approval").values_list("pk", flat=True))
    had = Event.objects.filter(run_id__in=approvals).count()
    assert len(approvals) == 2 and had
    got = pruned()
    assert (got["condensed"], got["removed"], got["left"]) == (2, 0, 0)
    assert Run.objects.count() == 4 and Event.objects.count() == had and pruned()["condensed"] == 0


def test_what_waits_for_somebody_stays() -> None:
    alerted, mended, told = (ended(name, days=401) for name in ("alerted", "mended", "told"))
    rule = AlertRule.objects.create(name="r", severity="critical")
    alert = Alert.objects.create(
        rule=rule, fingerprint="f", severity="critical", title="t", sentence="s", opened_at=now(), last_seen_at=now()
    )
    AlertMember.objects.create(alert=alert, run_id=alerted.pk, code="ended_incomplete", joined_at=now())
    RecoveryAttempt.objects.create(
        run=mended, chain=mended.pk, action="restart", state="watching", decided_at=now(), actor="olga"
    )
    Message.objects.create(run=told, message_id="m", event={"kind": "rerun_requested"})
    assert pruned()["removed"] == 0 and Run.objects.count() == 3
    Alert.objects.update(state=Alert.RESOLVED, resolved_at=now())
    RecoveryAttempt.objects.update(state="worked")
    Message.objects.update(delivered_at=now())
    assert pruned()["removed"] == 3 and not RecoveryAttempt.objects.exists()


def test_definitions_that_came_in_with_a_run_go_with_the_last_of_them() -> None:
    first, second = ended("o-1", days=401), ended("o-2")
    Definition.objects.update(listed=False, version=0)
    pruned()
    assert Definition.objects.count() == 1
    aged(second, 401)
    pruned()
    assert not Definition.objects.exists() and first.definition_id


def test_pruning_is_told_in_the_audit() -> None:
    ended("o-2", days=401), ended("o-1", days=401), ended("young", days=100)
    pruned()
    rows = {row.action: row for row in AuditEvent.objects.filter(action__startswith="prune.")}
    assert set(rows) == {"prune.removed", "prune.condensed"}
    digest = hashlib.sha256(b"o-1\no-2\n").hexdigest()
    told = {"runs": 2, "first": "o-1", "last": "o-2", "ids_sha256": digest}
    assert rows["prune.removed"].data == told and rows["prune.removed"].actor == BY.name
    assert verify().is_whole


def test_the_record_is_a_file_before_anything_goes(settings: Settings, tmp_path: Path) -> None:
    settings.ZEN_SECRETS = {"KEY": "s3cr3t-value"}
    settings.ZEN_ARCHIVE_DIR = str(tmp_path / "archive")
    ended("o-1", days=100, context={"name": "s3cr3t-value"})
    pruned()
    archive = Archive.objects.get()
    path = tmp_path / "archive" / archive.file
    assert hashlib.sha256(path.read_bytes()).hexdigest() == archive.sha256
    rows = [json.loads(text) for text in path.read_text().splitlines()]
    assert [row["row"] for row in rows[:4]] == ["run", "definition", "step", "attempt"]
    assert {"event"} <= {row["row"] for row in rows} and "s3cr3t" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600 and len(list(path.parent.iterdir())) == 1


def test_nothing_goes_where_the_record_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings.ZEN_ARCHIVE_DIR = str(tmp_path / "file")
    ended("o-1", days=100)
    before = counts()
    with pytest.raises(OSError, match="Not a directory"):
        pruned()
    assert counts() == before


def test_a_dry_run_counts_the_same_and_changes_nothing() -> None:
    for name, days in (("o-1", 401), ("o-2", 401), ("o-3", 100), ("o-4", 1)):
        ended(name, days=days)
    before, audited = counts(), AuditEvent.objects.count()
    dry = pruned(dry=True)
    assert counts() == before and AuditEvent.objects.count() == audited
    got = pruned()
    assert dry["dry_run"] and not got["dry_run"]
    assert (dry["condensed"], dry["removed"]) == (got["condensed"], got["removed"]) == (1, 2)


def test_nothing_goes_where_everything_is_kept_for_ever(settings: Settings) -> None:
    settings.ZEN_KEEP_LINES_DAYS = settings.ZEN_KEEP_DETAIL_DAYS = settings.ZEN_KEEP_RUNS_DAYS = 0
    line(ended("o-1", days=5000))
    before = counts()
    assert pruned()["condensed"] == 0 and counts() == before
