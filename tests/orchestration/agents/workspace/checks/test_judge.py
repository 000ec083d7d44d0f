"""Checks run for real: in a clean checkout, with the base's tests, in a sandbox, and nothing of them is left."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from orchestration.agents.base import Sandbox
from orchestration.agents.process.strays import marked
from orchestration.agents.workspace.checks.checkout import checked_out, clean_checkout
from orchestration.agents.workspace.checks.judge import CannotCheck, examine
from orchestration.agents.workspace.checks.run import run_check
from orchestration.agents.workspace.layout import MARK, Layout
from orchestration.agents.workspace.repository import CONFIG, Repository
from orchestration.core.agent.evidence import CheckResult, FileKind
from tests.orchestration.agents.workspace.work import git, task

HOST = Sandbox(mode="off")
BOXED = Sandbox(mode="required", network="none")
TESTS = """\
import unittest
from shop import price

class Shop(unittest.TestCase):
    def test_price(self):
        self.assertEqual(price(), 3)
"""
CHECK = "python3 -m unittest discover -v -s tests -t ."
GOOD, BAD = "def price():\n    return 3\n", "def price():\n    return 4\n"


@pytest.fixture
def base(repository: Repository) -> str:
    return task(repository, "t0", {"tests/test_shop.py": TESTS, "tests/__init__.py": "", "shop.py": BAD})


def only(repository: Repository, base: str, head: str, check: str = CHECK, sandbox: Sandbox = HOST) -> CheckResult:
    (found,) = examine(repository, base, head, [check], sandbox=sandbox, timeout=60).checks
    return found


def test_a_check_passes_when_its_tests_pass(repository: Repository, base: str) -> None:
    found = only(repository, base, task(repository, "t1", {"shop.py": GOOD}, at=base))
    assert found.passed and found.exit_code == 0 and found.why == ""
    assert found.counts is not None and found.counts.passed == 1
    assert "Ran 1 test" in found.output_excerpt and len(found.digest) == 64


def test_a_check_that_is_red_says_why(repository: Repository, base: str) -> None:
    found = only(repository, base, task(repository, "t1", {"README": "done, all green"}, at=base))
    assert not found.passed and found.why == "it ended with 1"
    assert "AssertionError: 4 != 3" in found.output_excerpt


def test_tests_that_an_agent_rewrote_are_the_bases_again(repository: Repository, base: str) -> None:
    easy = {"tests/test_shop.py": TESTS.replace("price(), 3", "price(), 4")}
    head = task(repository, "t1", easy, at=base)
    assert not only(repository, base, head).passed
    gone = task(repository, "t2", {"tests/test_shop.py": None, "tests/__init__.py": None}, at=base)
    assert not only(repository, base, gone).passed
    (told,) = examine(repository, base, gone, [], sandbox=HOST).tampering
    assert told == "tests/test_shop.py: Shop.test_price was deleted"


def test_tests_that_are_new_run_too(repository: Repository, base: str) -> None:
    new = {"shop.py": GOOD, "tests/test_new.py": TESTS.replace("price(), 3", "price(), 5")}
    found = only(repository, base, task(repository, "t1", new, at=base))
    assert not found.passed and "test_new" in found.output_excerpt


def test_a_folder_of_tests_that_became_a_link_is_a_folder_again(
    repository: Repository, base: str, tmp_path: Path
) -> None:
    head = task(repository, "t1", {"tests/test_shop.py": None, "tests/__init__.py": None, "easy/x": "x"}, at=base)
    git_ = repository.git.with_index(tmp_path / "index")
    git_.run("read-tree", head)
    blob = git_.out("hash-object", "-w", "--stdin", stdin=b"easy")
    git_.run("update-index", "--add", "--cacheinfo", f"120000,{blob},tests")
    linked = git_.out("commit-tree", git_.out("write-tree"), "-p", base, stdin=b"link")
    with checked_out(repository, linked, frozen=base) as (files, _):
        assert not (files / "tests").is_symlink() and (files / "tests" / "test_shop.py").read_text() == TESTS


def test_skipped_is_not_passed(repository: Repository, base: str) -> None:
    skipping = (
        "import unittest\n\n@unittest.skip('later')\nclass New(unittest.TestCase):\n    def test_new(self): ...\n"
    )
    found = only(repository, base, task(repository, "t1", {"shop.py": GOOD, "tests/test_new.py": skipping}, at=base))
    assert found.exit_code == 0 and not found.passed
    assert found.why == "1 tests were skipped, and skipped is not passed; the base skips 0"


def test_what_the_base_skips_may_be_skipped(repository: Repository) -> None:
    skipping = TESTS + "\n    @unittest.skip('on other machines')\n    def test_other(self): ...\n"
    files = {"tests/test_shop.py": skipping, "tests/__init__.py": "", "shop.py": BAD}
    base = task(repository, "t0", files)
    assert only(repository, base, task(repository, "t1", {"shop.py": GOOD}, at=base)).passed


def test_no_test_at_all_is_not_passed(repository: Repository) -> None:
    found = only(repository, repository.base(), task(repository, "t1", {"a": "a"}), "echo; echo no tests ran in 0.01s")
    assert not found.passed and found.why == "no test passed, though it ended with 0"


def test_a_script_that_decides_is_the_bases(repository: Repository) -> None:
    base = task(repository, "t0", {"check.sh": "#!/bin/sh\ntest -e done\n"})
    head = task(repository, "t1", {"check.sh": "#!/bin/sh\nexit 0\n"}, at=base)
    assert not only(repository, base, head, "sh ./check.sh").passed
    assert only(repository, base, task(repository, "t2", {"done": ""}, at=base), "sh check.sh").passed


def test_a_command_that_is_not_there_is_no_fault_of_the_agents(repository: Repository, base: str) -> None:
    head = task(repository, "t1", {"shop.py": GOOD}, at=base)
    with pytest.raises(CannotCheck, match="`no-such-command` cannot be run by this worker.*install what it needs"):
        only(repository, base, head, "no-such-command")


def test_a_command_that_the_agent_took_away_is(repository: Repository) -> None:
    base = task(repository, "t0", {"run": "exit 0\n"})
    found = only(repository, base, task(repository, "t1", {"run": None, "a": "a"}, at=base), "test -e run || exit 127")
    assert not found.passed and found.exit_code == 127


def test_an_attempt_that_changed_nothing_is_not_checked(repository: Repository, base: str) -> None:
    found = examine(repository, base, None, ["exit 0"], sandbox=HOST, notes=("pipe was not taken",))
    assert found.diff.is_empty and found.checks == () and found.diff.notes == ("pipe was not taken",)


def test_evidence_shows_the_diff_of_tests_apart(repository: Repository, base: str) -> None:
    head = task(repository, "t1", {"shop.py": GOOD, "tests/test_new.py": TESTS}, at=base)
    diff = examine(repository, base, head, [], sandbox=HOST).diff
    assert [one.path for one in diff.of_kind(FileKind.TEST)] == ["tests/test_new.py"]


def test_a_check_sees_a_repository_and_nothing_uncommitted(repository: Repository, base: str) -> None:
    found = only(repository, base, base, "git status --porcelain && git log -1 --format=%H && test ! -e untracked")
    assert found.passed and found.output_excerpt.strip() == base


def test_in_the_sandbox_a_check_writes_its_checkout_and_no_more(
    repository: Repository, base: str, tmp_path: Path
) -> None:
    head = task(repository, "t1", {"shop.py": GOOD}, at=base)
    assert only(repository, base, head, CHECK, BOXED).passed
    assert only(repository, base, head, 'echo x > new && echo x > "$XDG_CACHE_HOME.x"', BOXED).passed
    beyond = tmp_path / "beyond"
    assert not only(repository, base, head, f"touch {beyond} && test -e /etc/beyond-zen", BOXED).passed
    assert not beyond.exists()
    own = repository.layout.repository
    assert not only(repository, base, head, f"touch {own}/objects/x", BOXED).passed
    only(repository, base, head, f"echo x >> {own}/config", BOXED)
    assert (own / "config").read_text() == CONFIG


def test_in_the_sandbox_a_check_reads_nothing_of_other_runs(repository: Repository, base: str) -> None:
    other = Repository.create(Layout.of("other", repository.layout.folder.parents[1]))
    assert only(repository, base, base, "git cat-file -p HEAD", BOXED).passed
    assert not only(repository, base, base, f"ls {other.layout.folder}", BOXED).passed
    assert not only(repository, base, base, f"ls {repository.layout.worktrees}", BOXED).passed


def test_a_check_ends_in_time_with_all_that_it_started(repository: Repository, tmp_path: Path) -> None:
    script = "setsid sh -c 'while :; do sleep 1; done' & sleep 600"
    begun = time.monotonic()
    found = run_check(script, tmp_path, 1.0, HOST, env={MARK: str(tmp_path)})
    assert not found.passed and found.exit_code is None and found.why == "it was not over after 1 s"
    assert time.monotonic() - begun < 30
    assert marked(MARK, str(tmp_path)) == []


def test_a_check_that_is_cancelled_ends(tmp_path: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()
    assert run_check("sleep 600", tmp_path, 60, HOST, cancelled=cancelled).why == "it was cancelled"


def test_of_a_long_output_the_end_is_kept(tmp_path: Path) -> None:
    found = run_check("yes | head -c 300000; echo '7 passed in 0.1s'", tmp_path, 60, HOST)
    assert found.passed and len(found.output_excerpt) == 8192 and found.counts is not None and found.counts.passed == 7


def test_checkouts_are_gone_at_the_end(repository: Repository, base: str) -> None:
    only(repository, base, base, "mkdir -p closed/x && chmod 0 closed")
    assert list(repository.layout.checkouts.iterdir()) == []


def test_a_checkout_may_stay(repository: Repository, base: str, tmp_path: Path) -> None:
    folder = clean_checkout(repository, base, tmp_path / "released")
    assert (folder / "shop.py").read_text() == BAD and git(folder, "rev-parse", "HEAD") == base
    assert sorted(os.listdir(tmp_path / "released")) == [".git", "shop.py", "tests"]
