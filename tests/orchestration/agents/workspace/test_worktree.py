"""A worktree is hostile: whatever an agent leaves in it, we take files and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from orchestration.agents.workspace import snapshot
from orchestration.agents.workspace.commit import Committed, Trailers, commit
from orchestration.agents.workspace.repository import Repository
from orchestration.agents.workspace.snapshot import stays_within
from orchestration.agents.workspace.worktree import Lost, Worktree
from tests.orchestration.agents.workspace.work import files_of, git, task, write
from tests.support.waiting import PATIENCE_SECONDS

TRAILERS = Trailers(run="shop", task="t1")


@pytest.fixture
def worktree(repository: Repository) -> Worktree:
    base = task(repository, "t0", {"kept.txt": "kept\n", "old/deep.txt": "deep\n"})
    return Worktree.add(repository, "zen/shop/t1", base)


def taken(worktree: Worktree) -> tuple[dict[str, str], Committed]:
    made = commit(worktree, "Work", TRAILERS)
    assert made.sha is not None
    return files_of(worktree.repository, made.sha), made


def test_an_agent_sees_a_clean_repository_on_its_branch(worktree: Worktree) -> None:
    assert git(worktree.path, "status", "--porcelain") == ""
    assert git(worktree.path, "symbolic-ref", "HEAD") == "refs/heads/zen/shop/t1"
    assert git(worktree.path, "log", "--format=%s", "-1") == "Do it"


def test_what_an_agent_commits_itself_is_taken_as_files(worktree: Worktree) -> None:
    write(worktree.path, {"new.txt": "new"})
    git(worktree.path, "add", ".")
    git(worktree.path, "commit", "-qm", "Mine")
    git(worktree.path, "checkout", "-qb", "elsewhere")
    files, made = taken(worktree)
    assert files["new.txt"] == "new"
    assert worktree.repository.git.out("rev-list", "--count", f"{worktree.at}..{made.sha}") == "1"


def test_no_hook_filter_monitor_or_configuration_of_the_worktree_is_run(
    worktree: Worktree, tmp_path: Path, trap: Callable[[], bool]
) -> None:
    program, own = str(tmp_path / "trap"), worktree.path / ".git"
    for name in ("core.fsmonitor", "core.pager", "diff.external", "core.editor", "gpg.program", "diff.x.textconv"):
        git(worktree.path, "config", name, program)
    for name in ("filter.x.clean", "filter.x.smudge", "filter.x.process", "merge.x.driver", "core.attributesFile"):
        git(worktree.path, "config", name, program)
    (own / "hooks").mkdir()
    for hook in ("pre-commit", "post-commit", "post-index-change", "reference-transaction", "post-checkout"):
        (own / "hooks" / hook).symlink_to(program)
    write(worktree.path, {".gitattributes": "* filter=x diff=x merge=x text eol=crlf ident\n", "a.txt": "$Id$\r\n"})
    write(
        worktree.path, {".gitmodules": f'[submodule "s"]\n\tpath = s\n\turl = ext::{program}\n\tupdate = !{program}\n'}
    )
    files, made = taken(worktree)
    assert not trap()
    names = worktree.repository.git.run("cat-file", "blob", f"{made.sha}:a.txt")[1]
    assert names == b"$Id$\r\n" and ".gitmodules" in files


def test_a_git_folder_that_points_elsewhere_is_not_followed(worktree: Worktree, tmp_path: Path) -> None:
    subprocess.run(["rm", "-rf", str(worktree.path / ".git")], check=True)
    (worktree.path / ".git").write_text(f"gitdir: {tmp_path}/nowhere\n")
    write(worktree.path, {"a.txt": "a"})
    assert taken(worktree)[0]["a.txt"] == "a"


def test_files_of_a_repository_within_are_taken_and_its_history_is_not(worktree: Worktree) -> None:
    write(worktree.path, {"part/x.txt": "x"})
    git(worktree.path, "init", "-q", "part")
    git(worktree.path / "part", "add", ".")
    git(worktree.path / "part", "commit", "-qm", "Own")
    write(worktree.path, {"other/.GIT/config": "c", "sub/y": "y"})
    (worktree.path / "sub" / ".git").write_text("gitdir: /nowhere\n")
    files, made = taken(worktree)
    assert set(files) == {"kept.txt", "old/deep.txt", "part/x.txt", "sub/y"}
    assert sum("a repository within the worktree" in note for note in made.notes) == 3


def test_links_out_of_the_tree_are_not_taken(worktree: Worktree) -> None:
    (worktree.path / "passwd").symlink_to("/etc/passwd")
    (worktree.path / "up").symlink_to("../../../state")
    (worktree.path / "old" / "near").symlink_to("../kept.txt")
    (worktree.path / "git").symlink_to(".git/config")
    files, made = taken(worktree)
    assert files["old/near"] == "../kept.txt"
    assert {"passwd", "up", "git"} & set(files) == set()
    assert sum("it is a link out of the worktree" in note for note in made.notes) == 3


@pytest.mark.parametrize(
    ("link", "target", "within"),
    [
        (b"a", b"b", True),
        (b"a/b", b"../c", True),
        (b"a/b/c", b"../../d/e", True),
        (b"a", b"../b", False),
        (b"a/b", b"../../c", False),
        (b"a", b"/etc", False),
        (b"a", b"link/../../b", False),
        (b"p/q/l", b"d/../x", False),
        (b"a", b".git/config", False),
        (b"a/b", b"../.GIT/config", False),
        (b"a", b"./.git", False),
        (b"a", b"", False),
    ],
)
def test_which_links_stay_within(link: bytes, target: bytes, within: bool) -> None:
    assert stays_within(link, target) is within


def test_a_folder_that_became_a_link_takes_nothing_from_beyond(worktree: Worktree, tmp_path: Path) -> None:
    write(tmp_path / "secrets", {"deep.txt": "secret"})
    subprocess.run(["rm", "-rf", str(worktree.path / "old")], check=True)
    (worktree.path / "old").symlink_to(tmp_path / "secrets")
    files, _ = taken(worktree)
    assert files == {"kept.txt": "kept\n"}


def test_pipes_sockets_and_rules_that_are_none_block_nobody(worktree: Worktree) -> None:
    os.mkfifo(worktree.path / "pipe")
    os.mkfifo(worktree.path / "old" / ".gitignore")
    (worktree.path / ".gitattributes").symlink_to("/dev/zero")
    (worktree.path / "kept.txt").unlink()
    os.mkfifo(worktree.path / "kept.txt")
    with socket.socket(socket.AF_UNIX) as listening:
        folder = os.open(worktree.path, os.O_RDONLY)  # the path of a socket has to be short
        listening.bind(f"/proc/self/fd/{folder}/s")
        os.close(folder)
        files, made = taken(worktree)
    assert set(files) == {"old/deep.txt"}
    assert len(made.notes) == 5


def test_huge_files_are_not_taken(worktree: Worktree, monkeypatch: pytest.MonkeyPatch) -> None:
    with (worktree.path / "huge").open("wb") as file:
        file.truncate(200 * 1024**3)
    write(worktree.path, {"small": "s"})
    files, made = taken(worktree)
    assert "small" in files and "huge" not in files
    assert made.notes == (f"huge was not taken: it has {200 * 1024**3} bytes, and {snapshot.LARGEST_FILE} is the most",)
    monkeypatch.setattr(snapshot, "LARGEST_TOTAL", 3)
    write(worktree.path, {"a1": "aa", "a2": "bb"})
    assert set(taken(worktree)[0]) == {"kept.txt", "old/deep.txt", "a1", "small"}


def test_a_file_with_a_secret_of_the_site_is_not_taken(worktree: Worktree, settings: Settings) -> None:
    """An agent has the key of its model in its environment, and may be talked into writing it down."""
    settings.ZEN_SECRETS = {"MODEL_KEY": "sk-a-key-of-the-site", "SHORT": "kept"}
    write(
        worktree.path,
        {"env.txt": "KEY=sk-a-key-of-the-site\n", "b/.env.log": "\0sk-a-key-of-the-site", "ok.txt": "kept"},
    )
    files, made = taken(worktree)
    assert "sk-a-key" not in str(files) and set(files) == {"kept.txt", "old/deep.txt", "ok.txt"}
    assert "env.txt was not taken: it holds the value of a secret" in made.notes and "sk-a" not in str(made.notes)


def test_too_many_files_are_not_taken(worktree: Worktree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "MOST_FILES", 10)
    write(worktree.path, {f"many/{number:03}": "x" for number in range(200)})
    files, made = taken(worktree)
    assert len(files) == 12
    assert len(made.notes) == 51 and made.notes[-1] == "and 140 more"


def test_names_of_any_bytes_are_taken(worktree: Worktree) -> None:
    names = [b"caf\xe9", b"new\nline", b"-rf", b":(top)x", b'"quoted"', "ü/é".encode(), b"tab\t", b"a\\b"]
    for name in names:
        path = os.path.join(os.fsencode(worktree.path), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"x")
    made = commit(worktree, "Work", TRAILERS)
    listed = worktree.repository.git.records("ls-tree", "-r", "-z", "--name-only", str(made.sha))
    assert set(listed) == {*names, b"kept.txt", b"old/deep.txt"}


def test_files_without_permissions_are_taken_and_folders_without_an_end_are_not(worktree: Worktree) -> None:
    write(worktree.path, {"closed/file": "x", "mute": "m"})
    (worktree.path / "mute").chmod(0)
    (worktree.path / "closed").chmod(0)
    deep = worktree.path / "/".join(["d"] * 100)
    deep.mkdir(parents=True)
    write(deep, {"bottom": "b"})
    files, made = taken(worktree)
    assert {"closed/file", "mute"} <= set(files)
    assert not any("bottom" in name for name in files) and "it lies deeper than 64 folders" in made.notes[0]


def test_a_file_may_become_a_folder_and_a_folder_a_file(worktree: Worktree) -> None:
    write(worktree.path, {"kept.txt": None, "old/deep.txt": None})
    (worktree.path / "old").rmdir()
    write(worktree.path, {"kept.txt/inside": "i", "old": "now a file"})
    assert taken(worktree)[0] == {"kept.txt/inside": "i", "old": "now a file"}


def test_what_tools_leave_and_what_the_repository_ignores_is_not_taken(worktree: Worktree) -> None:
    write(
        worktree.path,
        {
            ".gitignore": "build/\n",
            "build/out": "o",
            "__pycache__/a.pyc": "p",
            "node_modules/m/index.js": "m",
            "a": "a",
        },
    )
    assert set(taken(worktree)[0]) == {"kept.txt", "old/deep.txt", ".gitignore", "a"}


def test_adding_again_throws_away_what_was_there(worktree: Worktree) -> None:
    write(worktree.path, {"half": "done"})
    again = Worktree.add(worktree.repository, worktree.branch, worktree.at)
    assert not (again.path / "half").exists()
    assert commit(again, "Work", TRAILERS).sha is None


def test_an_open_worktree_is_as_it_was_left(worktree: Worktree) -> None:
    write(worktree.path, {"half": "done"})
    found = Worktree.open(worktree.repository, worktree.branch)
    assert found == worktree
    assert found is not None and (found.path / "half").read_text() == "done"


def test_half_a_worktree_is_none(worktree: Worktree) -> None:
    (worktree.state / "complete").unlink()
    assert Worktree.open(worktree.repository, worktree.branch) is None
    assert Worktree.open(worktree.repository, "zen/shop/other") is None


def test_removing_leaves_the_branch(worktree: Worktree) -> None:
    write(worktree.path, {"a": "a"})
    made = commit(worktree, "Work", TRAILERS).sha
    worktree.remove()
    worktree.remove()
    assert not worktree.path.exists() and not worktree.state.exists()
    assert worktree.repository.head(worktree.branch) == made


def test_who_had_it_before_changes_and_removes_nothing_any_more(worktree: Worktree) -> None:
    again = Worktree.add(worktree.repository, worktree.branch, worktree.at)
    write(again.path, {"new": "new"})
    with pytest.raises(Lost):
        commit(worktree, "Late", TRAILERS)
    worktree.remove()
    assert taken(again)[0]["new"] == "new"
    found = Worktree.open(worktree.repository, worktree.branch)
    assert found is not None
    again.remove()
    assert found.path.is_dir(), "opened by somebody else since"
    found.remove()
    assert not found.path.exists()
    with pytest.raises(Lost):
        commit(found, "Late", TRAILERS)


def test_what_still_works_in_it_is_ended_before_somebody_else_gets_it(worktree: Worktree) -> None:
    for follows in (Worktree.add, lambda repository, branch, _: Worktree.open(repository, branch)):
        process = subprocess.Popen(["sleep", "600"], env={**os.environ, **worktree.env})
        assert follows(worktree.repository, worktree.branch, worktree.at) is not None
        assert process.wait(PATIENCE_SECONDS) == -9


def test_neither_a_name_nor_a_link_carries_a_secret_out(worktree: Worktree, settings: Settings) -> None:
    """A name is not shown either."""
    settings.ZEN_SECRETS = {"TOKEN": "sk-abcdefghijkl"}
    write(worktree.path, {"a.txt": "a", "sk-abcdefghijkl/b.txt": "b"})
    (worktree.path / "c").symlink_to("sk-abcdefghijkl")
    files, made = taken(worktree)
    assert set(files) == {"kept.txt", "old/deep.txt", "a.txt"}
    assert len(made.notes) == 2 and "sk-" not in str(made.notes)
