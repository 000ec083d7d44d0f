"""A run's repository: where it begins, what it refuses, what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from foundation.errors import BadInput
from orchestration.agents.workspace.git import Git, GitMissing
from orchestration.agents.workspace.layout import Layout, folder_name, remove
from orchestration.agents.workspace.repository import CONFIG, Repository, checked_branch
from tests.orchestration.agents.workspace.work import files_of, git, task, write


def test_a_fresh_one_begins_with_an_empty_commit(repository: Repository) -> None:
    assert repository.head() == repository.base()
    assert files_of(repository, "main") == {}


def test_one_with_a_source_begins_with_the_head_of_the_source(layout: Layout, source: Path) -> None:
    repository = Repository.create(layout, str(source))
    assert repository.base() == git(source, "rev-parse", "HEAD")
    assert files_of(repository, "main")["shop.py"] == "PRICE = 1\n"


def test_a_shallow_source_is_enough(layout: Layout, source: Path, tmp_path: Path) -> None:
    write(source, {"b": "b"})
    git(source, "add", ".")
    git(source, "commit", "-qm", "Second")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{source}", "shallow")
    repository = Repository.create(layout, str(tmp_path / "shallow"))
    assert repository.base() == git(source, "rev-parse", "HEAD")
    assert task(repository, "t1", {"c": "c"})


def test_creating_again_changes_nothing(layout: Layout, source: Path) -> None:
    first = Repository.create(layout, str(source))
    made = task(first, "t1", {"a": "a"})
    again = Repository.create(layout, str(source))
    assert again.base() == first.base()
    assert again.head("zen/shop/t1") == made


def test_what_an_interrupted_creation_left_is_done_anew(layout: Layout, source: Path) -> None:
    half = layout.folder / "repository.unfinished"
    half.mkdir(parents=True)
    (half / "HEAD").write_text("nonsense")
    assert Repository.create(layout, str(source)).head()
    assert not half.exists()


@pytest.mark.parametrize(
    "named",
    ["--upload-pack=/bin/true", "ext::sh -c true", "fd::17", "somewhere/else", "gopher://example.com/a", "/a\n/b"],
)
def test_a_source_that_could_run_something_is_refused(layout: Layout, named: str) -> None:
    with pytest.raises(BadInput, match="no repository that can be cloned") as refused:
        Repository.create(layout, named)
    assert refused.value.field == "repository" and refused.value.value == named


def test_a_source_that_is_not_there_is_refused_and_leaves_no_repository(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        Repository.create(layout, str(tmp_path / "nowhere"))
    assert not Repository(layout=layout).exists


def test_a_source_without_a_commit_is_refused(layout: Layout, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "void")
    with pytest.raises(BadInput, match="cannot be read"):
        Repository.create(layout, str(tmp_path / "void"))


def test_no_program_that_a_source_configures_is_run(
    layout: Layout, source: Path, tmp_path: Path, trap: Callable[[], bool]
) -> None:
    for name in (
        "core.fsmonitor",
        "uploadpack.packObjectsHook",
        "core.sshCommand",
        "filter.x.clean",
        "filter.x.smudge",
    ):
        git(source, "config", name, str(tmp_path / "trap"))
    (source / ".git" / "hooks" / "post-checkout").symlink_to(tmp_path / "trap")
    task(Repository.create(layout, str(source)), "t1", {"a": "a", ".gitattributes": "* filter=x\n"})
    assert not trap()


def test_a_configuration_that_somebody_wrote_into_it_is_gone_when_it_is_opened(
    repository: Repository, tmp_path: Path, trap: Callable[[], bool]
) -> None:
    folder = repository.layout.repository
    with (folder / "config").open("a") as file:
        file.write(f'[filter "x"]\n\tclean = {tmp_path}/trap\n')
    (folder / "info" / "attributes").write_text("* filter=x\n")
    (folder / "hooks").mkdir()
    (folder / "hooks" / "reference-transaction").symlink_to(tmp_path / "trap")
    task(repository.opened(), "t1", {"a": "a"})
    assert not trap()
    assert (folder / "config").read_text() == CONFIG


@pytest.mark.parametrize(
    "name", ["", "-x", "a..b", "a/.b", "a//b", "a.lock", "a b", "a~1", "refs/heads/@{1}", "/a", "a/"]
)
def test_what_is_no_branch_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="no name of a branch"):
        checked_branch(name)


def test_a_result_is_pushed_as_a_branch_and_pushing_again_is_no_harm(layout: Layout, source: Path) -> None:
    repository = Repository.create(layout, str(source))
    made = task(repository, "t1", {"a": "a"})
    for _ in range(2):
        repository.push(str(source), "zen/shop", at=made)
    assert git(source, "rev-parse", "zen/shop") == made
    assert git(source, "status", "--porcelain") == ""


def test_no_program_of_the_repository_that_gets_a_push_is_run(
    layout: Layout, source: Path, tmp_path: Path, trap: Callable[[], bool]
) -> None:
    repository = Repository.create(layout, str(source))
    made = task(repository, "t1", {"a": "a"})
    for name in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction", "push-to-checkout"):
        (source / ".git" / "hooks" / name).unlink(missing_ok=True)
        (source / ".git" / "hooks" / name).symlink_to(tmp_path / "trap")
    for name in ("core.fsmonitor", "core.alternateRefsCommand", "filter.x.smudge"):
        git(source, "config", name, str(tmp_path / "trap"))
    git(source, "config", "receive.denyCurrentBranch", "updateInstead")
    for target in (str(source), f"file://{source}"):
        repository.push(target, "zen/shop", at=made)
    assert git(source, "rev-parse", "zen/shop") == made and not trap()


def test_what_cannot_be_reached_gets_no_push(layout: Layout, source: Path) -> None:
    repository = Repository.create(layout, str(source))
    made = task(repository, "t1", {"a": "a"})
    (source / ".git").rename(source / "away")
    with pytest.raises(BadInput, match="could not be pushed"):
        repository.push(str(source), "zen/shop", at=made)


def test_names_of_folders_are_never_alike() -> None:
    names = ["shop", "a/b", "a-b", "a:b", "..", ".", "x" * 300, "x" * 301, "é", "A/b", "main.lock", "a\0b"]
    made = [folder_name(name) for name in names]
    assert len(set(made)) == len(names)
    assert all("/" not in one and not one.startswith(".") and len(one.encode()) < 100 for one in made)


def test_a_folder_is_removed_whatever_it_holds_and_nothing_beyond_it(tmp_path: Path) -> None:
    beyond = tmp_path / "beyond"
    write(beyond, {"kept": "kept"})
    deep = tmp_path / "mine"
    deep.mkdir()
    (deep / "link").symlink_to(beyond)
    place = deep
    for _ in range(1200):
        place = place / "d"
        if len(str(place)) > 3900:
            break
        place.mkdir()
    write(deep / "locked", {"file": "x"})
    (deep / "locked" / "file").chmod(0)
    (deep / "locked").chmod(0o500)
    remove(deep)
    remove(deep)
    assert not deep.exists()
    assert (beyond / "kept").read_text() == "kept"


def test_a_machine_without_git_says_what_to_install_and_a_folder_that_is_gone_is_another_matter(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        Git(git_dir=tmp_path / "gone").out("rev-parse", "HEAD")
    monkeypatch.setenv("PATH", str(tmp_path))
    for asked in (repository.head, repository.base, lambda: repository.git.beginning("log", most=9)):
        with pytest.raises(GitMissing, match="git is not on the PATH .* apt-get install git"):
            asked()
