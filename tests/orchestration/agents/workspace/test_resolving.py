"""A conflict that an agent resolves: both sides before it, one commit after it."""

from __future__ import annotations

import pytest

from orchestration.agents.workspace.commit import Trailers, commit
from orchestration.agents.workspace.history import merged
from orchestration.agents.workspace.merge import Conflict, merge
from orchestration.agents.workspace.repository import INTEGRATION, Repository
from orchestration.agents.workspace.resolving import brief_of, unresolved, worktree_of
from tests.orchestration.agents.workspace.work import files_of, git, task, write


@pytest.fixture
def conflict(repository: Repository) -> Conflict:
    base = repository.base()
    merge(repository, task(repository, "t1", {"price": "cheap\n", "a": "a"}, at=base, message="Make it cheap"))
    found = merge(repository, task(repository, "t2", {"price": "dear\n", "b": "b"}, at=base, message="Make it dear"))
    assert isinstance(found, Conflict)
    return found


def test_the_worktree_holds_both_sides_on_the_newest_head(repository: Repository, conflict: Conflict) -> None:
    worktree = worktree_of(repository, "zen/shop/t2", conflict)
    assert worktree.at == repository.head()
    text = (worktree.path / "price").read_text()
    assert text.startswith("<<<<<<< ") and "cheap\n=======\ndear\n>>>>>>> " in text
    assert (worktree.path / "b").read_text() == "b" and (worktree.path / "a").read_text() == "a"
    assert set(git(worktree.path, "status", "--porcelain").split()) == {"M", "price", "??", "b"}


def test_the_resolution_is_the_one_commit_of_the_task_and_merges(repository: Repository, conflict: Conflict) -> None:
    worktree = worktree_of(repository, "zen/shop/t2", conflict)
    write(worktree.path, {"price": "fair\n"})
    made = commit(worktree, "Make it fair", Trailers(run="shop", task="t2")).sha
    assert made is not None and unresolved(repository.git, worktree.at, made) == []
    assert isinstance(merge(repository, made), str)
    assert files_of(repository, INTEGRATION) == {"price": "fair\n", "a": "a", "b": "b"}
    assert len(merged(repository, "t2")) == 1
    assert repository.git.run("merge-base", "--is-ancestor", conflict.theirs.sha, INTEGRATION, expected=(0, 1))[0] == 1


def test_markers_that_are_left_are_named(repository: Repository, conflict: Conflict) -> None:
    worktree = worktree_of(repository, "zen/shop/t2", conflict)
    write(worktree.path, {"README": "Title\n=======\n"})
    made = commit(worktree, "Done", Trailers(run="shop", task="t2")).sha
    assert unresolved(repository.git, worktree.at, str(made)) == ["price"]


def test_the_brief_has_the_files_and_both_intents(conflict: Conflict) -> None:
    text = brief_of(conflict)
    assert "- price" in text
    assert text.index("Merged already, for task t1:\nMake it cheap") < text.index("for task t2:\nMake it dear")
