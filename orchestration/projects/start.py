"""Start a project: its spec and configuration checked in full, its saga compiled, its run stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foundation.errors import BadInput
from foundation.identity.actor import Actor
from foundation.machine.tcp_ports import taken
from orchestration.agents.endpoints.lease import added_by
from orchestration.agents.workspace.remote import remote_of
from orchestration.core.agent.agent_type import AgentType
from orchestration.core.definition import DefinitionErrors, Problem, SagaDefinition
from orchestration.core.deployment import DeploymentSpec, warnings_of
from orchestration.core.likeness import bounded
from orchestration.core.project import (
    ProjectConfig,
    ProjectPlan,
    ProjectSpec,
    compile_project,
    compile_tasks,
    planned,
    validate_config,
)
from orchestration.core.project.faults import fault
from orchestration.core.project.gates import phase_gates, plan_gates
from orchestration.core.project.spec_checks import SHORTER, SPEC, read_spec, warnings_of_budgets
from orchestration.core.queues import DEFAULT as DEFAULT_QUEUE
from orchestration.models import AgentEndpoint, Run
from orchestration.ports import gate_problems
from orchestration.projects.deployment.local import ports
from orchestration.projects.uncommitted import warnings_of_uncommitted
from orchestration.runs import start_run
from orchestration.runs.definitions import checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A project that could be started now. `plan`: where it is known beforehand; an agent makes its own later."""

    handle: str
    spec: ProjectSpec
    config: ProjectConfig
    plan: ProjectPlan | None
    definition: SagaDefinition

    @property
    def gates(self) -> list[dict[str, Any]]:
        """Where each gate stands: {"gate_id", "name", "side": "before" or "after", "at": a phase, or the id of a task}.

        One that no task is known for yet stands before `verify`, unless the plan has a task that it names.
        """
        found = [
            {"gate_id": one.gate_id, "name": one.gate.name, "side": one.side, "at": one.phase}
            for one in phase_gates(self.spec)
        ]
        of_tasks = self.plan.gates if self.plan is not None else plan_gates(self.spec, ())
        return found + [
            {"gate_id": one.gate_id, "name": one.name, "side": "after" if one.after else "before", "at": one.task_id}
            if one.task_id
            else {"gate_id": one.gate_id, "name": one.name, "side": "before", "at": "verify"}
            for one in of_tasks
        ]

    @property
    def warnings(self) -> list[str]:
        """What is valid and probably not meant, or was chosen for its author."""
        deployed = self.config.deployed(self.handle)
        told = [*warnings_of(deployed), *_busy_port(deployed), *warnings_of_budgets(self.spec, self.config.cap)]
        remote = remote_of(self.spec.repository) if self.spec.repository else None
        return told + (warnings_of_uncommitted(remote.folder) if remote is not None and remote.is_folder else [])


@bounded
def prepared(*, spec: object, config: object = None, workflow_id: str = "") -> Prepared:
    """The project as it would be started: what its validation and its start have in common.

    `spec`, `config`, `workflow_id`: as of `start_project`.

    Raises:
        BadInput: with every problem found, each with field, value and remedy.
    """
    given, how = _checked(spec, config)
    try:
        handle = workflow_id or given.project_id
        definition, plan = compile_project(given, how, handle=handle), planned(given)
        tasks = compile_tasks(plan, how) if plan is not None else None
    except DefinitionErrors as errors:
        raise refusal(DefinitionErrors([_of_the_whole(one) for one in errors.problems])) from None
    found = [*_here(given), *_gates(definition), *_port(how.deployed(handle))]
    found += _gates(tasks) if tasks is not None else []
    if found:
        raise refusal(DefinitionErrors(found))
    checked(definition)
    return Prepared(handle=handle, spec=given, config=how, plan=plan, definition=definition)


def start_project(
    *, spec: object, actor: Actor, config: object = None, workflow_id: str = "", engine: str = ""
) -> tuple[Run, bool]:
    """The project's run, and whether this call started it.

    `spec`: a ProjectSpec, or JSON of one. `config`: JSON. `workflow_id`: the handle; '' is the spec's project_id. A
    used one with the same spec and configuration returns its run. `engine`: as of `runs.start_run`.

    Raises:
        NotAllowed: the actor may not start runs.
        BadInput: with every problem found, or the handle is used by a run with another spec.
        Unreachable: an engine that was asked for by name is away.
    """
    found = prepared(spec=spec, config=config, workflow_id=workflow_id)
    return start_run(
        definition=found.definition.model_dump(mode="json", exclude_unset=True),
        actor=actor,
        workflow_id=found.handle,
        engine=engine,
        config=found.config.of_the_run(),
        listed=False,
        kind=Run.PROJECT,
        compiled=True,
    )


