"""Merging tasks and taking them out again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.agents.workspace.git import GitFailed
from orchestration.agents.workspace.history import entries, merged, merges
from orchestration.agents.workspace.merge import Conflict, merge, revert, take_back, trial_merge
from orchestration.agents.workspace.repository import INTEGRATION, Repository
from tests.orchestration.agents.workspace.work import files_of, task


def sha_of(made: str | Conflict | None) -> str:
    assert isinstance(made, str)
    return made


def test_what_two_tasks_wrote_is_merged_each_by_a_merge_of_its_own(repository: Repository) -> None:
    base = repository.base()
    commits = [task(repository, name, {name: name}, at=base) for name in ("t1", "t2")]
    for one in commits:
        merge(repository, one)
    assert files_of(repository, INTEGRATION) == {"t1": "t1", "t2": "t2"}
    assert [(one.task, one.merges) for one in merges(repository)] == [("t2", commits[1]), ("t1", commits[0])]
    assert [one.requirements for one in merges(repository)] == [("R1",), ("R1",)]


def test_merging_again_is_the_same_merge(repository: Repository) -> None:
    one = task(repository, "t1", {"a": "a"})
    first = merge(repository, one)
    merge(repository, task(repository, "t2", {"b": "b"}, at=repository.base()))
    assert merge(repository, one) == first
    assert len(list(merges(repository))) == 2


def test_a_conflict_names_the_files_and_what_both_sides_wanted(repository: Repository) -> None:
    base = repository.base()
    first = task(repository, "t1", {"price": "1\n", "é/two words": "1"}, at=base, message="Make it cheap")
    other = task(repository, "t2", {"elsewhere": "2\n"}, at=base, message="Unrelated")
    second = task(repository, "t3", {"price": "3\n", "é/two words": "3"}, at=base, message="Make it dear\n\nFor R1.")
    merge(repository, first)
    merge(repository, other)
    before = repository.head()
    found = merge(repository, second)
    assert isinstance(found, Conflict)
    assert found.files == ("price", "é/two words")
    assert [(one.task, one.text.splitlines()[0]) for one in found.ours] == [("t1", "Make it cheap")]
    assert found.theirs.task == "t3" and "For R1." in found.theirs.text
    assert any("Merge conflict in price" in text for text in found.messages)
    assert repository.head() == before
    assert found.to_json()["files"] == ["price", "é/two words"]


def test_one_file_changed_in_two_places_is_no_conflict(repository: Repository) -> None:
    lines = [f"{number}\n" for number in range(20)]
    base = task(repository, "t0", {"a": "".join(lines)})
    merge(repository, base)
    top = task(repository, "t1", {"a": "".join(["top\n", *lines[1:]])}, at=base)
    end = task(repository, "t2", {"a": "".join([*lines[:-1], "end\n"])}, at=base)
    merge(repository, top)
    merge(repository, end)
    assert files_of(repository, INTEGRATION)["a"] == "".join(["top\n", *lines[1:-1], "end\n"])


def test_a_merge_rule_of_the_agents_hides_no_conflict(
    repository: Repository, tmp_path: Path, trap: Callable[[], bool]
) -> None:
    base = task(repository, "t0", {"a": "0\n", ".gitattributes": "* merge=union\n"})
    merge(repository, base)
    merge(repository, task(repository, "t1", {"a": "1\n"}, at=base))
    assert isinstance(merge(repository, task(repository, "t2", {"a": "2\n"}, at=base)), Conflict)
    assert not trap()


def test_a_trial_touches_nothing(repository: Repository) -> None:
    one = task(repository, "t1", {"a": "a"})
    before = repository.git.out("for-each-ref")
    tried = trial_merge(repository.git, repository.base(), one)
    assert tried.files == () and repository.git.out("ls-tree", "--name-only", tried.tree) == "a"
    assert repository.git.out("for-each-ref") == before


def test_a_reverted_task_is_gone_and_the_others_stay(repository: Repository) -> None:
    base = repository.base()
    first = sha_of(merge(repository, task(repository, "t1", {"a": "a", "both": "1\n"}, at=base)))
    merge(repository, task(repository, "t2", {"b": "b"}, at=base))
    made = sha_of(revert(repository, first))
    assert files_of(repository, INTEGRATION) == {"b": "b"}
    assert revert(repository, first) == made == repository.head()
    assert merged(repository, "t1") == [] and len(merged(repository, "t2")) == 1


def test_what_was_never_merged_is_not_reverted(repository: Repository) -> None:
    one = task(repository, "t1", {"a": "a"})
    assert revert(repository, one) is None
    assert revert(repository, repository.base()) is None
    assert repository.head() == repository.base()


def test_a_task_that_was_reverted_may_be_merged_anew(repository: Repository) -> None:
    one = task(repository, "t1", {"a": "a"})
    first = sha_of(merge(repository, one))
    revert(repository, first)
    second = sha_of(merge(repository, one))
    assert second != first and files_of(repository, INTEGRATION) == {"a": "a"}
    assert merge(repository, one) == second
    assert merged(repository, "t1") == [second]
    revert(repository, second)
    assert files_of(repository, INTEGRATION) == {}


def test_a_revert_that_others_built_upon_is_a_conflict(repository: Repository) -> None:
    first = sha_of(merge(repository, task(repository, "t1", {"a": "1\n"})))
    merge(repository, task(repository, "t2", {"a": "2\n"}))
    found = revert(repository, first)
    assert isinstance(found, Conflict) and found.files == ("a",)
    assert [one.task for one in found.ours] == ["t2"]


def test_tasks_that_changed_the_same_lines_are_taken_back_in_any_order(repository: Repository) -> None:
    at, made = repository.base(), []
    for number in range(3):
        at = task(repository, f"t{number}", {"a": f"{number}\n"}, at=at)
        made.append(sha_of(merge(repository, at)))
    kept = files_of(repository, INTEGRATION)
    assert isinstance(take_back(repository, made[0], owed=made[:2]), Conflict), "what stays is in the way"
    assert files_of(repository, INTEGRATION) == kept
    for one in (made[0], made[2], made[1]):
        assert isinstance(take_back(repository, one, owed=made), str)
    assert files_of(repository, INTEGRATION) == {} and len(entries(repository)) == 6, "each once"


def test_a_commit_that_is_not_there_is_said(repository: Repository) -> None:
    with pytest.raises(GitFailed):
        merge(repository, "0" * 40)


def test_merges_at_once_lose_nothing(repository: Repository) -> None:
    base = repository.base()
    commits = [task(repository, f"t{number}", {f"f{number}": "x"}, at=base) for number in range(6)]
    threads = [threading.Thread(target=merge, args=(repository, one)) for one in commits * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files_of(repository, INTEGRATION)) == 6
    assert sorted(one.merges for one in merges(repository)) == sorted(commits)
