"""kill -9 of worker, agent, site and Temporal at every phase of a project: it goes on, and nothing is done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from approvals.models import Request
from foundation.models import ApiToken
from orchestration.agents.endpoints.given import Given
from orchestration.agents.endpoints.services import add
from orchestration.agents.workspace.history import entries
from orchestration.agents.workspace.janitor import leftovers
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.owned import processes
from orchestration.agents.workspace.repository import INTEGRATION, Repository
from orchestration.models import AgentAttempt, AgentLease, Command, Run
from orchestration.projects.deployment.local import processes as deployed
from orchestration.projects.deployment.local.folder import folder_of, folders, read, root
from orchestration.projects.deployment.local.releases import stop_all
from orchestration.projects.phases.project import output_of
from orchestration.runs.queries import run_view
from tests.support.servers.fixtures import need
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA
from tests.system.crash.test_temporal import again
from tests.system.crash.workers import ROOT, WorkerProcess, worker
from zen_project.embedded import temporal
from zen_project.embedded.ports import free_port
from zen_project.embedded.process import OwnedServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]
PLACES = (
    "acted@prepare", "acting@analyze", "acted@plan", "acted@t1", "acted@t1-merge", "acted@verify", "acting@release",
    "acted@switch", "acted@report",
)  # fmt: skip
"""Where a worker stops and is killed, in the order in which a run comes by."""
CONFIG = {"deployment_strategy": "blue_green", "deployment": {"window_seconds": 0.5, "interval_seconds": 0.1}}
SLOW = {"ZEN_SCRIPTED_SECONDS": "4"}


def spec(**more: Any) -> dict[str, Any]:
    tasks = [
        {"task_id": f"t{n}", "prompt": f"Make {n}.\nscripted: works_slowly", "requirements": [f"R{n}"],
         "checks": [f"test -s t{n}.md"]} for n in (1, 2)
    ]  # fmt: skip
    proof = {"text": "Both are there", "check": "test -s t1.md -a -s t2.md"}
    return {
        "project_id": "shop", "name": "Shop", "requirements": ["A cart", "A till"], "agents_required": ["CLAUDE"],
        "tasks": tasks, "success_criteria": [proof],
    } | more  # fmt: skip


class Site:
    """The processes of an installation, each of which can be killed."""

    def __init__(self, engine: str, env: dict[str, str], server: OwnedServer | None, folder: Path) -> None:
        self.engine, self.env, self.server, self.folder = engine, env, server, folder

    def worker(self) -> AbstractContextManager[WorkerProcess]:
        command = ("manage.py", "temporal_worker") if self.engine == "temporal" else ()
        return worker(self.env, *command, engine=self.engine)

    @contextmanager
    def pausing(self, place: str) -> Iterator[Path]:
        """A worker that stops at this place; it is killed when the block is left."""
        marker = self.folder / f"at-{place}"
        command = ["temporal_worker"]
        if self.engine == "celery":
            command = ["celery", "worker", "-B", "-l", "warning", "-c", "4", "-s", f"{marker}-beat"]
        words = ("-m", "tests.system.crash.pausing", place, str(marker), *command)
        with worker(self.env, *words, engine=self.engine) as one:
            yield marker
            one.kill()

    def started(self, **more: Any) -> Run:
        """Over REST, by a web process that is killed as soon as it has answered."""
        self._asked("olga", "operator", "projects/", project_spec=spec(**more), config=CONFIG, engine=self.engine)
        return Run.objects.get(workflow_id="shop")

    def approved(self, request: Request) -> None:
        """The same, by somebody who may decide."""
        seen = Request.objects.values_list("shown_hash", flat=True).get(pk=request.pk)
        self._asked("bob", "approver", f"approvals/{request}/decide/", decision="approve", seen=seen)

    def _asked(self, name: str, role: str, path: str, **body: Any) -> None:
        _, token = ApiToken.issue(account(name, role), name="crash")
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "zen_project.asgi:application", "--port", str(port)]
        web = subprocess.Popen(command, cwd=ROOT, env=self.env, start_new_session=True)
        try:
            wait_until(lambda: answers(port), "the site")
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            url = f"http://127.0.0.1:{port}/api/v1/{path}"
            asked = urllib.request.Request(url, json.dumps(body).encode(), headers)
            with urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS) as answer:
                assert answer.status in (200, 201)
        finally:
            os.killpg(web.pid, signal.SIGKILL)
            web.wait(PATIENCE_SECONDS)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=30) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(params=["celery", "temporal"])
def site(
    request: pytest.FixtureRequest, process_env: dict[str, str], settings: Settings, tmp_path: Path
) -> Iterator[Site]:
    settings.ZEN_DATA_DIR = tmp_path / "data"
    settings.ZEN_DATA_DIR.mkdir()
    env = process_env | {
        "ZEN_DATA_DIR": str(settings.ZEN_DATA_DIR), "ZEN_LOG_LEVEL": "warning", "ZEN_WORKER_LEASE_SECONDS": "3",
    }  # fmt: skip
    with ExitStack() as left:
        left.callback(lambda: [stop_all(one) for one in folders()])
        server = None
        if request.param == "celery":
            env["CELERY_BROKER_URL"] = request.getfixturevalue("valkey_url")
        else:
            need(temporal.available)
            server = left.enter_context(temporal.temporal_dev_server(tmp_path / "temporal"))
            settings.TEMPORAL_ADDRESS = env["TEMPORAL_ADDRESS"] = server.address
        add(Given(name="one", agent_type="CLAUDE", driver="scripted", concurrency=2, env=SLOW), actor=ADA)
        yield Site(request.param, env, server, tmp_path)


def done_once(run: Run, *more: str) -> None:
    """One commit and one merge for each task, one session that was judged good, and nothing that anybody left.

    `more`: the step of each further session that was due.
    """
    assert run.status == "completed", run_view(run)["error"]
    repository = Repository(layout=Layout.of(run.workflow_id))
    assert Counter(one.task for one in entries(repository) if one.merges) == {"t1": 1, "t2": 1}
    log = ("log", "--no-merges", "--format=%(trailers:key=Zen-Task,valueonly)", f"{repository.base()}..{INTEGRATION}")
    assert Counter(repository.git.out(*log).split()) == {"t1": 1, "t2": 1}
    for good in ({"verdict": "done"}, {"ended": "end_turn"}):
        rows = AgentAttempt.objects.filter(**good)
        held = Counter(rows.values_list("step_id", flat=True))
        assert held == Counter(["t1", "t2", *more]), "no session is paid for twice"
    assert not AgentLease.objects.exists()
    assert leftovers(repository.layout).is_empty and output_of(run, "report")["janitor"]["clean"]
    record = read(folder_of(run.workflow_id))
    assert list(record.releases) == [record.live] and len(record.backends()) == 1
    stop_all(folder_of(run.workflow_id))
    assert deployed.marked(f"{root()}/") == []


def test_a_worker_killed_at_every_phase_is_replaced_and_the_site_is_not_needed(site: Site) -> None:
    run = site.started()
    for place in PLACES:
        with site.pausing(place) as marker:
            wait_until(lambda: marker.exists() or ended(run), lambda: f"{place}: {run_view(run)}")  # noqa: B023
            assert marker.exists(), run_view(run)["error"]
    with site.worker():
        done_once(until(run))


def ended(run: Run) -> bool:
    return Run.objects.filter(pk=run.pk, finished_at__isnull=False).exists()


def test_an_agent_killed_at_work_is_replaced_and_what_it_left_is_gone(site: Site) -> None:
    run = site.started()
    with site.worker():
        wait_until(lambda: AgentAttempt.objects.exclude(session_id="").count() == 2, "both agents are at work")
        killed = processes(Layout.of("shop"))
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        until(run)
    assert set(AgentAttempt.objects.exclude(verdict="done").values_list("verdict", flat=True)) == {"crashed"}
    done_once(run)


def test_a_worker_killed_over_a_conflict_and_a_site_over_an_answer_are_not_needed(site: Site) -> None:
    account("bob")
    words = "```write same.txt\n{}\n```\nscripted: works_slowly"
    tasks = [{"task_id": f"t{n}", "prompt": words.format(n), "requirements": [f"R{n}"]} for n in (1, 2)]
    proof = {"text": "It is there", "check": "test -s same.txt"}
    gate = {"name": "Second", "before": "t2"}
    run = site.started(tasks=tasks, success_criteria=[proof], approval_gates=[gate])
    merged = Command.objects.filter(step_id="t1-merge", outcome="succeeded")
    resolving = AgentAttempt.objects.filter(run__parent_step="t2-merge").order_by("id")
    with site.worker() as one:
        wait_until(lambda: merged.exists() and Request.objects.exists(), lambda: run_view(run))
        site.approved(Request.objects.get())
        wait_until(resolving.exclude(session_id="").exists, "an agent at the conflict")
        one.kill()
    with site.worker():
        again = Request.objects.filter(status="pending", content__context__has_key="instead_of")
        wait_until(lambda: ended(run) or again.exists(), lambda: run_view(run))
        says("bob", "approve", again.get())
        until(run)
    assert [row.verdict for row in resolving] == ["crashed", "done"], [row.facts for row in resolving]
    run.refresh_from_db()
    done_once(run, "t2")


@pytest.mark.parametrize("site", ["temporal"], indirect=True)
def test_temporal_killed_at_work_at_the_checks_and_at_the_switch_comes_back_and_the_project_goes_on(site: Site) -> None:
    run = site.started()
    with site.worker(), ExitStack() as servers:
        for step_id in ("t1", "verify", "switch"):
            wait_until(lambda: Command.objects.filter(step_id=step_id).exists(), f"{step_id} begins")  # noqa: B023
            assert site.server is not None
            site.server.kill()
            site.server = servers.enter_context(again(site.server))
        done_once(until(run))


def test_one_red_criterion_outlives_a_killed_worker_and_only_a_person_ends_it(site: Site) -> None:
    account("bob")
    run = site.started(success_criteria=[{"text": "It flies", "check": "test -f wings"}])
    with site.pausing("acted@verify") as marker:
        wait_until(marker.exists, "the checks")
    with site.worker():
        wait_until(lambda: ended(run) or Request.objects.filter(stage="unproved-criteria").exists(), "a question")
        request = Request.objects.get(stage="unproved-criteria")
        assert not ended(run) and "It flies" in request.content["description"]
        assert "it ended with 1" in request.content["description"], "the evidence is shown"
        says("bob", "reject", request, "it does not fly")
        until(run)
    assert run.status == "rolled_back" and "it does not fly" in run_view(run)["error"]
    assert leftovers(Layout.of("shop")).is_empty and deployed.marked(f"{root()}/") == []
