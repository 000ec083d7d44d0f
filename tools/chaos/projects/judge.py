"""What holds at the end of every project, whatever was done to it. Each function gives what does not, in words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from foundation.clock import database_now
from orchestration.agents.workspace.history import entries, merges
from orchestration.agents.workspace.janitor import leftovers
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import INTEGRATION, Repository
from orchestration.core.enums import Outcome, Purpose, RunStatus
from orchestration.models import AgentAttempt, AgentLease, Command, Run
from orchestration.projects.deployment.local import processes as deployed
from orchestration.projects.deployment.local.folder import Folder, read
from orchestration.projects.phases.project import output_of
from orchestration.runs.queries import run_view
from orchestration.runs.spending.funds import family_of, funds_of

STEP_MONEY = Decimal(1)
"""What one answer of the scripted agent costs at most."""


def problems(started: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Of every project that was acknowledged."""
    for name, (_, shape) in started.items():
        run = Run.objects.filter(workflow_id=name).first()
        if run is None:
            yield f"{name}: lost"
            continue
        for problem in _of(run, shape):
            yield f"{name} ({run.status}): {problem}"
    yield from _held()


def _of(run: Run, shape: str) -> Iterator[str]:
    if run.finished_at is None:
        yield f"did not end: {run_view(run)['error'] or run.status}"
        return
    if RunStatus(run.status) not in (RunStatus.COMPLETED, RunStatus.ROLLED_BACK):
        yield f"ended so: {run_view(run)['error']}"
    repository = Repository(layout=Layout.of(run.workflow_id))
    if repository.exists:
        yield from _git(run, repository)
        left = leftovers(repository.layout)
        if not left.is_empty:
            yield f"left behind: {dict(left.to_json())}"
    yield from _money(run)
    yield from _sessions(run)


def _git(run: Run, repository: Repository) -> Iterator[str]:
    in_force = Counter(one.task for one in merges(repository))
    all_merges = Counter(one.task for one in entries(repository) if one.merges)
    if run.status == RunStatus.ROLLED_BACK:
        if in_force:
            yield f"was taken back, and these tasks are merged: {dict(in_force)}"
        return
    wanted = _merged_by_ledger(run)
    if dict(in_force) != dict.fromkeys(wanted, 1):
        yield f"the ledger has the merges {sorted(wanted)}, git {dict(in_force)}"
    if any(number > 1 for number in all_merges.values()):
        yield f"merged more than once: {dict(all_merges)}"
    git = repository.git
    log = git.out("log", "--no-merges", "--format=%(trailers:key=Zen-Task,valueonly)",
                  f"{repository.base()}..{INTEGRATION}")  # fmt: skip
    doubled = {task: number for task, number in Counter(log.split()).items() if number > 1}
    if doubled and not _resolved(run):
        yield f"commits on the integration branch: {doubled}"
    said = output_of(run, "verify").get("commit")
    if said and said != repository.head():
        yield f"verified {said}, and the head is {repository.head()}"


def _merged_by_ledger(run: Run) -> set[str]:
    rows = Command.objects.filter(
        run__in=family_of(run), kind="run_action", purpose=Purpose.FORWARD, outcome=Outcome.SUCCEEDED,
        step_id__endswith="-merge",
    )  # fmt: skip
    return {str(row.output["task"]) for row in rows if isinstance(row.output, dict) and row.output.get("merged")}


def _resolved(run: Run) -> bool:
    return AgentAttempt.objects.filter(run__in=family_of(run), branch__endswith="-merge").exists()


def _money(run: Run) -> Iterator[str]:
    funds = funds_of(run)
    if funds is None:
        return
    if funds.held:
        yield f"{funds.held} of its budget is still held"
    sessions = AgentAttempt.objects.filter(run__in=family_of(run)).count()
    if funds.spent > funds.budget + STEP_MONEY * sessions:
        yield f"spent {funds.spent} of {funds.budget} in {sessions} sessions"


def _sessions(run: Run) -> Iterator[str]:
    rows = AgentAttempt.objects.filter(run__in=family_of(run))
    for row in rows.filter(verdict=""):
        yield f"a session has no verdict: {row.pk} {row} ended={row.ended!r} claim={row.claim}"
    for row in rows.filter(ended=""):
        yield f"a session has not ended: {row.pk} {row}"
    good = Counter(rows.filter(verdict="done").values_list("run_id", "step_id", "iteration"))
    for key, number in good.items():
        if number > 1:
            yield f"{number} sessions of {key} were accepted"


def _held() -> Iterator[str]:
    now = database_now()
    for one in AgentLease.objects.filter(until__gt=now, run__finished_at__isnull=False):
        yield f"lease {one} is held by an ended run until {one.until} ({one.holder})"


def doubled_sessions(started: Mapping[str, tuple[str, str]]) -> dict[str, int]:
    """Sessions of one attempt beyond the first, by why: not wrong, but paid for."""
    found: dict[tuple[object, ...], list[AgentAttempt]] = defaultdict(list)
    for row in AgentAttempt.objects.order_by("id"):
        found[row.run_id, row.step_id, row.purpose, row.iteration, row.attempt].append(row)
    again = [row for rows in found.values() for row in rows[:-1]]
    return dict(Counter(f"{row.verdict or '-'}/{row.ended or '-'}: {row.error[:60]}" for row in again))


def taken_back(started: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Why projects were not completed, in the words of their runs."""
    rows = Run.objects.filter(workflow_id__in=list(started)).exclude(status=RunStatus.COMPLETED)
    return {run.workflow_id: str(run_view(run)["error"])[:200] for run in rows}


def deployments(data: Path) -> Iterator[str]:
    """Each serves one release, of a project that was completed; nothing else runs."""
    for place in sorted((data / "deployments").glob("*/record.json")):
        folder = Folder(place.parent)
        record = read(folder)
        runs = {one.workflow_id for name, one in record.releases.items() if name != record.live}
        if record.live and list(record.releases) != [record.live]:
            yield f"deployment {folder.name}: releases {list(record.releases)} of {runs}, live {record.live}"
        if not record.live and (record.releases or deployed.marked(f"{folder.path}/")):
            yield f"deployment {folder.name}: nothing is live, and {record.releases or 'processes'} are there"
