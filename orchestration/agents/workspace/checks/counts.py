"""What test runners say that they ran, read from their output: a green exit code of no test, or of skipped ones, proves
nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

from orchestration.core.agent.evidence import TestCounts

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
NUMBERED = re.compile(
    r"(?<!\d)(\d{1,9}) (passed|failed|errors?|skipped|xfailed|xpassed|deselected|todo|pending|passing|failing)\b"
)
PYTEST = re.compile(r"^(?:=++ )?((?:\d{1,9} [a-z]{1,20}(?:, )?)++|no tests ran) in [\d.]++s.*$", re.MULTILINE)
UNITTEST = re.compile(r"^Ran (\d{1,9}) tests? in [\d.]++s\s++(?:OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$", re.MULTILINE)
UNITTEST_PART = re.compile(r"(?:^|, )(\w{1,20}(?: \w{1,20})?)=(\d{1,9})")
JEST = re.compile(r"^[ \t]*+Tests:?[ \t]++(.*)$", re.MULTILINE)
MOCHA = re.compile(r"^[ \t]*+(\d{1,9} (?:passing|failing|pending))\b", re.MULTILINE)
NODE = re.compile(r"^(?:#|\u2139) (pass|fail|cancelled|skipped|todo) (\d{1,9})$", re.MULTILINE)
CARGO = re.compile(
    r"^test result: \w{1,20}\. (\d{1,9}) passed; (\d{1,9}) failed; (\d{1,9}) ignored; \d{1,9} measured;"
    r" (\d{1,9}) filtered",
    re.MULTILINE,
)
GO_TEST = re.compile(r"^[ \t]*+--- (PASS|FAIL|SKIP): ", re.MULTILINE)
GO_PACKAGE = re.compile(r"^(ok|FAIL)[ \t]++\S++[ \t]++(?:[\d.]++s|\(cached\))(.*)$", re.MULTILINE)
GO_EMPTY = re.compile(r"^\?[ \t]++\S++[ \t]++\[no test files\]$", re.MULTILINE)
"""Whatever the code under test prints, each is searched in a time that grows as the text does: no blank before a word
reaches over a line's end, nothing is given back, numbers have a bound."""
PASSED = ("passed", "passing", "xpassed")
JEST_WORDS = ("passed", "failed", "skipped", "todo")
FAILED = ("failed", "failing", "error", "errors")


def counts_of(output: str) -> TestCounts | None:
    """The sum over all runs that the output tells of; None when no runner is recognised.

    Tests that were expected to fail, deselected or left for later count as skipped.
    """
    text = COLOUR.sub("", output).replace("\r", "")
    found = [counts for read in READERS if (counts := read(text)) is not None]
    if not found:
        return None
    return TestCounts(
        passed=sum(one.passed for one in found),
        failed=sum(one.failed for one in found),
        skipped=sum(one.skipped for one in found),
    )


def _pytest(text: str) -> TestCounts | None:
    return _numbered([match[1] for match in PYTEST.finditer(text)])


def _jest(text: str) -> TestCounts | None:
    """Jest's and Vitest's line."""
    return _numbered([match[1] for match in JEST.finditer(text) if any(word in match[1] for word in JEST_WORDS)])


def _mocha(text: str) -> TestCounts | None:
    return _numbered([match[1] for match in MOCHA.finditer(text)])


def _numbered(lines: list[str]) -> TestCounts | None:
    if not lines:
        return None
    passed = failed = skipped = 0
    for number, word in (match.groups() for line in lines for match in NUMBERED.finditer(line)):
        passed += int(number) if word in PASSED else 0
        failed += int(number) if word in FAILED else 0
        skipped += int(number) if word not in PASSED + FAILED else 0
    return TestCounts(passed=passed, failed=failed, skipped=skipped)


def _unittest(text: str) -> TestCounts | None:
    runs = list(UNITTEST.finditer(text))
    if not runs:
        return None
    total = failed = skipped = 0
    for run in runs:
        numbers = dict(UNITTEST_PART.findall(run[2] or ""))
        total += int(run[1])
        failed += sum(int(numbers.get(word, 0)) for word in ("failures", "errors", "unexpected successes"))
        skipped += sum(int(numbers.get(word, 0)) for word in ("skipped", "expected failures"))
    return TestCounts(passed=max(0, total - failed - skipped), failed=failed, skipped=skipped)


def _node(text: str) -> TestCounts | None:
    found = [(word, int(number)) for word, number in NODE.findall(text)]
    if not found:
        return None
    return TestCounts(
        passed=sum(number for word, number in found if word == "pass"),
        failed=sum(number for word, number in found if word in {"fail", "cancelled"}),
        skipped=sum(number for word, number in found if word in {"skipped", "todo"}),
    )


def _cargo(text: str) -> TestCounts | None:
    found = [[int(number) for number in match.groups()] for match in CARGO.finditer(text)]
    if not found:
        return None
    passed, failed, ignored, filtered = (sum(column) for column in zip(*found, strict=True))
    return TestCounts(passed=passed, failed=failed, skipped=ignored + filtered)


def _go(text: str) -> TestCounts | None:
    """Tests where they are told (-v), else packages."""
    tests, packages = GO_TEST.findall(text), GO_PACKAGE.findall(text)
    if tests:
        return TestCounts(passed=tests.count("PASS"), failed=tests.count("FAIL"), skipped=tests.count("SKIP"))
    if not packages and not GO_EMPTY.search(text):
        return None
    ran = [state for state, more in packages if "no tests to run" not in more]
    return TestCounts(passed=ran.count("ok"), failed=ran.count("FAIL"), skipped=0)


READERS: tuple[Callable[[str], TestCounts | None], ...] = (_pytest, _unittest, _jest, _mocha, _node, _cargo, _go)
