"""Users' repositories as they are in the wild: shallow, with submodules, with a HEAD of nothing, with taken names."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from foundation.errors import BadInput
from orchestration.agents.workspace.checks.checkout import checked_out
from orchestration.agents.workspace.commit import Committed, Trailers, commit
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import Repository
from orchestration.agents.workspace.worktree import Worktree
from tests.orchestration.agents.workspace.work import git, task, write


@pytest.fixture
def shallow(source: Path, tmp_path: Path) -> Path:
    write(source, {"shop.py": "PRICE = 2\n"})
    git(source, "commit", "--quiet", "-am", "Raise the price")
    git(tmp_path, "clone", "--quiet", "--depth", "1", source.as_uri(), "shallow")
    return tmp_path / "shallow"


def test_the_history_of_a_shallow_clone_can_be_read_by_agents_and_checks(layout: Layout, shallow: Path) -> None:
    repository = Repository.create(layout, str(shallow))
    made = task(repository, "t1", {"shop.py": "PRICE = 3\n"})
    worktree = Worktree.open(repository, "zen/shop/t1")
    assert worktree is not None and git(worktree.path, "log", "--format=%s") == "Raise the price"
    with checked_out(repository, made, frozen=repository.base()) as (files, _):
        assert git(files, "log", "--format=%s").splitlines() == ["Do it", "Raise the price"]
        assert git(files, "status", "--short") == ""
    assert repository.push(str(shallow), "zen/shop", at=made) == "zen/shop"


@pytest.fixture
def with_submodule(source: Path, tmp_path: Path) -> Path:
    library = tmp_path / "library"
    shutil.copytree(source, library)
    git(source, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "vendor/lib")
    git(source, "commit", "--quiet", "-m", "Borrow a library")
    return source


def worked(layout: Layout, source: Path, work: Callable[[Path], object]) -> tuple[Committed, str]:
    """The commit of an agent that did this beside its task, and the commit's entry for the place of the submodule."""
    repository = Repository.create(layout, str(source))
    worktree = Worktree.add(repository, "zen/shop/t1", repository.base())
    write(worktree.path, {"shop.py": "PRICE = 3\n"})
    work(worktree.path)
    made = commit(worktree, "Do it", Trailers(run="shop", task="t1"))
    return made, repository.git.out("ls-tree", "-r", str(made.sha), "--", "vendor")


def test_a_submodule_stays_though_its_empty_place_was_cleared_away(layout: Layout, with_submodule: Path) -> None:
    made, entry = worked(layout, with_submodule, lambda folder: shutil.rmtree(folder / "vendor"))
    assert entry.startswith("160000 ") and not made.notes


def test_what_was_written_into_a_submodule_is_told_as_not_taken(layout: Layout, with_submodule: Path) -> None:
    made, entry = worked(layout, with_submodule, lambda folder: write(folder, {"vendor/lib/new.py": "NEW = 1\n"}))
    assert entry.startswith("160000 ")
    assert made.notes == ("what lies in vendor/lib was not taken: it is a submodule",)


def test_a_submodule_that_is_named_no_more_is_gone_and_its_files_are_files(
    layout: Layout, with_submodule: Path
) -> None:
    def vendored(folder: Path) -> None:
        write(folder, {".gitmodules": None})
        shutil.rmtree(folder / "vendor")
        write(folder, {"vendor/lib/new.py": "NEW = 1\n"})

    made, entry = worked(layout, with_submodule, vendored)
    assert entry.startswith("100644 ") and entry.endswith("vendor/lib/new.py") and not made.notes


def test_a_head_of_nothing_is_the_only_branch_there_is(layout: Layout, source: Path, tmp_path: Path) -> None:
    """As in a bare repository whose first push brought another name than its own default."""
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=master", "bare.git")
    git(source, "push", "--quiet", str(tmp_path / "bare.git"), "trunk")
    assert Repository.create(layout, str(tmp_path / "bare.git")).base() == git(source, "rev-parse", "HEAD")


def test_a_head_of_nothing_among_several_branches_is_asked_about(layout: Layout, source: Path) -> None:
    git(source, "branch", "next")
    git(source, "symbolic-ref", "HEAD", "refs/heads/master")
    with pytest.raises(BadInput) as refused:
        Repository.create(layout, str(source))
    assert "let its HEAD name one of its branches: next, trunk" in refused.value.in_words()


def test_a_repository_without_a_commit_is_refused(layout: Layout, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    with pytest.raises(BadInput, match="cannot be read") as refused:
        Repository.create(layout, str(tmp_path / "empty"))
    assert "with at least one commit" in refused.value.in_words()


@pytest.mark.parametrize(
    ("words", "beside"),
    [
        (("branch", "zen"), "zen-shop"),  # no name can lie below another one
        (("branch", "zen/shop/mine"), "zen/shop"),
        (("checkout", "--quiet", "-b", "zen/shop"), "zen/shop"),  # by the user, who works there
        (("branch", "zen/shop"), "zen/shop"),
    ],
)
def test_a_result_lands_beside_a_name_that_cannot_be_had(
    words: tuple[str, ...], beside: str, layout: Layout, source: Path
) -> None:
    repository = Repository.create(layout, str(source))
    git(source, *words)
    write(source, {"mine.py": "MINE = 1\n"})
    git(source, "add", ".")
    git(source, "commit", "--quiet", "-m", "Mine")
    if words == ("branch", "zen/shop"):
        git(source, "branch", "--force", "zen/shop", "HEAD")
    made = task(repository, "t1", {"shop.py": "PRICE = 3\n"})
    before = git(source, "for-each-ref", "--format=%(refname) %(objectname)")
    names = {repository.push(str(source), "zen/shop", at=made) for _ in range(2)}
    (name,) = names
    assert name == f"{beside}-{made[:12]}" and git(source, "rev-parse", name) == made
    after = git(source, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    assert set(before.splitlines()) == {line for line in after if not line.startswith(f"refs/heads/{name} ")}


def test_what_the_repositorys_own_rules_keep_out_is_told(layout: Layout, source: Path) -> None:
    write(source, {".gitignore": "lib/\n*.env\nnode_modules/\n"})
    git(source, "add", ".gitignore")
    git(source, "commit", "--quiet", "-m", "Ignore")
    repository = Repository.create(layout, str(source))
    worktree = Worktree.add(repository, "zen/shop/t1", repository.base())
    write(
        worktree.path,
        {"lib/cart.py": "CART = []\n", "a.env": "X=1\n", "node_modules/x/y.js": "", "__pycache__/z.pyc": ""},
    )
    made = commit(worktree, "Do it", Trailers(run="shop", task="t1"))
    assert (made.sha, made.notes) == (None, ("a.env, lib/ was not taken: .gitignore has it",))
