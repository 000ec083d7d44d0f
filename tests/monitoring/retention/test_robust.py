"""Killed at any moment, or two at once: each run is whole, condensed or gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connections, transaction

from foundation.audit.verify import verify
from foundation.clock import now
from foundation.errors import NotFound
from foundation.models import AuditEvent
from monitoring.retention.families import ids_of
from monitoring.retention.walk import ANEW, Walk
from monitoring.watch import loops
from orchestration.core.enums import Verb
from orchestration.ledger import removal
from orchestration.models import Archive, Command, Event, Run, Step, Tombstone
from orchestration.runs import act
from orchestration.runs.acts.legal import why_never
from tests.monitoring.retention.scenes import ended, pruned
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


class Killed(BaseException):
    """As by kill -9: nothing after it is done."""


def states() -> dict[str, str]:
    """{workflow id: whole, condensed or removed}; anything else is an error."""
    found = dict.fromkeys(Tombstone.objects.values_list("workflow_id", flat=True), "removed")
    for run in Run.objects.all():
        has = [model.objects.filter(run_id=run.pk).exists() for model in (Event, Command, Step)]
        archived = Archive.objects.filter(pk=run.pk).exists()
        assert has == ([False, False, True] if archived else [True, True, True]) and run.workflow_id not in found
        found[run.workflow_id] = "condensed" if archived else "whole"
    return found


def killing(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the pruner killed at its `at`-th deletion."""
    left, delete = [at], removal.delete

    def counted(*given: object, **named: object) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return delete(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(removal, "delete", counted)


@pytest.mark.parametrize("at", [0, 2, 5, 8, 13, 17])
def test_who_is_killed_leaves_each_run_whole_or_done(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        ended(f"c-{number}", days=100 + number), ended(f"r-{number}", days=401 + number)
    monkeypatch.setattr("monitoring.retention.pace.FIRST", 1)
    with monkeypatch.context() as patched:
        killing(at, patched)
        with pytest.raises(Killed):
            pruned()
    assert set(states()) == {f"{word}-{number}" for word in "cr" for number in range(3)} and verify().is_whole
    pruned()
    assert states() == {f"{w}-{n}": {"c": "condensed", "r": "removed"}[w] for w in "cr" for n in range(3)}
    told = AuditEvent.objects.filter(action__startswith="prune.")
    assert sum(row.data.get("runs", 0) for row in told) == 6, "each once"


def in_a_thread(do: Callable[[], object]) -> threading.Thread:
    def whole() -> None:
        try:
            do()
        finally:
            connections.close_all()

    thread = threading.Thread(target=whole, daemon=True)
    thread.start()
    return thread


def test_two_at_once_do_each_run_once() -> None:
    for number in range(12):
        ended(f"c-{number}", days=100 + number), ended(f"r-{number}", days=401 + number)
    results: list[dict[str, int]] = []
    for thread in [in_a_thread(lambda: results.append(pruned())) for _ in range(2)]:
        thread.join(PATIENCE_SECONDS)
    pruned()  # what one of them had locked while the other came by
    assert set(states().values()) == {"condensed", "removed"} and verify().is_whole
    told = AuditEvent.objects.filter(action__startswith="prune.")
    assert sum(row.data.get("runs", 0) for row in told) == 24 and len(results) == 2


@pytest.mark.only_on("postgresql")
def test_what_somebody_has_locked_is_passed_over() -> None:
    mine, other = ended("mine", days=100), ended("other", days=100)
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Run.objects.select_for_update().get(pk=mine.pk)
            locked.set()
            done.wait(PATIENCE_SECONDS)

    thread = in_a_thread(hold)
    assert locked.wait(PATIENCE_SECONDS)
    assert pruned()["condensed"] == 1 and states() == {"mine": "whole", "other": "condensed"}
    done.set()
    thread.join(PATIENCE_SECONDS)
    assert pruned()["condensed"] == 1 and other.pk


def test_a_pass_goes_on_where_the_last_one_was_and_begins_anew_after_a_week() -> None:
    run = ended("o-1", days=100)
    pruned()
    told = loops.told(loops.PRUNE)["detail"]["walks"]["details"]
    assert told["run"] == run.pk and datetime.fromisoformat(told["at"]) == run.finished_at
    before, began = ended("before", days=110), datetime.fromisoformat(told["began"])
    assert next_families(Walk.stored(told, began)) is None, "it ended before the place that was reached"
    assert next_families(Walk.stored(told, began + ANEW + timedelta(seconds=1))) == {before.pk, run.pk}


def next_families(walk: Walk) -> set[int] | None:
    found = walk.take(now() - timedelta(days=90), 50, lambda runs: ())
    return None if found is None else set(ids_of(found))


def test_an_act_on_a_run_that_is_removed_meanwhile_finds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    ended("gone", days=401)

    def removed_meanwhile(run: Run, verb: Verb) -> str:
        pruned()
        return why_never(run, verb)

    monkeypatch.setattr("orchestration.runs.acts.acting.why_never", removed_meanwhile)
    with pytest.raises(NotFound, match="was removed"):
        act(workflow_id="gone", verb=Verb.HOLD, actor=ADA, note="-")
