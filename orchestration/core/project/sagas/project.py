"""The saga of a project: its phases in their order, its gates beside them (docs/adr/0018)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestration.core.definition import DefinitionErrors, Problem, SagaDefinition, validate_definition
from orchestration.core.deployment import compile_deployment
from orchestration.core.project.config import ProjectConfig, validate_config
from orchestration.core.project.criteria import LedgerCriterion, criteria_of
from orchestration.core.project.faults import fault
from orchestration.core.project.gates import PhaseGate, may_name_no_task, phase_gates
from orchestration.core.project.phases import BUILT, CHANGES, PHASES, PROJECT, REWORK, handler
from orchestration.core.project.planning import planned
from orchestration.core.project.proposals import question_of
from orchestration.core.project.sagas.bound_to import BOUND_TO, limits_of
from orchestration.core.project.sagas.gate_steps import gate_step
from orchestration.core.project.sagas.gates_of_all import asked_of_all
from orchestration.core.project.sagas.tasks import literal
from orchestration.core.project.spec import ProjectSpec
from orchestration.core.project.spec_checks import timeline_seconds, validate_spec

SECONDS = {"prepare": 900.0, "analyze": 300.0, "plan": 3600.0, "verify": 7200.0, "report": 900.0}
"""The bound of one attempt of a phase."""

TRIES = {"prepare": 2, "analyze": 1, "plan": 1, "verify": 1, "report": 3}

PROPOSAL = "proposal"
"""The step in which an agent plans, before the phase `plan`."""

DEPLOYED = {"commit": "{verify.commit}", "repository": "{prepare.repository}"}
"""What the child that deploys is given: the head that was verified, and where it is."""


def compile_project(
    spec: ProjectSpec | Mapping[str, Any], config: ProjectConfig | Mapping[str, Any] | None = None, *, handle: str = ""
) -> SagaDefinition:
    """The outer saga: prepare, analyze, plan, build, verify, accept, deploy, report, and the gates of the spec.

    `build` is a child whose definition the step `plan` gives, `deploy` one whose steps the strategy says. With the
    strategy `none` that phase is left out, and its gates stand where it would. `handle`: of the run, which names its
    deployment; '' is the project_id, as at a start.

    Raises:
        DefinitionErrors: with every problem of the spec, the configuration and the sagas made of them.
    """
    wanted, given = validate_spec(spec), validate_config(config)
    gates, deployment = phase_gates(wanted), compile_deployment(given.deployed(handle or wanted.project_id))
    limits = limits_of(wanted)
    steps: list[dict[str, Any]] = []
    for phase in PHASES:
        steps += [_gate(one, steps, given, limits) for one in gates if (one.phase, one.side) == (phase, "before")]
        steps += [*_calls(criteria_of(wanted))] if phase == "verify" else []
        if phase == "plan" and planned(wanted) is None:
            steps.append(_proposal(wanted, given))
        steps += [_phase(phase)] if phase != "deploy" else []
        steps += [*_reworked(), *_built(wanted, gates)] if phase == "build" else []
        if phase == "plan" and steps[-2]["step_id"] == PROPOSAL:
            steps[-1]["forward_action"] |= {"proposal": f"{{{PROPOSAL}.text}}"}
        if phase == "deploy" and deployment is not None:
            steps.append({"step_id": phase, "forward_action": _deploy(deployment)})
        steps += [_gate(one, steps, given, limits) for one in gates if (one.phase, one.side) == (phase, "after")]
    definition: dict[str, Any] = {
        "saga_id": f"project.{wanted.project_id}",
        "name": wanted.name,
        "description": wanted.description,
        "steps": steps,
        "context": {PROJECT: {"spec": wanted.plain(), "config": given.plain()}},
    }
    deadline = timeline_seconds(wanted)
    if deadline is not None:
        definition["timeout_seconds"] = deadline
    try:
        return validate_definition(definition)
    except DefinitionErrors as errors:
        raise DefinitionErrors([_of_the_spec(problem) for problem in errors.problems]) from None


def _phase(phase: str) -> dict[str, Any]:
    if phase == "build":
        return {"step_id": phase, "forward_action": {"type": "saga", "definition": "{plan.build}"}}
    if phase == "accept":
        return {"step_id": phase, "forward_action": {"type": "saga", "definition": "{verify.accept}"}}
    step: dict[str, Any] = {
        "step_id": phase,
        "forward_action": {"type": "task", "handler": handler(phase)},
        "timeout_seconds": SECONDS[phase],
        "retry_count": TRIES[phase],
    }
    if phase == "report":
        step["critical"] = False  # work that is proved, merged and deployed is not taken back for want of a report
    if phase == "prepare":
        step["compensation_action"] = {"type": "task", "handler": handler("clear")}
    return step


def compile_proposal(spec: ProjectSpec, config: ProjectConfig, *, faults: str = "", rest: str = "") -> SagaDefinition:
    """The saga of one more question to the planning agent.

    `faults`: what was wrong with its last plan. `rest`: what it is told where only the rest is planned.
    """
    step, refused = _proposal(spec, config), f"## Your last plan was refused\n\n{faults}\n\nMend all of it."
    for more in filter(None, (rest, refused if faults else "")):
        step["forward_action"]["prompt"] += literal(f"\n\n{more}")
    return validate_definition({"saga_id": f"{spec.project_id[:90]}.proposal", "name": "Plan again", "steps": [step]})


def _proposal(spec: ProjectSpec, config: ProjectConfig) -> dict[str, Any]:
    """The plan of an agent is an answer like any other: it is judged by the phase `plan`."""
    action = {
        "type": "agent", "agent": spec.agents_required[0].value, "prompt": literal(question_of(spec)), "changes": False,
        "branch": f"zen/{spec.project_id}/{PROPOSAL}", "stall_seconds": config.stall_seconds,
    }  # fmt: skip
    return {"step_id": PROPOSAL, "forward_action": action, "retry_count": config.attempts - 1, "timeout_minutes": 60}


def _deploy(deployment: SagaDefinition) -> dict[str, Any]:
    """A child that is known beforehand; what it deploys is known when it is verified."""
    more = {"version": "{verify.commit}"} if "version" in deployment.context else {}
    written = deployment.model_dump(mode="json", exclude_unset=True)
    return {"type": "saga", "definition": written, "context": {**DEPLOYED, **more}}


def _gate(
    one: PhaseGate, steps: list[dict[str, Any]], config: ProjectConfig, limits: Mapping[str, Any]
) -> dict[str, Any]:
    before = [step["step_id"] for step in steps]
    about = {key: value for phase, told in BOUND_TO.items() if phase in before for key, value in told.items()}
    about |= limits
    return gate_step(
        one.gate_id, one.gate.name, after=None, about=about, policy=one.gate.policy, approvers=one.gate.approvers,
        timeout=config.approval_timeout, rework=_rework(before),
    )  # fmt: skip


def _reworked() -> Iterator[dict[str, Any]]:
    """What people asked to be changed after it was built, and the saga that does it; at first nothing."""
    action = {"type": "task", "handler": handler(CHANGES)}
    yield {"step_id": CHANGES, "forward_action": action, "timeout_seconds": SECONDS["analyze"]}
    yield {"step_id": REWORK, "forward_action": {"type": "saga", "definition": f"{{{CHANGES}.rework}}"}}


def _built(spec: ProjectSpec, gates: Sequence[PhaseGate]) -> Iterator[dict[str, Any]]:
    """The merged head and what it took, for the gates that stand before it is verified."""
    later = planned(spec) is None and may_name_no_task(spec)
    if later or any((one.phase, one.side) in (("build", "after"), ("verify", "before")) for one in gates):
        action = {"type": "task", "handler": handler(BUILT)}
        yield {"step_id": BUILT, "forward_action": action, "timeout_seconds": SECONDS["analyze"]}
    if later:
        yield asked_of_all(spec)


def _rework(before: list[str]) -> str:
    """What is done again when changes are requested: the plan, until it is built; then a task for the changes."""
    if "plan" not in before or "build" in before:
        return CHANGES if CHANGES in before else ""
    return PROPOSAL if PROPOSAL in before else "plan"


def _calls(criteria: tuple[LedgerCriterion, ...]) -> Iterator[dict[str, Any]]:
    """A step for each criterion that a request proves; its failure aborts nothing."""
    for one in criteria:
        if one.api_call is not None:
            yield {
                "step_id": f"check-{one.criterion_id}",
                "name": literal(one.text)[:200],
                "forward_action": {"type": "api_call", **one.api_call},
                "critical": False,
                "retry_count": 2,
                "parallel_group": "checks",
            }


def _of_the_spec(problem: Problem) -> Problem:
    """A fault of a criterion's request, under the name that its author knows."""
    if not problem.step.startswith("check-C"):
        return problem
    number = int(problem.step.removeprefix("check-C")) - 1
    field = problem.field.removeprefix("forward_action").lstrip(".")
    at = ".".join(filter(None, (f"success_criteria[{number}].check.api_call", field)))
    return fault(at, problem.value or None, problem.message, problem.remedy)
