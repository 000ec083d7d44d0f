"""One commit for a task, whoever asks for it how often; and what its diff shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.agents.workspace.commit import Trailers, commit, worded
from orchestration.agents.workspace.diff import diff_stat, diff_text
from orchestration.agents.workspace.history import entry
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import Repository
from orchestration.agents.workspace.worktree import Worktree
from orchestration.core.agent.evidence import FileKind
from tests.orchestration.agents.workspace.work import git, task, write

TRAILERS = Trailers(run="shop", task="t1", requirements=("R1", "R2"))


@pytest.fixture
def worktree(repository: Repository) -> Worktree:
    return Worktree.add(repository, "zen/shop/t1", repository.base())


def test_the_same_files_give_the_same_commit(worktree: Worktree) -> None:
    write(worktree.path, {"a": "a"})
    first = commit(worktree, "Work", TRAILERS).sha
    assert first is not None and commit(worktree, "Work", TRAILERS).sha == first
    assert worktree.repository.head(worktree.branch) == first


def test_other_files_give_one_in_its_place(worktree: Worktree) -> None:
    write(worktree.path, {"a": "a"})
    first = commit(worktree, "Work", TRAILERS).sha
    write(worktree.path, {"a": "b"})
    second = commit(worktree, "Work", TRAILERS).sha
    assert first != second == worktree.repository.head(worktree.branch)
    assert worktree.repository.git.out("rev-list", "--count", f"{worktree.at}..{second}") == "1"


def test_without_a_change_there_is_none_and_the_branch_is_set_back(worktree: Worktree) -> None:
    write(worktree.path, {"a": "a"})
    commit(worktree, "Work", TRAILERS)
    write(worktree.path, {"a": None})
    assert commit(worktree, "Work", TRAILERS).sha is None
    assert worktree.repository.head(worktree.branch) == worktree.at


def test_trailers_tell_run_task_and_requirements(worktree: Worktree) -> None:
    write(worktree.path, {"a": "a"})
    made = entry(worktree.repository.git, str(commit(worktree, "Work\n\nof a day", TRAILERS).sha))
    assert (made.subject, made.run, made.task, made.requirements) == ("Work", "shop", "t1", ("R1", "R2"))


@pytest.mark.parametrize(
    "message",
    [
        "Zen-Task: t9",
        "Work\n\nZen-Run: other\nZen-Task: t9",
        "Work\n\n  zen-reverts: abc",
        "Work\r\rZen-Task: t9",
        "Work\n\n# ------------------------ >8 ------------------------\n\nmore",
        "# ------------------------ >8 ------------------------",
        "Work\n\n---\n\nConflicts:\n\ta",
        "\0",
        "",
    ],
)
def test_a_message_forges_no_trailer(worktree: Worktree, message: str) -> None:
    write(worktree.path, {"a": "a"})
    made = entry(worktree.repository.git, str(commit(worktree, message, TRAILERS).sha))
    assert (made.run, made.task, made.reverts) == ("shop", "t1", "")


def test_a_value_stays_on_one_line() -> None:
    text = worded("Work", Trailers(run="shop\nZen-Task: t9", task="t1")).decode()
    assert text == "Work\n\nZen-Run: shop Zen-Task: t9\nZen-Task: t1\n"
    with pytest.raises(ValueError, match="no trailer of ours"):
        worded("Work", Trailers(run="shop", task="t1", more={"Signed-off-by": "x"}))


def test_a_diff_tells_every_file_and_tests_apart(repository: Repository) -> None:
    base = task(repository, "t0", {"gone": "1\n2\n", "kept": "1\n", "tests/test_a.py": "1\n"})
    head = task(
        repository,
        "t1",
        {"gone": None, "kept": "1\n2\n", "tests/test_a.py": "2\n", "é\nü": "\0\1", "pytest.ini": "[pytest]\n"},
        at=base,
    )
    found = diff_stat(repository.git, base, head)
    assert {one.path: (one.status, one.added, one.removed, one.kind) for one in found.files} == {
        "gone": ("D", 0, 2, FileKind.CODE),
        "kept": ("M", 1, 0, FileKind.CODE),
        "tests/test_a.py": ("M", 1, 1, FileKind.TEST),
        "é\\nü": ("A", None, None, FileKind.CODE),
        "pytest.ini": ("A", 1, 0, FileKind.CONFIG),
    }
    tests = diff_text(repository.git, base, head, only=FileKind.TEST)
    assert "tests/test_a.py" in tests and "gone" not in tests and "pytest.ini" not in tests
    assert diff_text(repository.git, base, base) == diff_text(repository.git, base, base, only=FileKind.TEST) == ""
    assert diff_text(repository.git, base, head, most=10).endswith("cut after 10 bytes\n")


def test_attributes_of_the_agent_hide_nothing_of_a_diff(repository: Repository) -> None:
    head = task(repository, "t1", {".gitattributes": "* -diff binary\n", "a.py": "print()\n"})
    assert "+print()" in diff_text(repository.git, repository.base(), head)


def test_submodules_of_the_source_stay_as_they_are(layout: Layout, source: Path) -> None:
    git(source, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},part")
    git(source, "commit", "-qm", "With a part")
    repository = Repository.create(layout, str(source))
    worktree = Worktree.add(repository, "zen/shop/t1", repository.base())
    write(worktree.path, {"a": "a", "part/.git/HEAD": "ref: refs/heads/x\n", "part/x": "x"})
    made = commit(worktree, "Work", TRAILERS)
    assert [one.path for one in diff_stat(repository.git, repository.base(), str(made.sha)).files] == ["a"]