def _of_the_whole(problem: Problem) -> Problem:
    """What is wrong with the saga as a whole, its size, in words of the spec."""
    if problem.step or problem.field:
        return problem
    return fault(SPEC, None, f"becomes a saga that {problem.message}", f"shorten its texts, or {SHORTER}")


def refusal(errors: DefinitionErrors) -> BadInput:
    """All problems of a spec, a configuration or a plan as one refusal; its field is that of the first."""
    first = errors.problems[0]
    found: list[dict[str, Any]] = [
        {"field": one.field, "value": one.value, "problem": one.message, "remedy": one.remedy}
        for one in errors.problems
    ]
    lines = "\n".join(str(one).removeprefix("definition: ") for one in errors.problems)
    return BadInput(lines, field=first.field, value=first.value, problems=found)


def _checked(spec: object, config: object) -> tuple[ProjectSpec, ProjectConfig]:
    """Both, with the problems of both told at once."""
    found_config = None
    found_spec, problems = read_spec(spec)
    try:
        found_config = validate_config(config)
    except DefinitionErrors as errors:
        problems += errors.problems
    if found_spec is None or found_config is None or problems:
        here = _here(found_spec) if found_spec is not None else []
        raise refusal(DefinitionErrors([*problems, *here]))
    return found_spec, found_config


def _here(spec: ProjectSpec) -> list[Problem]:
    """What this site and this machine lack for it."""
    return [*_repository(spec), *_agents(spec)]


def _repository(spec: ProjectSpec) -> Iterator[Problem]:
    """A folder of this machine has to be there; whether an address answers is seen by the phase `prepare`."""
    given = spec.repository
    if not given:
        return
    try:
        remote = remote_of(given)
    except BadInput as error:
        yield fault("repository", error.value, str(error), error.remedy)
        return
    if remote.is_folder and not ((remote.folder / ".git").exists() or (remote.folder / "objects").is_dir()):
        yield fault("repository", given, "is no git repository on this machine", _how_to_have(remote.folder))


def _how_to_have(folder: Path) -> str:
    if folder.is_dir():
        return "correct the path, clone it there, or make it one: `git init`, `git add -A`, `git commit -m first` there"
    return "clone it there, or correct the path; left out, the project begins with an empty one"


def _port_here(deployed: DeploymentSpec) -> int:
    """The port of this machine that it asks for; 0 for none."""
    if deployed.strategy == "none" or not deployed.config or deployed.config.queue != DEFAULT_QUEUE:
        return 0
    return deployed.config.port or 0


def _busy_port(deployed: DeploymentSpec) -> Iterator[str]:
    """A program that is no deployment of ours may be gone by the time the port is needed."""
    port = _port_here(deployed)
    why = taken(port) if port and not ports.owner_of(port) else ""
    if why:
        yield f"config.deployment.port: {why} on this machine now; give another one, or end that before it is deployed"


def _port(deployed: DeploymentSpec) -> Iterator[Problem]:
    """The port of another deployment of this machine: told now, and not when all the work is done."""
    port = _port_here(deployed)
    owner = ports.owner_of(port) if port else ""
    if owner not in ("", deployed.name):
        remedy = (
            f"give another port, `name: {owner}` to take over from it, or end it: manage.py deployment stop {owner}"
        )
        yield fault("config.deployment.port", port, f"belongs to the deployment '{owner}'", remedy)


def _agents(spec: ProjectSpec) -> Iterator[Problem]:
    enabled = set(AgentEndpoint.objects.filter(enabled=True).values_list("agent_type", flat=True))
    for number, agent in enumerate(dict.fromkeys(spec.agents_required)):
        if agent.value not in enabled:
            yield fault(f"agents_required[{number}]", agent.value, "has no enabled endpoint", _how_to_add(agent))


def _how_to_add(agent: AgentType) -> str:
    off = AgentEndpoint.objects.filter(agent_type=agent.value, enabled=False).values_list("name", flat=True).first()
    return f"`manage.py agent enable {off}`" if off is not None else f"add one: {added_by(agent)}"


def _gates(definition: SagaDefinition) -> list[Problem]:
    """Gates whose people or policies do not exist, under the field of the spec."""
    found = []
    for problem in gate_problems(definition):
        number = problem.step.removeprefix("gate-").partition("-")[0]
        at = f"approval_gates[{int(number) - 1}]" if number.isdigit() else problem.step
        found.append(fault(f"{at}.{problem.field.rpartition('.')[2]}", None, problem.message, problem.remedy))
    return found
