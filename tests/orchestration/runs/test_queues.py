"""A queue that nobody serves is named, with the command that would."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from foundation.clock import now
from monitoring.probes.work import workers
from orchestration.console.queues_below import queues_of_family
from orchestration.models import Command, Definition, Run, Worker
from orchestration.runs import publish, start_run
from orchestration.runs.waiting_reasons import MOST_CHILDREN, MOST_LINES, why
from orchestration.workers import lease
from orchestration.workers.celery.worker import work
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


def started(*queues: str) -> Run:
    act = {"type": "api_call", "url": "http://127.0.0.1:1/", "method": "POST"}
    steps: list[dict[str, Any]] = [{"step_id": f"s{n}", "forward_action": act} for n in range(len(queues))]
    for step, queue in zip(steps, queues, strict=True):
        if queue:
            step["queue"] = queue
    run, _ = start_run(definition={"saga_id": "queues", "steps": steps}, actor=ADA, engine="celery")
    return run


def serving(**queues: int) -> None:
    detail = {"queues": queues} if queues else {}
    soon = now() + timedelta(minutes=5)
    Worker.objects.create(name="w", engine="celery", started_at=now(), lease_until=soon, detail=detail)


def test_the_row_of_a_command_has_the_steps_queue() -> None:
    run = started("agents")
    assert Command.objects.get(run=run, step_id="s0").queue == "agents"


def test_why_names_a_queue_that_nobody_serves_and_the_command_that_would() -> None:
    serving(default=8, agent=2)
    (line,) = why(started("agents"))
    assert "no celery worker serves the queue 'agents' (served is 'agent')" in line
    assert "ZEN_WORKER_QUEUES=default:8,agents:4 celery -A zen_project worker -B" in line


def test_why_says_nothing_of_a_queue_that_is_served() -> None:
    serving(agents=2)
    (line,) = why(started("agents"))
    assert "queue" not in line


ACT = {"type": "api_call", "url": "http://127.0.0.1:1/", "method": "POST"}


def saga(name: str, **queues: str) -> dict[str, Any]:
    """With a step for each queue."""
    steps = [{"step_id": step_id, "forward_action": ACT, "queue": queue} for step_id, queue in queues.items()]
    return {"saga_id": name, "steps": steps}


def with_children(name: str, *children: Any) -> dict[str, Any]:
    steps = [
        {"step_id": f"c{n}", "forward_action": {"type": "saga", "definition": child}, "dependencies": []}
        for n, child in enumerate(children)
    ]
    return {"saga_id": name, "steps": steps}


def begun(definition: dict[str, Any]) -> Run:
    return start_run(definition=definition, actor=ADA, engine="celery")[0]


def test_a_family_needs_the_queues_of_its_children_too() -> None:
    publish(data=saga("leaf", a="agents", b="default"), actor=ADA)
    publish(data=with_children("mid", "leaf", saga("inline", x="gpu")), actor=ADA)
    run = begun(with_children("top", "mid", with_children("between", saga("deep", y="mail"))))
    assert queues_of_family(run) == {"default", "agents", "gpu", "mail"}


def test_a_handler_with_an_argument_of_that_name_has_no_child() -> None:
    publish(data=saga("leaf", a="agents"), actor=ADA)
    task = {"type": "task", "handler": "x", "definition": "leaf"}
    run = begun({"saga_id": "top", "steps": [{"step_id": "s", "forward_action": task}]})
    assert queues_of_family(run) == {"default"}


def test_a_version_published_since_and_one_that_is_not_there_break_nothing() -> None:
    publish(data=saga("leaf", a="agents"), actor=ADA)
    publish(data=with_children("mid", "leaf"), actor=ADA)
    run = begun(with_children("top", "mid"))
    Definition.objects.filter(saga_id="leaf").update(listed=False)
    assert queues_of_family(run) == {"default"}
    publish(data=saga("leaf", a="gpu"), actor=ADA)
    assert queues_of_family(run) == {"default", "gpu"}


def test_a_circle_of_stored_sagas_is_walked_once() -> None:
    publish(data=saga("one", a="agents"), actor=ADA)
    publish(data=with_children("two", "one"), actor=ADA)
    run = begun(with_children("top", "two"))
    Definition.objects.filter(saga_id="one").update(body=with_children("one", "two"))
    assert queues_of_family(run) == {"default"}


def test_a_parent_says_that_nobody_serves_its_childs_queue() -> None:
    serving(default=8)
    run = begun(with_children("top", saga("kid", k="agents")))
    lease.renew("w", queues={"default": 8})
    work("w")
    child = run.children.get()
    head, line = why(run)
    assert head == f"step 'c0' waits for the child run '{child.workflow_id}' ({child.status})"
    assert line == f"child run '{child.workflow_id}' ({child.status}): {why(child)[0]}"
    assert "no celery worker serves the queue 'agents'" in line


def test_it_says_so_of_one_level_and_of_few_children() -> None:
    serving(default=8)
    kids = [saga(f"kid{n}", k="agents") for n in range(MOST_CHILDREN + 2)]
    run = begun(with_children("top", with_children("mid", *kids)))
    lease.renew("w")
    work("w")
    mid = run.children.get()
    assert sum(line.startswith("child run") for line in why(mid)) == MOST_CHILDREN
    told = why(run)
    assert len(told) == 1 + MOST_LINES and all(f"child run '{mid.workflow_id}'" in line for line in told[1:])


def test_doctor_names_a_queue_that_a_later_step_will_need() -> None:
    serving(default=8)
    started("", "agents")
    found = workers()
    assert found.state == "warning" and "no celery worker serves the queue 'agents'" in found.detail
    assert "agents:4 celery -A zen_project worker" in found.remedy


def test_doctor_is_content_once_it_is_served_and_once_no_run_needs_it() -> None:
    serving(default=8, agents=1)
    run = started("", "agents")
    assert workers().state == "ok"
    Worker.objects.update(detail={})  # a worker of before there were queues
    assert workers().state == "warning"
    Run.objects.filter(pk=run.pk).update(finished_at=now())
    Command.objects.all().delete()
    assert workers().state == "ok"


def test_a_worker_says_which_queues_it_serves(settings: Any) -> None:
    settings.ZEN_WORKER_QUEUES = {"default": 3, "agents": 1}
    lease.renew("w")
    assert Worker.objects.get().detail["queues"] == {"default": 3, "agents": 1}
