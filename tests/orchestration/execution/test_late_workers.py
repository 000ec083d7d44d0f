"""A worker that stood still for longer than its lease, and wakes up while its successor performs the same attempt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections
from pytest_django import Settings

from foundation.clock import now
from orchestration.agents.base import SessionSpec
from orchestration.agents.claims import Superseded
from orchestration.agents.endpoints import check, lease
from orchestration.agents.workspace.commit import Trailers, commit
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.merge import merge
from orchestration.agents.workspace.repository import Repository
from orchestration.agents.workspace.worktree import Worktree
from orchestration.attempt_log import current
from orchestration.core.agent.events import Event, SessionStarted
from orchestration.core.agent.session import Ended, EndReason
from orchestration.core.enums import Outcome
from orchestration.execution.agent_step.work import SOURCE, repository_of
from orchestration.execution.attempt import perform_attempt
from orchestration.execution.attempt_result import AttemptResult
from orchestration.execution.claim_check import TakenOver
from orchestration.models import AgentAttempt, AgentLease, Command, Run
from orchestration.projects.deployment.local.folder import folder_of, locked, read
from orchestration.runs import start_run
from tests.orchestration.agents.endpoints.scenes import ADMIN, added
from tests.orchestration.agents.workspace.work import files_of
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
Work = Callable[[SessionSpec, Callable[[Event], None], threading.Event], None]
DONE = Ended(reason=EndReason.END_TURN, text="Done.")


@dataclass
class Driver:
    """Holds the sessions, one after another, as the test says."""

    sessions: list[Work]
    held: list[Path] = field(default_factory=list)

    def run(self, spec: SessionSpec, *, on_event: Any, ask: Any, cancelled: threading.Event) -> Ended:
        work = self.sessions[len(self.held)]
        self.held.append(spec.cwd)
        work(spec, on_event, cancelled)
        return Ended(reason=EndReason.CANCELLED) if cancelled.is_set() else DONE


@pytest.fixture(autouse=True)
def _site(tmp_path: Path, settings: Settings) -> None:
    settings.ZEN_DATA_DIR = tmp_path
    added("one", concurrency=2)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    made = Driver([])
    monkeypatch.setattr(check, "driver_of", lambda _: made)
    return made


def started() -> Run:
    step = {"step_id": "a", "forward_action": {"type": "agent", "agent": "CLAUDE", "prompt": "Write."}}
    return start_run(definition={"saga_id": "s", "steps": [step]}, actor=ADMIN, engine="celery")[0]


def claimed(run: Run, epoch: int) -> Command:
    """The attempt under this claim."""
    row = Command.objects.filter(run=run, kind="run_action")
    row.update(status=Command.RUNNING, epoch=epoch, worker=f"w{epoch}", started_at=now(), tries=epoch)
    return row.get()


class Worker(threading.Thread):
    """Performs a claimed attempt."""

    def __init__(self, run: Run, row: Command) -> None:
        super().__init__(daemon=True)
        self.run_row, self.row = run, row
        self.result: AttemptResult | None = None
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = perform_attempt(self.run_row, self.row)
        except Exception as error:  # noqa: BLE001 - told to the test
            self.error = error
        finally:
            connections.close_all()

    def ended(self) -> Worker:
        self.join(PATIENCE_SECONDS)
        assert not self.is_alive()
        return self


def write(name: str) -> Work:
    def writes(spec: SessionSpec, tell: Any, cancelled: threading.Event) -> None:
        (spec.cwd / name).write_text(name)

    return writes


def test_who_wakes_up_late_takes_nothing_from_whoever_has_the_attempt_by_now(driver: Driver) -> None:
    asleep, awake, late = threading.Event(), threading.Event(), list[Worker]()

    def sleeps(spec: SessionSpec, tell: Any, cancelled: threading.Event) -> None:
        asleep.set()
        assert awake.wait(PATIENCE_SECONDS)

    def meets_it(spec: SessionSpec, tell: Any, cancelled: threading.Event) -> None:
        (spec.cwd / "half").write_text("half")
        awake.set()
        late[0].ended()
        write("whole")(spec, tell, cancelled)

    driver.sessions = [sleeps, meets_it]
    run = started()
    late.append(Worker(run, claimed(run, 1)))
    assert asleep.wait(PATIENCE_SECONDS)
    second = Worker(run, claimed(run, 2)).ended()
    assert isinstance(late[0].error, TakenOver), late[0].result
    assert second.result is not None and second.result.outcome is Outcome.SUCCEEDED, second.error or second.result
    made: Any = second.result.output
    repository = Repository(layout=Layout.of(run.workflow_id))
    assert set(files_of(repository, made["commit"])) == {"half", "whole"}
    assert repository.head(made["branch"]) == made["commit"], "the branch is the successor's"
    rows = list(AgentAttempt.objects.order_by("id").values_list("claim", "verdict", "ended"))
    assert rows == [(1, "crashed", "crashed"), (2, "done", "end_turn")]
    assert not AgentLease.objects.exists() and not repository.layout.worktrees.joinpath("x").exists()


def test_who_wakes_up_once_all_is_over_begins_nothing(driver: Driver) -> None:
    driver.sessions = [write("a")]
    run = started()
    old = claimed(run, 1)
    assert Worker(run, claimed(run, 2)).ended().result is not None
    assert isinstance(Worker(run, old).ended().error, TakenOver)
    assert len(driver.held) == 1 and AgentAttempt.objects.count() == 1
    Command.objects.filter(run=run).update(status=Command.DONE)
    assert isinstance(Worker(run, Command.objects.get(run=run, kind="run_action")).ended().error, TakenOver)
    assert len(driver.held) == 1


def test_a_session_outlasts_a_database_that_is_away_and_a_lease_that_lapsed_meanwhile(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SECONDS", 0.6)
    save = AgentAttempt.save

    def away(self: AgentAttempt, **how: Any) -> None:
        if how.get("update_fields"):
            raise OperationalError("the server closed the connection")
        save(self, **how)

    def works(spec: SessionSpec, tell: Any, cancelled: threading.Event) -> None:
        tell(SessionStarted(session_id="s-1", agent="x", version="1", model=""))
        AgentLease.objects.all().delete()  # as whoever takes an endpoint does with those that have lapsed
        connections.close_all()
        for _ in range(200):
            if cancelled.wait(0.05) or AgentLease.objects.exists():
                break
        assert not cancelled.is_set() and AgentLease.objects.exists()
        write("a")(spec, tell, cancelled)

    monkeypatch.setattr(AgentAttempt, "save", away)
    driver.sessions = [works]
    run = started()
    done = Worker(run, claimed(run, 1)).ended()
    assert done.error is None and done.result is not None and done.result.outcome is Outcome.SUCCEEDED, done.error
    row = AgentAttempt.objects.get()
    assert (row.session_id, row.verdict) == ("s-1", "done") and not AgentLease.objects.exists()


def test_neither_branches_nor_traffic_are_changed_under_a_claim_that_is_over() -> None:
    run = started()
    claimed(run, 2)
    repository = Repository.create(Layout.of("shop"))
    worktree = Worktree.add(repository, "zen/shop/t1", repository.base())
    (worktree.path / "a").write_text("a")
    sha = commit(worktree, "Work", Trailers(run="shop", task="t1")).sha
    assert sha is not None
    about = {"workflow_id": run.workflow_id, "engine": "celery", "step_id": "a", "purpose": "forward"}
    with current.attempt(run_id=run.pk, iteration=1, attempt=1, claim=1, **about):
        with pytest.raises(Superseded):
            merge(repository, sha)
        with pytest.raises(Superseded):
            Worktree.add(repository, worktree.branch, repository.base())
        with pytest.raises(Superseded), locked(folder_of("shop")) as record:
            record.live = "r1"
    assert repository.head() == repository.base() and (worktree.path / "a").exists()
    assert read(folder_of("shop")).live == ""
    with current.attempt(run_id=run.pk, iteration=1, attempt=1, claim=2, **about):
        assert merge(repository, sha) == repository.head()


def test_a_repository_whose_name_was_half_written_is_the_runs_own_all_the_same(tmp_path: Path) -> None:
    source = Repository.create(Layout.of("theirs")).layout.repository
    run = Run(workflow_id="shop")
    first = repository_of(run, str(source))
    (first.layout.folder / SOURCE).write_text("")  # killed between the two
    assert repository_of(run, str(source)) == first
    assert (first.layout.folder / SOURCE).read_text() == str(source)
