"""A run that is nearly as many levels below others as a run may be."""

from __future__ import annotations

import itertools

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from monitoring.models import RunHealth
from monitoring.watch import rows, sweep
from orchestration.models import Run
from orchestration.runs import start_run
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

WAITS = {"saga_id": "deep", "steps": [{"step_id": "w", "forward_action": {"type": "wait", "hours": 5}}]}


def chain(levels: int) -> list[Run]:
    """So many open runs, each the parent of the next."""
    made = [start_run(definition=WAITS, actor=ADA, engine="celery")[0] for _ in range(levels)]
    for above, below in itertools.pairwise(made):
        Run.objects.filter(pk=below.pk).update(parent=above, parent_step="w")
    return made


def issues(run: Run) -> list[tuple[str, str]]:
    return [(issue["code"], issue["severity"]) for issue in RunHealth.objects.get(pk=run.pk).issues]


def test_a_run_on_the_last_levels_says_so(settings: Settings) -> None:
    settings.ZEN_MAX_CHILD_DEPTH = 4
    runs = chain(5)
    sweep.sweep(at_once=True)
    near = [[severity for code, severity in issues(run) if code == "near_limit"] for run in runs]
    assert near == [[], [], [], ["warning"], ["critical"]]
    last = next(one for one in RunHealth.objects.get(pk=runs[4].pk).issues if one["code"] == "near_limit")
    assert last["sentence"] == "4 of 4 levels of child sagas: a deeper one is refused"


def test_where_one_level_is_allowed_a_child_is_nothing_to_tell_of(settings: Settings) -> None:
    settings.ZEN_MAX_CHILD_DEPTH = 1
    runs = chain(2)
    sweep.sweep(at_once=True)
    assert not any(code == "near_limit" for run in runs for code, _ in issues(run))


def test_depth_costs_a_query_for_each_level_and_none_without_parents() -> None:
    runs = chain(4)
    with CaptureQueriesContext(connection) as alone:
        assert rows.rows_of([runs[0].pk]).depths == {}
    with CaptureQueriesContext(connection) as below:
        assert rows.rows_of([run.pk for run in runs]).depths == {run.pk: n for n, run in enumerate(runs) if n}
    assert len(below) - len(alone) <= 6
