"""Whatever families there are: nothing open goes, nothing of a family with an open run; the rest does."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from approvals.models import Request
from foundation.clock import now
from monitoring.retention.ages import details_until, runs_until
from orchestration.core.enums import RunStatus
from orchestration.models import Archive, Command, Definition, Event, Message, Run, RunLine, Step, Tombstone
from orchestration.runs.definitions import checked, store
from tests.monitoring.retention.scenes import pruned
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True)]
WAIT = {"saga_id": "old", "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 1}}]}
ENDS = [RunStatus.COMPLETED, RunStatus.ROLLED_BACK, RunStatus.ROLLBACK_INCOMPLETE, RunStatus.FORCE_STOPPED]


def family(random: Random, number: int, definition: Definition) -> list[Run]:
    """Up to eight runs of any shape, ended up to 500 days before or open, with rows of each kind."""
    runs: list[Run] = []
    for place in range(random.randint(1, random.choice([1, 1, 3, 8]))):
        is_open, at = random.random() < 0.15, now()
        run = Run.objects.create(
            workflow_id=f"f{number}.{place}", engine="celery", definition=definition, created_at=at, handed_over=True,
            parent=random.choice(runs) if runs else None, parent_step="a", version=2, head={"next_seq": 2},
            status=RunStatus.RUNNING if is_open else random.choice(ENDS),
            finished_at=None if is_open else at - timedelta(days=random.choice([5, 50, 150, 450]) + random.random()),
        )  # fmt: skip
        Step.objects.create(run=run, step_id="a", state={"status": "succeeded", "attempt": 1}, status="succeeded")
        Event.objects.create(run=run, seq=1, at=at, kind="run.started")
        Command.objects.create(run=run, kind="run_action", step_id="a", attempt=1, due_at=at, status="done")
        Message.objects.create(run=run, message_id=f"m{run.pk}", event={}, delivered_at=at)
        RunLine.objects.create(run=run, step_id="a", n=1, at=at, logger="l", text="t")
        runs.append(run)
    return runs


def rows_of(run: Run) -> tuple[int, ...]:
    """How many details, steps and lines a run has."""
    details = sum(model.objects.filter(run_id=run.pk).count() for model in (Event, Command, Message))
    return details, Step.objects.filter(run_id=run.pk).count(), RunLine.objects.filter(run_id=run.pk).count()


@pytest.mark.parametrize("seed", range(4))
def test_what_is_old_enough_goes_and_nothing_else(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    monkeypatch.setattr("monitoring.retention.walk.ENDS", random.choice([1, 3, 2000]))
    monkeypatch.setattr("monitoring.retention.pace.FIRST", random.choice([1, 50]))
    definition, _ = store(checked(WAIT), actor=ADA)
    families = [family(random, number, definition) for number in range(25)]
    details, whole = details_until(), runs_until()
    assert details is not None and whole is not None
    got = pruned()
    condensed = removed = 0
    for runs in families:
        ends = [run.finished_at for run in runs]
        last = None if None in ends else max(end for end in ends if end is not None)
        for run in runs:
            there = Run.objects.filter(pk=run.pk).first()
            if last is not None and last <= whole:
                removed += 1
                stone = Tombstone.objects.get(workflow_id=run.workflow_id)
                assert there is None and (stone.status, rows_of(run)) == (run.status, (0, 0, 0))
            elif last is not None and last <= details:
                condensed += 1
                assert there is not None and rows_of(run) == (0, 1, 0) and Archive.objects.filter(pk=run.pk).exists()
            else:
                lines = int(last is None or last > now() - timedelta(days=14))
                assert there is not None and rows_of(run) == (3, 1, lines), (run, last)
    assert (got["condensed"], got["removed"], got["left"]) == (condensed, removed, 0)
    assert condensed and removed and Tombstone.objects.count() == removed and not Request.objects.exists()
    assert pruned()["condensed"] == 0, "a second pass finds nothing to do"
