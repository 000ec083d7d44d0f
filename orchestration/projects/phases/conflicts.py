"""A merge in conflict: one attempt of an agent with both intents, and then a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from foundation.errors import BadInput
from orchestration.actions.base import Result
from orchestration.agents.workspace.merge import Conflict, Intent, merge
from orchestration.agents.workspace.resolving import brief_of
from orchestration.core.agent.asking import ANSWER
from orchestration.core.enums import Cause, Outcome, RunStatus
from orchestration.core.inquiry import InquiryField, Reply, ReplyStatus
from orchestration.core.project.sagas.tasks import compile_resolution
from orchestration.inquiries import Inquiry, inquiry_service
from orchestration.models import AgentAttempt, Run
from orchestration.projects.phases.asking_agents import is_at_work, parked
from orchestration.projects.phases.project import Project, output_of
from orchestration.projects.phases.resolved import ENDS, Merging, agreed

STAGE = "merge-conflict"
AGAIN, DROP, END = "again", "drop the task", "end"
MOST_FILES, LONGEST_INTENT = 50, 2000


def merged_in_the_end(merging: Merging) -> str | Result:
    """The merge of the task, once it can be had; parked while an agent or people are at it.

    Where people drop the task: an output that says so. Raises Unreachable: nobody can be asked now.
    """
    tried = merging.asked()
    commit = str(merging.payload["commit"])
    if tried:
        if is_at_work(tried[-1]):
            return parked(f"an agent resolves the conflict in run '{tried[-1].workflow_id}'")
        made = output_of(tried[-1], merging.task).get("commit")
        if made and tried[-1].status == RunStatus.COMPLETED:
            commit = str(made)
            if (not_yet := agreed(merging, commit, tried[-1])) is not None:
                return not_yet
    found = merge(merging.project.repository, commit)
    if not isinstance(found, Conflict):
        return found
    return _asked(merging, found, tried) if tried else _begun(merging, found, number=1)


def _begun(merging: Merging, conflict: Conflict, *, number: int, words: str = "") -> Result:
    """One attempt of an agent, with what each side wanted."""
    told = f"\n\nWhat people said: {words}" if words else ""
    project, checks = merging.project, [*merging.payload["checks"], *_checks_of(merging.project, conflict)]
    definition = compile_resolution(
        project_id=project.spec.project_id, task=merging.payload, commit=conflict.theirs.sha,
        prompt=f"{brief_of(conflict)}\n\n{_wanted(project, conflict)}{told}", checks=list(dict.fromkeys(checks))[:50],
        config=project.config,
    )  # fmt: skip
    merging.ask(definition, number=number)
    return parked(f"{said(merging.task, conflict, 'cannot be merged')}; an agent is asked to make one of both")


def _asked(merging: Merging, conflict: Conflict, tried: list[Run]) -> str | Result:
    """What people say to a conflict that an agent did not resolve."""
    try:
        reply = inquiry_service().put(_inquiry(merging, conflict, tried))
    except BadInput as error:
        return Result(outcome=Outcome.FAILED, error=f"nobody could be asked: {error.in_words()}")
    if reply.status is ReplyStatus.OPEN:
        return parked(f"waits for approval '{reply.request_id}'")
    choice = (reply.text(ANSWER) or AGAIN) if reply.status is ReplyStatus.ANSWERED else END
    if choice == AGAIN:
        return _begun(merging, conflict, number=len(tried) + 1, words=reply.comment.strip())
    if choice == DROP:
        return Result(outcome=Outcome.SUCCEEDED, output=_dropped(merging, reply))
    why = f"{reply.why}: {said(merging.task, conflict, 'cannot be merged')}"
    return Result(outcome=Outcome.FAILED, error=why[:2000], cause=ENDS.get(reply.status, Cause.REJECTED))


def _inquiry(merging: Merging, conflict: Conflict, tried: list[Run]) -> Inquiry:
    run, last = merging.project.step_run, tried[-1]
    row = AgentAttempt.objects.filter(run=last, step_id=merging.task).order_by("id").last()
    facts = [str(one) for one in (row.facts if row is not None else ())][:20]
    sides = [*conflict.ours, conflict.theirs]
    return Inquiry(
        run=run,
        step_id=merging.context.step_id,
        iteration=merging.context.iteration,
        attempt=merging.context.attempt,
        key=f"{STAGE}:{last.pk}",
        stage=STAGE,
        title=f"Task '{merging.task}' cannot be merged: what now?",
        lead=f"{said(merging.task, conflict, 'cannot be merged')}. An agent could not make one change of both.",
        text="\n\n".join([*facts, *(f"{one.task or one.sha[:12]} wants:\n{_intent(one)}" for one in sides)]),
        context={
            "run": run.workflow_id, "project": merging.project.run.workflow_id, "task": merging.task,
            "files": list(conflict.files[:MOST_FILES]), "merged": [_side(one) for one in conflict.ours[:MOST_FILES]],
            "to_be_merged": _side(conflict.theirs), "attempts": len(tried),
            "verdict": row.verdict if row is not None else last.status,
        },
        fields=(InquiryField(name=ANSWER, label="What now?", kind="choice", choices=(AGAIN, DROP, END)),),
    )  # fmt: skip


def _side(one: Intent) -> dict[str, Any]:
    return {"task": one.task, "commit": one.sha, "intent": _intent(one)}


def _intent(one: Intent) -> str:
    return one.text.strip()[:LONGEST_INTENT]


def _wanted(project: Project, conflict: Conflict) -> str:
    """What was asked for by each of the tasks, in the words of the plan."""
    wanted = {one.task for one in (*conflict.ours, conflict.theirs)}
    parts = [
        f"## What task {one['task_id']} was asked for\n\n{one['title']}\n\n{one['prompt']}"
        for one in _tasks(project)
        if one["task_id"] in wanted
    ]
    return "\n\n".join(parts)[:100_000]


def _checks_of(project: Project, conflict: Conflict) -> list[str]:
    """What judged the tasks that are merged already: it has to stay so."""
    if not project.config.automatic_testing:
        return []
    merged = {one.task for one in conflict.ours}
    return [str(check) for one in _tasks(project) if one["task_id"] in merged for check in one["checks"]]


def _tasks(project: Project) -> Iterator[Mapping[str, Any]]:
    yield from (project.output("plan").get("plan") or {}).get("tasks", ())


def _dropped(merging: Merging, reply: Reply) -> dict[str, Any]:
    return {
        "task": merging.task, "merged": "", "head": merging.project.repository.head() or "", "dropped_by": reply.by,
        "why": reply.comment[:1000], "request_id": reply.request_id,
    }  # fmt: skip


def said(task: str, conflict: Conflict, what: str) -> str:
    """The conflict of a task, in words."""
    files = ", ".join(conflict.files[:10]) + (", …" if len(conflict.files) > 10 else "")
    others = ", ".join(dict.fromkeys(one.task or one.sha[:12] for one in conflict.ours))
    return f"task '{task}' {what}: it and {others or 'the repository'} change the same lines of {files}"
