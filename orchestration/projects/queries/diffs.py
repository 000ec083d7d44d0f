"""What an attempt at a task changed, as text: tests and their configuration apart from all else."""

from __future__ import annotations

from typing import Any

from foundation.errors import NotFound
from orchestration.agents.workspace.diff import diff_text
from orchestration.agents.workspace.git import GitFailed, GitMissing
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import Repository
from orchestration.core.agent.evidence import FileKind
from orchestration.models import AgentAttempt, Run

MOST_BYTES, MOST_LINES, MOST_ATTEMPTS = 100_000, 100_000, 50
PARTS = (
    (FileKind.TEST, "Tests"), (FileKind.CONFIG, "Configuration of tests and builds"), (FileKind.CODE, "All else"),
)  # fmt: skip


def task_diff(run: Run, task_id: str, attempt_id: int | None = None) -> dict[str, Any]:
    """The diff of an attempt at a task, of the newest one that left a commit where none is named.

    `parts`: {"title", "text", "files"} each, of at most MOST_BYTES; `why_not`: why no text can be shown, '' where it
    can. `attempts`: those that left a commit, the newest first.

    Raises:
        NotFound: no attempt at such a task left a commit, or not the one that is named.
    """
    rows = (
        AgentAttempt.objects.numbered()
        .filter(run__parent=run, step_id=task_id)
        .exclude(commit="")
        .select_related("run")
    )
    attempts = list(rows.defer("transcript", "text").order_by("-id")[:MOST_ATTEMPTS])
    chosen = next((one for one in attempts if attempt_id in (None, one.pk)), None)
    if chosen is None:
        what = f"no attempt at task '{task_id[:100]}' has left a commit"
        raise NotFound(what, field="task_id", remedy=f"see `manage.py project tasks {run.workflow_id}`")
    parts, why_not = _parts(run, chosen)
    return {"attempt": chosen, "attempts": attempts, "parts": parts, "why_not": why_not}


def _parts(run: Run, attempt: AgentAttempt) -> tuple[list[dict[str, Any]], str]:
    repository = Repository(layout=Layout.of(run.workflow_id))
    by_hand = f"git -C {repository.layout.repository} diff {attempt.base[:12]} {attempt.commit[:12]}"
    lines = int(attempt.diff.get("added") or 0) + int(attempt.diff.get("removed") or 0)
    if not repository.exists:
        return [], f"the project's repository is not on this machine; where it is: {by_hand}"
    if lines > MOST_LINES:
        return [], f"it has {lines:,} lines, which are too many to be shown here: {by_hand}"
    found = []
    try:
        for kind, title in PARTS:
            text = diff_text(repository.git, attempt.base, attempt.commit, only=kind, most=MOST_BYTES)
            if text:
                found.append({"title": title, "kind": kind.value, "text": text})
    except GitMissing as error:
        return [], f"{error}; where it is: {by_hand}"
    except GitFailed as error:
        return [], f"git cannot show it: {error.stderr.strip()[:500] or error}"
    return found, "" if found else "it changes no file"
