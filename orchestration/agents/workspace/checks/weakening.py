"""What a change of files did to the tests in them; as a program, so that hostile files cost a bounded time.

    python -P -m orchestration.agents.workspace.checks.weakening < PAIRS

PAIRS is JSON: a list of [path, text before, text after], where null stands for no file. For each pair it prints a line
of JSON, the list of what was found. Whoever writes tests decides what parsers and patterns have to read, so this
process has bounds on its time and its memory, and ends itself when it reaches them.
"""

from __future__ import annotations

import difflib
import json
import re
import resource
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestration.agents.workspace.checks.found_test import FoundTest
from orchestration.agents.workspace.checks.runner_settings import weakened
from orchestration.agents.workspace.checks.tests_by_language import Unreadable, found_in

MOST_MEMORY = 2 * 1024**3
WORD = re.compile(r"\w+|[^\w\s]")
SAME = 0.6
"""From how much of its code on a test is taken for the same one under another name."""
SHADOWS = re.compile(
    r"(?:src/|lib/)?(?:(?:pytest|_pytest|unittest|coverage|sitecustomize|usercustomize)(?:\.py|/__init__\.py)|[^/]+\.pth)"
)
HOOKS = re.compile(
    r"\bdef (pytest_(?:collection_modifyitems|ignore_collect|collect_file|runtest_makereport|runtest_protocol"
    r"|runtest_call|pyfunc_call|sessionfinish|report_teststatus|deselected))\b|^(collect_ignore(?:_glob)?)\b",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Side:
    """A file before or after; `text` is None when it is not there, or is no text of a size that can be read."""

    path: str
    text: str | None

    def tests(self) -> dict[str, FoundTest]:
        """Raises Unreadable."""
        return {} if self.text is None else found_in(self.path, self.text)


def found_between(pairs: Sequence[tuple[Side, Side]]) -> Iterator[list[str]]:
    """For each file, before and after, what its tests lost."""
    elsewhere = _new_by_name(pairs)
    for before, after in pairs:
        yield list(_of_file(before, after, elsewhere))


def _of_file(before: Side, after: Side, elsewhere: dict[str, list[FoundTest]]) -> Iterator[str]:
    if before.text is None and after.text is not None and SHADOWS.fullmatch(after.path):
        yield f"{after.path}: takes the place of the test runner, or runs before it"
    yield from _hooks(before, after)
    yield from weakened(before.path, before.text, after.text)
    try:
        then = before.tests()
    except Unreadable:
        return
    try:
        now = after.tests()
    except Unreadable as error:
        if then:
            yield f"{after.path}: its {len(then)} tests cannot be read any more: {error}"
        return
    new = {name: test for name, test in now.items() if name not in then}
    for name, test in then.items():
        same = now.get(name) or _again(name, test, new, elsewhere)
        for what in _lost(test, same):
            yield f"{before.path}: {name} {what}"


def _lost(then: FoundTest, now: FoundTest | None) -> Iterator[str]:
    """What a test lost."""
    if now is None:
        yield "was deleted"
    elif now.skipped and not then.skipped:
        yield "is skipped, or does nothing any more"
    elif now.checks < then.checks:
        yield f"asserts less: {now.checks} times instead of {then.checks}"
    elif now.cases < then.cases:
        yield f"runs with fewer values: {now.cases} instead of {then.cases}"


def _again(
    name: str, test: FoundTest, new: dict[str, FoundTest], elsewhere: dict[str, list[FoundTest]]
) -> FoundTest | None:
    """The same test in another file, or under another name in this one."""
    moved = elsewhere.get(name.rpartition(".")[2], [])
    if moved:
        return max(moved, key=lambda one: _likeness(test, one))
    exact = next((one for one in new.values() if one.body == test.body), None)
    if exact is not None:
        return exact
    alike = [(ratio, one) for one in new.values() if (ratio := _likeness(test, one)) >= SAME]
    return max(alike, key=lambda pair: pair[0])[1] if alike else None


def _likeness(one: FoundTest, other: FoundTest) -> float:
    """0 where it is surely below SAME."""
    if one.body == other.body:
        return 1.0
    words = [WORD.findall(test.body[:4000]) for test in (one, other)]
    matcher = difflib.SequenceMatcher(None, words[0], words[1], autojunk=False)
    is_near = matcher.real_quick_ratio() >= SAME and matcher.quick_ratio() >= SAME
    return matcher.ratio() if is_near else 0.0


def _new_by_name(pairs: Sequence[tuple[Side, Side]]) -> dict[str, list[FoundTest]]:
    """The tests that files have gained, by their last name: what was lost elsewhere may be one of them."""
    found: dict[str, list[FoundTest]] = {}
    for before, after in pairs:
        had = _readable(before)
        for name, test in _readable(after).items():
            if name not in had:
                found.setdefault(name.rpartition(".")[2], []).append(test)
    return found


def _readable(side: Side) -> dict[str, FoundTest]:
    try:
        return side.tests()
    except Unreadable:
        return {}


def _hooks(before: Side, after: Side) -> Iterator[str]:
    """What decides in a conftest or a plugin which tests run and what their results are."""
    if after.text is None or not after.path.endswith(".py"):
        return
    had = {name for match in HOOKS.findall(before.text or "") for name in match if name}
    for name in dict.fromkeys(name for match in HOOKS.findall(after.text) for name in match if name):
        if name not in had:
            yield f"{after.path}: '{name}' decides which tests run, or what their results are"


def main() -> None:
    """Judge what is on stdin. The argument is how many seconds of work it may take."""
    seconds = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    pairs = [(Side(path, then), Side(path, now)) for path, then, now in json.load(sys.stdin)]
    for found in found_between(pairs):
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
