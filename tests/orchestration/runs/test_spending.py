"""Reservations against the budget of a project: many at once never hold more than there is."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from foundation.clock import database_now
from orchestration.agents.endpoints.lease import Attempt, Taken, renew, take
from orchestration.core.agent.agent_type import AgentType
from orchestration.core.project import compile_tasks, planned
from orchestration.execution.agent_step import money
from orchestration.execution.agent_step.record import Record
from orchestration.models import AgentAttempt, AgentLease, Run
from orchestration.projects.start import start_project
from orchestration.runs import start_run
from orchestration.runs.new_run import Parent
from orchestration.runs.spending.funds import funds_of
from tests.orchestration.agents.endpoints.scenes import ADMIN, added
from tests.orchestration.core.project.specs import given, spec

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
ROOT = Path(__file__).parents[3]
RESERVES = """
import django, sys, threading
django.setup()
from django.conf import settings
from django.db import connections
settings.DATABASES["default"]["NAME"] = connections["default"].settings_dict["NAME"] = sys.argv[1]
from orchestration.agents.endpoints.lease import Attempt, take
from orchestration.core.agent.agent_type import AgentType
from orchestration.execution.agent_step import money
from orchestration.execution.agent_step.record import Record
from orchestration.models import AgentEndpoint, Run

def reserve(step):
    run = Run.objects.get(workflow_id="p.build.1")
    with money.reserved(run, step, None) as amount:
        if money.is_enough(amount):
            attempt = Attempt(run_id=run.pk, step_id=step, iteration=1, attempt=int(sys.argv[2]), claim=1)
            take(AgentType.CLAUDE, attempt)
            Record.begun(attempt, AgentEndpoint.objects.get(), branch="b", base="c", reserved=amount)
    connections.close_all()

threads = [threading.Thread(target=reserve, args=(f"t{n}",)) for n in range(1, 9)]
[one.start() for one in threads]
[one.join() for one in threads]
"""


def project(**more: Any) -> tuple[Run, Run]:
    """A project of eight tasks and its build."""
    added(concurrency=16)
    wanted = {"requirements": [f"Part {n}" for n in range(8)], **more}
    home, _ = start_project(spec=given(**wanted), actor=ADMIN, workflow_id="p", engine="celery", config={"budget": 10})
    plan = planned(spec(**wanted))
    assert plan is not None
    parent = Parent(run=home, step_id="build", iteration=1, attempt=1)
    definition = compile_tasks(plan).model_dump(mode="json", exclude_unset=True)
    return home, start_run(definition=definition, actor=ADMIN, workflow_id="p.build.1", engine="celery", parent=parent)[
        0
    ]


def test_eight_at_once_in_two_processes_hold_no_more_than_there_is() -> None:
    home, build = project()
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    name = str(connection.settings_dict["NAME"])
    processes = [
        subprocess.Popen([sys.executable, "-c", RESERVES, name, str(number)], cwd=ROOT, env=env) for number in (1, 2)
    ]
    assert [one.wait() for one in processes] == [0, 0]
    rows = list(AgentAttempt.objects.filter(run=build))
    assert sum((row.reserved or Decimal(0) for row in rows), Decimal(0)) == 10 and len(rows) >= 8
    funds = funds_of(home)
    assert funds is not None and funds.held == 10 and funds.free == 0
    AgentAttempt.objects.update(ended="end_turn", cost=Decimal("0.1"))
    after = funds_of(home)
    assert after is not None and after.spent == len(rows) * Decimal("0.1") and after.held == 0, "the rest returns"
    assert after.free == 10 - after.spent


def test_what_has_cost_more_than_it_reserved_counts_in_full_and_what_is_lost_holds_nothing() -> None:
    home, build = project()
    attempt = Attempt(run_id=build.pk, step_id="t1", iteration=1, attempt=1, claim=1)
    taken = take(AgentType.CLAUDE, attempt)
    assert isinstance(taken, Taken)
    with money.reserved(build, "t1", None) as amount:
        row = Record.begun(attempt, taken.endpoint, branch="b", base="c", reserved=amount).row
    assert amount == Decimal("1.25") and told(home) == (Decimal(0), amount)
    AgentAttempt.objects.filter(pk=row.pk).update(cost=Decimal("1.5"))
    assert told(home) == (Decimal(0), Decimal("1.5"))
    AgentAttempt.objects.filter(pk=row.pk).update(cost=Decimal("0.5"))
    AgentLease.objects.update(until=database_now())  # as once its worker is lost
    assert told(home) == (Decimal("0.5"), Decimal(0))
    with money.reserved(build, "t2", None):
        pass
    assert not renew(taken.lease_id), "a worker that was only late has lost it too, and stops"


def told(home: Run) -> tuple[Decimal, Decimal]:
    funds = funds_of(home)
    assert funds is not None
    return funds.spent, funds.held
