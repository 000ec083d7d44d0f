"""`deploy` from a project's run, as a run of its own or as the project's child; and what operators see and stop."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pytest_django import Settings

from foundation.errors import BadInput, NotAllowed, NotFound, WrongState
from foundation.identity.actor import Actor
from foundation.machine import tcp_ports
from foundation.models import AuditEvent
from orchestration.agents.workspace.layout import Layout
from orchestration.core.deployment import DeploymentSpec, compile_deployment, validate_deployment
from orchestration.core.enums import Verb
from orchestration.core.project.sagas.project import DEPLOYED
from orchestration.models import Run
from orchestration.projects.deployment.local import ports
from orchestration.projects.deployment.service import deploy, deployment_views, stop_deployment
from orchestration.projects.start import prepared
from orchestration.runs import act, start_run
from orchestration.runs.queries import run_view
from tests.orchestration.projects.deployment.handlers import TASKS
from tests.orchestration.projects.deployment.shop import QUICK, Shop
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA
from tests.system.crash.workers import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
VIEWER = Actor(name="vera", door="python", roles=frozenset({"viewer"}))


class Project:
    """A project whose head was verified, or not."""

    def __init__(self, shop: Shop, **config: Any) -> None:
        self.shop, self.workflow_id = shop, f"project-{uuid.uuid4().hex[:8]}"
        shop.repository = Layout.of(self.workflow_id).repository
        shop.repository.parent.mkdir(parents=True)
        self.config = {"deployment_strategy": "blue_green", "deployment": QUICK | {"name": "shop"}} | config

    def run(self, head: str, *more: dict[str, Any]) -> Run:
        steps: list[dict[str, Any]] = [
            {"step_id": "verify", "forward_action": {"type": "task", "handler": "verified", "head": head}},
            {"step_id": "accept", "forward_action": {"type": "task", "handler": "accepted"}},
            *more,
        ]
        context = {"project": {"spec": {"project_id": "shop"}, "config": self.config}}
        run, _ = start_run(
            definition={"saga_id": "project.shop", "steps": steps, "context": context},
            actor=ADA, engine=self.shop.engine, workflow_id=self.workflow_id, kind=Run.PROJECT,
        )  # fmt: skip
        return until(run)


@pytest.fixture
def project(shop: Shop, settings: Settings) -> Project:
    settings.ZEN_TASKS = TASKS
    return Project(shop)


def test_the_verified_head_of_a_project_is_deployed(project: Project) -> None:
    project.run(project.shop.commit("one"))
    run = until(deploy(project.workflow_id, actor=ADA))
    assert run.status == "completed", run_view(run)["error"]
    assert run.workflow_id == f"{project.workflow_id}.deploy-1" and project.shop.version() == "one"
    squatter = {"saga_id": "other", "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 5000}}]}
    start_run(definition=squatter, actor=ADA, engine=run.engine, workflow_id=f"{project.workflow_id}.deploy-2")
    again = until(deploy(project.workflow_id, actor=ADA, strategy="rolling"))
    assert again.status == "completed" and again.workflow_id == f"{project.workflow_id}.deploy-3"


def test_a_deployment_beside_another_is_refused(project: Project) -> None:
    project.run(project.shop.commit("one"))
    project.config["deployment"]["window_seconds"] = 60
    first = deploy(project.workflow_id, actor=ADA)
    with pytest.raises(WrongState, match=f"run '{first.workflow_id}' deploys 'shop' and is") as told:
        deploy(project.workflow_id, actor=ADA)
    assert told.value.remedy.endswith(f"runs abort {first.workflow_id}")
    until(first, lambda r: bool(deployment_views()))
    with pytest.raises(WrongState, match="deploys 'shop'"):
        stop_deployment("shop", actor=ADA)
    act(workflow_id=first.workflow_id, verb=Verb.ABORT, actor=ADA)
    assert until(first).status == "rolled_back" and project.shop.processes() == []


def test_what_cannot_be_deployed_is_refused(project: Project) -> None:
    with pytest.raises(NotFound, match="there is no run"):
        deploy("nobody", actor=ADA)
    other, _ = start_run(
        definition={"saga_id": "x", "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 0}}]},
        actor=ADA, engine=project.shop.engine,
    )  # fmt: skip
    with pytest.raises(NotFound, match="is no project"):
        deploy(other.workflow_id, actor=ADA)
    project.config["deployment"]["port"] = "80"
    project.run(project.shop.commit("one"))
    with pytest.raises(BadInput, match=r"deployment.port: is not valid \(got '80'\)"):
        deploy(project.workflow_id, actor=ADA)
    with pytest.raises(BadInput, match="deployment_strategy: is not a known strategy"):
        deploy(project.workflow_id, actor=ADA, strategy="green")
    assert not Run.objects.filter(definition__saga_id="deployment.shop").exists()


def test_a_head_that_is_not_verified_is_not_deployed(shop: Shop, settings: Settings) -> None:
    settings.ZEN_TASKS = TASKS
    project = Project(shop, deployment_strategy="none")
    project.run("")
    with pytest.raises(BadInput, match="deployment_strategy is none"):
        deploy(project.workflow_id, actor=ADA)
    with pytest.raises(WrongState, match="is not verified and accepted"):
        deploy(project.workflow_id, actor=ADA, strategy="canary")


def test_who_may_not_start_runs_may_not_deploy(project: Project) -> None:
    project.run(project.shop.commit("one"))
    with pytest.raises(NotAllowed):
        deploy(project.workflow_id, actor=VIEWER)


def test_a_project_that_fails_after_its_deployment_takes_it_back(project: Project) -> None:
    """As the phase `deploy` of a project does it: a child saga, rolled back as one with its parent."""
    project.run(project.shop.commit("one"))
    until(deploy(project.workflow_id, actor=ADA))
    shop, two = project.shop, project.shop.commit("two")
    spec = DeploymentSpec(name="shop", config=validate_deployment(dict(QUICK)))
    child = compile_deployment(spec)
    assert child is not None and set(DEPLOYED) == {"commit", "repository"}
    context = {"commit": two, "repository": str(shop.repository)}
    body = child.model_dump(mode="json", exclude_unset=True)
    steps = [
        {"step_id": "deploy", "forward_action": {"type": "saga", "definition": body, "context": context}},
        {"step_id": "report", "forward_action": {"type": "task", "handler": "nobody"}},
    ]
    whole = {"saga_id": "project.x", "steps": steps}
    run, _ = start_run(definition=whole, actor=ADA, engine=shop.engine, compiled=True)
    assert until(run).status == "rolled_back"
    deployed = Run.objects.get(parent=run)
    outputs: dict[str, Any] = {
        row.step_id: row.output for row in deployed.commands.filter(purpose="undo", outcome="succeeded")
    }
    assert list(outputs) == ["drain", "switch", "start", "release"] and shop.version() == "one"
    assert outputs["switch"]["proof"]["status"] == 200 and len(shop.record.releases) == 1


def test_operators_see_and_stop_what_is_deployed(project: Project, process_env: dict[str, str], data: Path) -> None:
    project.run(project.shop.commit("one"))
    until(deploy(project.workflow_id, actor=ADA))
    users = project.shop.record.port
    (view,) = deployment_views()
    backends: Any = view["backends"]
    assert view["switch"] == "running" and [one["running"] for one in backends] == [True]
    with pytest.raises(NotFound, match="nothing called 'shob' is deployed") as told:
        deployment_views("shob")
    assert "shop" in told.value.remedy
    with pytest.raises(NotAllowed):
        stop_deployment("shop", actor=VIEWER)

    def manage(*words: str) -> subprocess.CompletedProcess[str]:
        env = process_env | {"ZEN_DATA_DIR": str(data)}
        return subprocess.run([sys.executable, "manage.py", "deployment", *words], cwd=ROOT, env=env, text=True,
                              capture_output=True, check=False, stdin=subprocess.DEVNULL)  # fmt: skip

    shown = manage("status")
    assert "switch running" in shown.stdout and backends[0]["release"] in shown.stdout, shown.stderr
    assert json.loads(manage("status", "shop", "--json").stdout)["deployments"][0]["live"] == view["live"]
    asked = manage("stop", "shop")
    assert asked.returncode == 2 and "repeat with --yes" in asked.stderr and project.shop.version() == "one"
    done = manage("stop", "shop", "--yes", "--note", "end of the trial", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["left"] == [], done.stderr
    assert deployment_views() == [] and deployment_views("shop")[0]["switch"] == "down"
    assert project.shop.processes() == [] and project.shop.version() == "" and ports.leases() == {}
    assert not any(tcp_ports.taken(port) for port in (users, *(one["port"] for one in backends)))
    assert AuditEvent.objects.filter(action="deployment.stop", note="end of the trial").count() == 1
    assert manage("stop", "nobody", "--yes").returncode == 2


def test_two_projects_of_one_project_id_have_users_of_their_own(shop: Shop, settings: Settings) -> None:
    """Unless the second one says that it is the next version of the first."""
    settings.ZEN_TASKS = TASKS
    projects = [Project(shop, deployment=dict(QUICK)), Project(shop, deployment=dict(QUICK))]
    for project, version in zip(projects, ("one", "two"), strict=True):
        shop.repository = Layout.of(project.workflow_id).repository
        project.run(shop.commit(version))
        assert until(deploy(project.workflow_id, actor=ADA)).status == "completed"
    names = [project.workflow_id for project in projects]
    assert [view["name"] for view in deployment_views()] == sorted(names)
    for name, version in zip(names, ("one", "two"), strict=True):
        shop.name = name
        assert shop.version() == version
    shop.name = names[0]
    third = Project(shop, deployment=QUICK | {"name": names[0]})
    third.run(shop.commit("three"))
    assert until(deploy(third.workflow_id, actor=ADA)).status == "completed" and shop.version() == "three"


def test_the_port_of_another_deployment_is_refused_before_any_work_is_done(shop: Shop) -> None:
    assert until(shop.deploy(shop.commit("one"))).status == "completed"

    def refused(**deployment: Any) -> dict[str, Any]:
        config = {"deployment_strategy": "blue_green", "deployment": {"port": shop.record.port, **deployment}}
        spec = {"project_id": "kiosk", "name": "Kiosk", "requirements": ["x"], "agents_required": ["CLAUDE"]}
        with pytest.raises(BadInput) as told:  # no agent is there at all
            prepared(spec=spec, config=config)
        return {str(one["field"]): one["remedy"] for one in told.value.problems}

    assert "`name: shop` to take over" in refused()["config.deployment.port"]
    assert "config.deployment.port" not in refused(name="shop")
    assert "config.deployment.port" not in refused(queue="edge")


def test_the_steps_of_a_deployment_act_in_no_other_saga(shop: Shop) -> None:
    steal = {"type": "task", "handler": "zen.deploy.release", "project": "shop", "deployment": {}, "commit": "x"}
    run, _ = start_run(
        definition={"saga_id": "other", "steps": [{"step_id": "release", "forward_action": steal}]},
        actor=ADA, engine=shop.engine, compiled=True,
    )  # fmt: skip
    assert until(run).status == "rolled_back"
    assert "belong to the saga 'deployment.shop', and this run is of 'other'" in run.commands.get().error


def test_no_site_can_register_a_reserved_name(shop: Shop) -> None:
    from orchestration.actions.task import find

    with override_settings(ZEN_TASKS={"zen.deploy.release": "os.getcwd", "zen.own": "os.getcwd"}):
        assert find("zen.own") is None and find("zen.deploy.release") is not None
        assert "projects.deployment" in str(getattr(find("zen.deploy.release"), "__module__", ""))
