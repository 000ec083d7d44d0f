"""The saga of a plan's tasks: for each an agent's step, and a step that merges what it did."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from orchestration.core.definition import SagaDefinition, validate_definition
from orchestration.core.project.config import ProjectConfig, validate_config
from orchestration.core.project.phases import BRIEF, MERGE, handler
from orchestration.core.project.plan import PlanGate, PlanTask, ProjectPlan
from orchestration.core.project.sagas.gate_steps import gate_step, stage_of

AGENT_HOURS = 12
"""The bound of one attempt of an agent. What is idle is stopped long before, by `stall_seconds`."""

MERGE_SECONDS = 900
BY_HAND = "merge"
GATED_BY_HAND = "Merge what was done for this task?"


def compile_tasks(
    plan: ProjectPlan, config: ProjectConfig | Mapping[str, Any] | None = None, *, merged: Collection[str] = (),
    of_all: bool = True,
) -> SagaDefinition:  # fmt: skip
    """The saga that the step `build` of a project runs. `merged`: tasks that are merged already, which are left out.
    `of_all`: with the gates that name no task, at its end; a project asks at them itself.

    A task begins when what it depends on is merged, and is merged when its checks are green; merges are undone by
    reverts. At most as many agents work at once as the configuration says.

    Raises:
        DefinitionErrors: the configuration is not valid.
    """
    given = validate_config(config)
    made, plan = plan.plan_hash, _without(plan, merged)
    if not plan.tasks:
        return nothing_to_do(f"{plan.project_id[:90]}.tasks")
    steps: list[dict[str, Any]] = []
    for task in plan.tasks:
        before = [gate for gate in plan.gates if gate.task_id == task.task_id and not gate.after]
        after = [gate for gate in plan.gates if gate.task_id == task.task_id and gate.after]
        steps.append(_agent(task, plan, given))
        steps += [_gate(gate, [task.task_id], given, made, task, f"{{{task.task_id}.commit}}") for gate in before]
        steps.append(_merge(task, before, given))
        steps += [
            _gate(gate, [task.task_id + MERGE], given, made, task, f"{{{task.task_id}{MERGE}.merged}}")
            for gate in after
        ]
    ends = [last for task in plan.tasks for last in _ends_of(task.task_id, plan)]
    steps += [_gate(gate, ends, given, made, None) for gate in plan.gates if of_all and not gate.task_id]
    return validate_definition(
        {
            "saga_id": f"{plan.project_id[:90]}.tasks",
            "name": f"Tasks of {plan.project_id}",
            "steps": steps,
            "context": {BRIEF: plan.brief},
            "max_parallel": given.agents_at_once,
        }
    )


def nothing_to_do(saga_id: str) -> SagaDefinition:
    """The saga of no tasks."""
    step = {"step_id": "nothing", "forward_action": {"type": "task", "handler": handler("nothing")}}
    return validate_definition({"saga_id": saga_id, "name": "Nothing is to be done", "steps": [step]})


def _without(plan: ProjectPlan, merged: Collection[str]) -> ProjectPlan:
    """The plan of what is not merged. Gates of tasks that are were passed before."""
    if not merged:
        return plan
    tasks = [
        task.model_copy(update={"dependencies": tuple(one for one in task.dependencies if one not in merged)})
        for task in plan.tasks
        if task.task_id not in merged
    ]
    gates = [gate for gate in plan.gates if gate.task_id not in merged and tasks]
    return plan.model_copy(update={"tasks": tuple(tasks), "gates": tuple(gates)})


def _agent(task: PlanTask, plan: ProjectPlan, config: ProjectConfig) -> dict[str, Any]:
    action: dict[str, Any] = {
        "type": "agent",
        "agent": task.agent_type.value,
        "prompt": f"{{{BRIEF}}}\n\n{literal(_prompt(task, plan))}",
        "checks": list(task.checks) if config.automatic_testing else [],
        "files": [literal(one) for one in task.files],
        "branch": f"zen/{plan.project_id}/{task.task_id}",
        "requirements": list(task.requirements),
        "stall_seconds": config.stall_seconds,
    } | ({} if task.budget is None else {"budget": task.budget})
    return {
        "step_id": task.task_id,
        "name": task.title,
        "forward_action": action,
        "timeout_minutes": AGENT_HOURS * 60,
        "retry_count": config.attempts - 1,
        "dependencies": [last for one in task.dependencies for last in _ends_of(one, plan)],
    }


def _ends_of(task_id: str, plan: ProjectPlan) -> list[str]:
    """The steps after which a task is done with: its merge, or the gates after that."""
    return [gate.gate_id for gate in plan.gates if gate.task_id == task_id and gate.after] or [task_id + MERGE]


def _prompt(task: PlanTask, plan: ProjectPlan) -> str:
    texts = {one.requirement_id: one.text for one in plan.requirements}
    parts = [f"## Task {task.task_id}: {task.title}", task.prompt.strip()]
    if task.requirements:
        parts.append("## Requirements that it serves")
        parts.append("\n".join(f"- {one}: {texts[one]}" for one in task.requirements))
    if task.files:
        parts.append("## Change only\n\n" + "\n".join(f"- {one}" for one in task.files))
    if task.checks:
        parts.append("## It is judged by\n\n" + "\n".join(f"- `{one}`" for one in task.checks))
    return "\n\n".join(parts)


def _merge(task: PlanTask, before: Sequence[PlanGate], config: ProjectConfig) -> dict[str, Any]:
    """`before`: the gates that its commit has passed by then."""
    step: dict[str, Any] = {
        "step_id": task.task_id + MERGE,
        "name": f"Merge {task.task_id}",
        "forward_action": _action("merge", task)
        | _for_a_conflict(task, before, config)
        | {"commit": f"{{{task.task_id}.commit}}"},
        "compensation_action": _action("revert", task),
        "timeout_seconds": MERGE_SECONDS,
        "retry_count": 2,
        "dependencies": [task.task_id, *(gate.gate_id for gate in before)],
    }
    if config.merge == "by_hand":
        step["approval"] = {"stage": BY_HAND, "description": GATED_BY_HAND}
        step["approval"]["context"] = {"task": task.task_id, **_work_of(task)}
        if config.approval_timeout is not None:
            step["approval"]["timeout_seconds"] = config.approval_timeout
    return step


def _action(name: str, task: PlanTask) -> dict[str, Any]:
    return {
        "type": "task", "handler": handler(name), "task": task.task_id, "title": literal(task.title),
        "requirements": list(task.requirements),
    }  # fmt: skip


def _for_a_conflict(task: PlanTask, before: Sequence[PlanGate], config: ProjectConfig) -> dict[str, Any]:
    """Who makes a merge possible that is in conflict, what judges that, and who has to agree to it: those who agreed
    to what the task had been."""
    checks = [literal(one) for one in task.checks] if config.automatic_testing else []
    gates: list[dict[str, Any]] = [
        {
            "gate_id": gate.gate_id, "stage": stage_of(gate.name), "policy": literal(gate.policy or ""),
            "approvers": [literal(one) for one in gate.approvers or ()],
        }
        for gate in before
    ]  # fmt: skip
    if config.merge == "by_hand":
        gates.append({"gate_id": BY_HAND, "stage": BY_HAND, "policy": "", "approvers": []})
    asked = {} if config.approval_timeout is None else {"approval_timeout": config.approval_timeout}
    return {"agent": task.agent_type.value, "checks": checks, "gates": gates} | asked


def compile_resolution(
    *, project_id: str, task: Mapping[str, Any], commit: str, prompt: str, checks: Sequence[str], config: ProjectConfig
) -> SagaDefinition:
    """The saga of one attempt to make one change of two: `commit`, which does not merge, and what is merged already.

    `task`: as the merge step of the task has it. Its step has the task's id, so that what it commits is the task's.
    """
    task_id = str(task["task"])
    action = {
        "type": "agent", "agent": task["agent"], "prompt": literal(prompt), "checks": list(checks), "merges": commit,
        "branch": f"zen/{project_id}/{task_id}{MERGE}", "requirements": list(task["requirements"]),
        "stall_seconds": config.stall_seconds,
    }  # fmt: skip
    step = {
        "step_id": task_id, "name": literal(f"Resolve {task['title']}")[:200], "forward_action": action,
        "timeout_minutes": AGENT_HOURS * 60, "retry_count": 0,
    }  # fmt: skip
    return validate_definition({
        "saga_id": f"{project_id[:90]}.merge", "name": f"Resolve the conflict of {task_id}", "steps": [step]
    })  # fmt: skip


NO_REWORK = (
    "\n\nThis gate names no task of the plan. Changes that are requested here are made by nobody: the request waits "
    "until it is resubmitted. Request them at a gate behind the build, or reject."
)


def _gate(
    gate: PlanGate, after: Sequence[str], config: ProjectConfig, plan_hash: str, task: PlanTask | None,
    commit: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Of a task it is bound to the task's commit and to what proves it: another one is another question."""
    about: dict[str, Any] = {"plan_hash": plan_hash}
    if task is not None:
        about |= {"task": task.task_id, "title": literal(task.title), "requirements": list(task.requirements)}
        about |= {"commit": commit, **_work_of(task)}
    return gate_step(
        gate.gate_id, gate.name, after=after, about=about, policy=gate.policy, approvers=gate.approvers,
        timeout=config.approval_timeout, rework=task.task_id if task is not None else "",
        note=NO_REWORK if task is None else "",
    )  # fmt: skip


def _work_of(task: PlanTask) -> dict[str, str]:
    """What a task's step gives besides its commit, for people: changes of tests apart, the digest of our checks."""
    given = {"tests_changed": "tests_changed", "evidence": "evidence", "cost_so_far": "cost"}
    return {name: f"{{{task.task_id}.{key}}}" for name, key in given.items()}


def literal(text: str) -> str:
    """A text that no template changes: its braces are braces."""
    return text.replace("{", "{{").replace("}", "}}")
