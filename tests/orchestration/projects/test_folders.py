"""What runs left on a machine goes with their rows, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from orchestration.agents.workspace.janitor import Report, janitor
from orchestration.agents.workspace.layout import RUN_FILE, Layout
from orchestration.agents.workspace.repository import Repository
from orchestration.models import Run
from orchestration.projects.folders import clear_old
from tests.monitoring.retention.scenes import TASKS, ended, pruned

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, settings: Settings) -> Path:
    settings.ZEN_DATA_DIR, settings.ZEN_TASKS = tmp_path, TASKS
    return tmp_path / "projects"


def worked(workflow_id: str, days: float, kind: str = Run.SAGA) -> Layout:
    """A run that ended so many days before, and what its agents left: the branch of a task, a worktree."""
    run = ended(workflow_id, days=days)
    Run.objects.filter(pk=run.pk).update(kind=kind)
    made = Repository.create(Layout.of(workflow_id))
    made.git.run("update-ref", "refs/heads/zen/x/t1", made.base())
    (made.layout.worktrees / "t1").mkdir(parents=True)
    return made.layout


def there(layout: Layout) -> tuple[bool, bool]:
    """Whether there is a repository, and a worktree."""
    return layout.repository.exists(), (layout.worktrees / "t1").exists()


def test_a_saga_keeps_its_agents_work_as_long_as_its_details() -> None:
    young, old = worked("young", 30), worked("a:b~odd", 100)
    pruned()
    clear_old()
    assert there(young) == (True, True) and not old.folder.exists()


def test_a_project_keeps_its_repository_as_long_as_its_row() -> None:
    young, old, gone = (worked(f"p-{days}", days, Run.PROJECT) for days in (30, 100, 500))
    pruned()
    clear_old()
    assert (there(young), there(old)) == ((True, True), (True, False)) and not gone.folder.exists()
    assert Repository(layout=old).branches() == []


def test_what_no_row_tells_of_is_left_alone(data: Path) -> None:
    """It may be the only copy of what another site's project made."""
    layout = Repository.create(Layout.of("of-another-database")).layout
    worked("gone", 500)
    forged = data / "forged"
    forged.mkdir()
    (forged / RUN_FILE).write_text("gone")
    linked = data / "linked"
    linked.symlink_to(data.parent)
    pruned()
    clear_old()
    assert layout.repository.exists() and forged.exists() and linked.exists() and not (data / "gone").exists()


def test_one_folder_that_cannot_be_cleared_stops_no_other(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = worked("a", 100), worked("b", 100)
    pruned()

    def clear(workflow_id: str, *, keep_repository: bool) -> Report:
        if workflow_id == "a":
            raise PermissionError("not yours")
        return janitor(workflow_id, keep_repository=keep_repository)

    monkeypatch.setattr("orchestration.projects.folders.janitor", clear)
    clear_old()
    assert first.folder.exists() and not second.folder.exists() and "run a cannot be cleared" in caplog.text


def test_nobody_else_on_the_machine_reads_what_agents_do() -> None:
    assert Repository.create(Layout.of("mine")).layout.folder.stat().st_mode & 0o077 == 0
