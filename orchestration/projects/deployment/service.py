"""What doors call: deploy a project's verified head, and see and stop what is deployed on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from pydantic import JsonValue

from foundation import audit
from foundation.errors import BadInput, NotFound, WrongState
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.machine import tcp_ports
from orchestration.agents.workspace.layout import Layout
from orchestration.core.definition import DefinitionErrors
from orchestration.core.deployment import DeploymentSpec, compile_deployment, validate_deployment
from orchestration.core.deployment.compile import PREFIX
from orchestration.core.project.phases import PROJECT
from orchestration.models import Run, Tombstone
from orchestration.projects.deployment.claims import open_deployments
from orchestration.projects.deployment.local import ports, processes, releases, switch
from orchestration.projects.deployment.local.folder import Folder, folders, read
from orchestration.runs import start_run
from orchestration.runs.queries import run_view


def deploy(project_workflow_id: str, *, actor: Actor, strategy: str = "", engine: str = "") -> Run:
    """Start a deployment of a project's verified head, as a run of its own beside the project's.

    `strategy`: another than that of the project's configuration. `engine`: '' for the project's.

    Raises:
        NotFound: there is no such run, or it is no project.
        WrongState: its head is not verified and accepted yet, or a deployment of it is under way.
        BadInput: its configuration names no strategy, or one that cannot be.
        NotAllowed: the actor may not start runs.
    """
    run, asked = _project(project_workflow_id)
    config: Mapping[str, Any] = asked.get("config") or {}
    chosen = strategy or str(config.get("deployment_strategy") or "none")
    if chosen == "none":
        remedy = "name one: blue_green, rolling, canary or recreate"
        raise BadInput("the project's deployment_strategy is none", field="strategy", value=chosen, remedy=remedy)
    definition = _compiled(chosen, config, run)
    name = definition["saga_id"].removeprefix(PREFIX)
    under_way = open_deployments(name).first()
    if under_way is not None:
        message = f"run '{under_way.workflow_id}' deploys '{name}' and is {under_way.status}"
        raise WrongState(message, remedy=f"wait for its end, or abort it: runs abort {under_way.workflow_id}")
    started, _ = start_run(
        definition=definition,
        actor=actor,
        workflow_id=_free_id(run),
        engine=engine or run.engine,
        config=run.config,
        listed=False,
        compiled=True,
    )
    return started


def _free_id(run: Run) -> str:
    """The first `….deploy-N` that no run has, or had: whoever took one keeps nobody from deploying."""
    begin = f"{run.workflow_id}.deploy-"
    taken = {
        found
        for model in (Run, Tombstone)
        for found in model.objects.filter(workflow_id__startswith=begin).values_list("workflow_id", flat=True)
    }
    return next(found for number in count(1) if (found := f"{begin}{number}") not in taken)


def deployment_views(name: str = "") -> list[dict[str, JsonValue]]:
    """What is deployed on this machine, one mapping for each deployment; `name`: of this one alone, also once it ended.

    Raises:
        NotFound: nothing of this name is deployed here.
    """
    return [_view(folder) for folder in _found(name)]


def stop_deployment(name: str, *, actor: Actor, note: str = "") -> dict[str, JsonValue]:
    """End a deployment's switch and processes on this machine, and give its ports back. Its users get no connection.

    Raises:
        NotAllowed: the actor may not act on runs.
        NotFound: nothing of this name is deployed here.
        WrongState: a deployment of it is under way.
    """
    permissions.require(actor, "run.act")
    (folder,) = _found(name)
    under_way = open_deployments(name).first()
    if under_way is not None:
        message = f"run '{under_way.workflow_id}' deploys '{name}' and is {under_way.status}"
        raise WrongState(message, remedy=f"abort it first: runs abort {under_way.workflow_id}")
    audit.record(actor=actor, action="deployment.stop", note=note, name=name, live=read(folder).live)
    return {"name": name, **releases.stop_all(folder)}


def _project(workflow_id: str) -> tuple[Run, Mapping[str, Any]]:
    run = Run.objects.select_related("definition").filter(workflow_id=workflow_id).first()
    asked = run.context.get(PROJECT) if run is not None and run.kind == Run.PROJECT else None
    if run is None or not isinstance(asked, dict) or not isinstance(asked.get("spec"), dict):
        what = "there is no run" if run is None else "this run is no project:"
        raise NotFound(f"{what} '{workflow_id[:200]}'", field="workflow_id", value=workflow_id[:200])
    return run, asked


def _compiled(strategy: str, config: Mapping[str, Any], run: Run) -> dict[str, Any]:
    try:
        given = validate_deployment(config.get("deployment"), strategy)
        definition = compile_deployment(
            DeploymentSpec(
                name=given.name or run.workflow_id,
                strategy=strategy,
                config=given,
                commit=_verified(run),
                repository=str(Layout.of(run.workflow_id).repository),
            )
        )
    except DefinitionErrors as errors:
        problems: list[dict[str, object]] = [{"field": one.field, "problem": str(one)} for one in errors.problems]
        raise BadInput(str(errors), field=errors.problems[0].field, problems=problems) from None
    assert definition is not None  # noqa: S101 - only `none` gives none
    return definition.model_dump(mode="json", exclude_unset=True)


def _verified(run: Run) -> str:
    """The commit that was verified, once every criterion is accepted."""
    steps = {step["step_id"]: step for step in run_view(run)["steps"]}
    states = {name: steps.get(name, {}).get("status") for name in ("verify", "accept")}
    output = steps.get("verify", {}).get("output")
    if set(states.values()) != {"succeeded"} or not isinstance(output, dict) or not output.get("commit"):
        told = ", ".join(f"{name} is {status or 'not there'}" for name, status in states.items())
        raise WrongState(f"the head of project '{run.workflow_id}' is not verified and accepted: {told}")
    return str(output["commit"])


def _found(name: str) -> list[Folder]:
    found = [folder for folder in folders() if (folder.name == name if name else read(folder).releases)]
    if name and not found:
        known = ", ".join(folder.name for folder in folders()) or "none"
        raise NotFound(f"nothing called '{name[:100]}' is deployed on this machine", remedy=f"there are: {known}")
    return found


def _view(folder: Folder) -> dict[str, JsonValue]:
    record = read(folder)
    is_up = switch.is_running(folder)
    counted: dict[str, Any] = {}
    if is_up:
        try:
            counted = switch.ask(folder, "status")["releases"]
        except switch.SwitchFault as error:
            counted = {"error": str(error)}
    backends: list[JsonValue] = [
        one.to_json() | {"running": processes.is_running(folder.replica(one.release, one.replica))}
        for one in record.backends()
    ]
    held = {str(port): bool(tcp_ports.holders_of(port)) for port in ports.leases(str(folder.path))}
    known: dict[str, JsonValue] = {
        one: {"workflow_id": release.workflow_id, "commit": release.commit} for one, release in record.releases.items()
    }
    return {
        "name": folder.name,
        "address": f"http://127.0.0.1:{record.port}" if record.port else None,
        "switch": "running" if is_up else "down",
        "live": record.live or None,
        "holder": record.holder or None,
        "outage_since": record.outage_since or None,
        "backends": backends,
        "releases": known,
        "requests": counted,
        "ports": dict(held),
    }
