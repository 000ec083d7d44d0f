"""The phase `verify`: the checks of the project in a clean checkout of the merged head, with the base's own tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, Sum

from orchestration.actions.errors import Refused
from orchestration.actions.task import TaskContext
from orchestration.agents.process.private import sandbox_of_commands
from orchestration.agents.workspace.checks.judge import CannotCheck, Evidence, examine
from orchestration.agents.workspace.diff import diff_stat
from orchestration.core.agent.evidence import CheckResult, tests_changed
from orchestration.core.definition.shape import canonical_json
from orchestration.core.enums import Outcome, Purpose
from orchestration.core.project import compile_acceptance
from orchestration.core.project.criteria import CriterionStatus, LedgerCriterion, criteria_of
from orchestration.core.project.phases import CHANGES
from orchestration.core.project.plan import plan_in_force
from orchestration.core.project.sagas.gates_of_all import compile_gates_of_all
from orchestration.models import AgentAttempt, Command, Run
from orchestration.projects.phases.own_checks import OwnChecks
from orchestration.projects.phases.project import Project, project_of
from orchestration.runs.acts.rework import changes_wanted

EXCERPT = 2000
"""Characters of what a check printed, the last of them, that are kept."""

NOTHING_PROVES = "nothing proves it; a person has to say"
TESTS = "No test was weakened, skipped or deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    project: Project
    own: OwnChecks
    commit: str
    evidence: Evidence

    def result(self, command: str) -> CheckResult | None:
        """Our run of this command."""
        return next((one for one in self.evidence.checks if one.command == command), None)


def verify(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """The evidence for each criterion, what is not proved, and `accept`: the saga that asks people for that."""
    project = project_of(context)
    repository = project.repository
    base, head = repository.base(), repository.head() or repository.base()
    own = OwnChecks.of(repository, base, head)
    commands = list(dict.fromkeys(_commands(project, own)))
    try:
        evidence = examine(repository, base, head, commands, sandbox=sandbox_of_commands(), cancelled=context.cancelled)
    except CannotCheck as error:
        raise Refused(str(error)) from None
    if context.cancelled.is_set():
        raise Refused("the checks were stopped, and nothing depends on them")
    return _told(_Seen(project=project, own=own, commit=head, evidence=evidence))


def built(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """The merged head before it is verified, what it has cost, and what it does to tests.

    `gates`: the saga of the gates that name no task of the plan in force.
    """
    project = project_of(context)
    repository = project.repository
    base, head = repository.base(), repository.head() or repository.base()
    diff = diff_stat(repository.git, base, head).to_json()
    told = {"commit": head, "cost_so_far": _cost(project.run), "tests_changed": tests_changed(diff)}
    plan = plan_in_force(project.output("plan"), project.output(CHANGES))
    gates = [one for one in plan.gates if not one.task_id] if plan is not None else []
    asked = compile_gates_of_all(project.spec, project.config, gates, reworked=_times_reworked(project))
    return told | {"gates": asked.model_dump(mode="json", exclude_unset=True)}


def _times_reworked(project: Project) -> int:
    """How often the project went back for changes."""
    return len(changes_wanted(project.run, CHANGES, itself=True))


def _commands(project: Project, own: OwnChecks) -> Iterator[str]:
    """Without automatic testing only criteria with a check of their own are tested."""
    criteria = criteria_of(project.spec)
    if project.config.automatic_testing:
        yield from project.spec.checks
        yield from filter(None, [own.tests()])
        yield from filter(None, (own.command(one) for one in criteria))
    else:
        yield from filter(None, (one.command for one in criteria))


def _told(seen: _Seen) -> dict[str, Any]:
    criteria = [_criterion(seen, one) for one in criteria_of(seen.project.spec)]
    unproved = [
        {"id": one["id"], "text": one["text"], "why": one["why"]}
        for one in criteria
        if one["status"] != CriterionStatus.PROVED
    ]
    unproved += [*_red(seen, {one["evidence"].get("command") for one in criteria}), *_weakened(seen)]
    checks = [_check(one) for one in seen.evidence.checks]
    proof = {"commit": seen.commit, "criteria": criteria, "checks": checks, "tampering": list(seen.evidence.tampering)}
    digest = hashlib.sha256(canonical_json(proof).encode()).hexdigest()
    accept = compile_acceptance(
        seen.project.spec.project_id, seen.project.config, unproved, commit=seen.commit, evidence=digest,
        reworked=_times_reworked(seen.project),
    )  # fmt: skip
    diff = seen.evidence.diff.to_json()
    return proof | {
        "diff": diff,
        "tests_changed": tests_changed(diff),
        "unproved": unproved,
        "evidence_digest": digest,
        "cost_so_far": _cost(seen.project.run),
        "accept": accept.model_dump(mode="json", exclude_unset=True),
    }


def _cost(run: Run) -> str:
    """What the agents of the project have cost by now, as far as it is known."""
    below = Q(run=run) | Q(run__parent=run) | Q(run__parent__parent=run)
    return f"{AgentAttempt.objects.filter(below).aggregate(total=Sum('cost'))['total'] or 0:f}"


def _criterion(seen: _Seen, one: LedgerCriterion) -> dict[str, Any]:
    evidence, why = _request(seen.project, one) if one.api_call is not None else _command(seen, one)
    status = CriterionStatus.UNPROVED if why else CriterionStatus.PROVED
    return {
        "id": one.criterion_id, "text": one.text, "kind": one.kind, "check": seen.own.shown(one),
        "status": status.value, "why": why, "evidence": evidence,
    }  # fmt: skip


def _command(seen: _Seen, one: LedgerCriterion) -> tuple[dict[str, Any], str]:
    found = seen.result(seen.own.command(one))
    if found is None:
        return {}, NOTHING_PROVES
    evidence = {"commit": seen.commit, "command": found.command, "exit_code": found.exit_code, "digest": found.digest}
    return evidence, found.why


def _request(project: Project, one: LedgerCriterion) -> tuple[dict[str, Any], str]:
    """By the step that made the request (a criterion by request is a step of its own)."""
    rows = Command.objects.filter(
        run=project.run, kind="run_action", step_id=f"check-{one.criterion_id}", purpose=Purpose.FORWARD
    )
    row = rows.order_by("iteration", "attempt").last()
    if row is None:
        return {}, NOTHING_PROVES
    evidence = {"step": row.step_id, "attempt": row.attempt, "status": row.detail.get("status")}
    return evidence, "" if row.outcome == Outcome.SUCCEEDED else row.error or f"its request is {row.outcome}"


def _red(seen: _Seen, told: set[str | None]) -> Iterator[dict[str, str]]:
    """Checks that no criterion speaks of, and that did not pass."""
    for number, one in enumerate(seen.evidence.checks, 1):
        if not one.passed and one.command not in told:
            yield {"id": f"check-{number}", "text": f"The check `{one.command}` passes", "why": one.why}


def _weakened(seen: _Seen) -> Iterator[dict[str, str]]:
    if seen.evidence.tampering:
        yield {"id": "tests", "text": TESTS, "why": "; ".join(seen.evidence.tampering)[:EXCERPT]}


def _check(one: CheckResult) -> dict[str, Any]:
    told = one.to_json()
    told["output_excerpt"] = one.output_excerpt[-EXCERPT:]
    return told
