"""What the scripted agent reads in a prompt."""

from __future__ import annotations

import pytest

from orchestration.agents.scripted.behaviours import BEHAVIOURS
from orchestration.agents.scripted.task import BEHAVIOUR, behaviour_of, is_below, task_of


def test_by_default_it_writes_one_file_with_the_words_of_its_prompt() -> None:
    task = task_of("Task t7\nUsers can sign in with a passkey.", {})
    (path,) = task.files
    assert path == "t7.md" and "Users can sign in with a passkey." in task.files[path]
    assert "not a model" in task.files[path]


def test_two_tasks_without_names_have_two_files() -> None:
    assert set(task_of("one", {}).files) != set(task_of("two", {}).files) == set(task_of("two", {}).files)


def test_the_task_of_the_attempt_names_its_file() -> None:
    assert set(task_of("anything", {"ZEN_TASK_ID": "t3"}).files) == {"t3.md"}


def test_it_writes_the_files_that_it_claims() -> None:
    task = task_of("Greet.\nFiles: src/a.py, `b.md`, ../c.md, /etc/passwd, .git/config, tests/*.py", {})
    assert set(task.files) == {"src/a.py", "b.md"}
    compile(task.files["src/a.py"], "a.py", "exec")


def test_blocks_say_what_to_write() -> None:
    task = task_of("Do it.\n```write hello.py\nprint('hi')\n```\n```write ../x\nno\n```\n", {})
    assert task.files == {"hello.py": "print('hi')\n"}


def test_a_behaviour_counts_by_attempts_and_the_last_one_goes_on() -> None:
    prompt = "scripted: lies, write\nGreet."
    assert [behaviour_of(prompt, "write", {"ZEN_ATTEMPT": number}) for number in "123"] == ["lies", "write", "write"]
    assert behaviour_of("Greet.", "empty", {}) == "empty" and behaviour_of("Greet.", "", {}) == "write"
    assert "scripted" not in next(iter(task_of(prompt, {}).files.values())).replace("the scripted agent", "")


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_behaviour_can_be_asked_for_in_a_prompt(name: str) -> None:
    assert BEHAVIOUR.findall(f"> scripted: {name}") == [name] and BEHAVIOURS[name].__doc__


@pytest.mark.parametrize(
    ("path", "good"), [("a", True), ("a/b", True), ("", False), ("/a", False), ("a/../../b", False)]
)
def test_paths_stay_below(path: str, good: bool) -> None:
    assert is_below(path) is good
