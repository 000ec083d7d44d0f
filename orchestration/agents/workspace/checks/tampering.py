"""What a commit did to the tests that were there: deleted, skipped, weakened, or taken out of the runner's sight.

New tests are welcome, and so is a test that moved, got another name, or asserts more. What is found is named by file
and test, for the next brief and for a person.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from orchestration.agents.workspace.checks.file_kinds import kind_of
from orchestration.agents.workspace.checks.found_test import FoundTest
from orchestration.agents.workspace.checks.runner_settings import weakened
from orchestration.agents.workspace.checks.tests_by_language import Unreadable, found_in
from orchestration.agents.workspace.diff import PLAIN
from orchestration.agents.workspace.git import Git, shown
from orchestration.core.agent.evidence import FileKind

MOST_FOUND = 100
MOST_FILES = 2000
LARGEST = 2 * 1024**2
FILES = ("100644", "100755")
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


def tampering(git: Git, base: str, head: str) -> list[str]:
    """What was found between the commits, a line each; nothing when no test lost anything. Raises GitFailed."""
    pairs = list(_changed(git, base, head))
    elsewhere = _new_by_name(pairs)
    found: list[str] = []
    for before, after in pairs:
        found += _of_file(before, after, elsewhere)
    return found[:MOST_FOUND]


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
    alike = [(ratio, one) for one in new.values() if (ratio := _likeness(test, one)) >= SAME]
    return max(alike, key=lambda pair: pair[0])[1] if alike else None


def _likeness(one: FoundTest, other: FoundTest) -> float:
    return difflib.SequenceMatcher(None, one.body[:4000], other.body[:4000], autojunk=False).ratio()


def _new_by_name(pairs: list[tuple[Side, Side]]) -> dict[str, list[FoundTest]]:
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


def _changed(git: Git, base: str, head: str) -> Iterator[tuple[Side, Side]]:
    """The files that decide what checks say, before and after; all of them read by two calls of git."""
    records = git.records("diff-tree", "-r", "-z", "--raw", "--no-abbrev", *PLAIN, base, head, "--")
    chosen: list[tuple[str, str, str]] = []
    for about, path in zip(records[::2], records[1::2], strict=True):
        modes, objects = about.decode()[1:].split()[:2], about.decode().split()[2:4]
        if kind_of(path) is not FileKind.CODE or SHADOWS.fullmatch(shown(path)) or path.endswith(b".rs"):
            then, now = (name if mode in FILES else "" for mode, name in zip(modes, objects, strict=True))
            chosen.append((shown(path), then, now))
    texts = _texts(git, {name for _, *names in chosen[:MOST_FILES] for name in names if name})
    for name, then, now in chosen[:MOST_FILES]:
        yield Side(name, texts.get(then)), Side(name, texts.get(now))


def _texts(git: Git, names: set[str]) -> dict[str, str]:
    """The text of each object that is one, and not too large."""
    told = git.out("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=_lines(names)).splitlines()
    small = {name for name, size in (line.split() for line in told) if int(size) <= LARGEST}
    data = git.run("cat-file", "--batch=%(objectname) %(objectsize)", stdin=_lines(small))[1]
    found, place = {}, 0
    while place < len(data):
        end = data.index(b"\n", place)
        name, size = data[place:end].decode().split()
        text, place = data[end + 1 : end + 1 + int(size)], end + 2 + int(size)
        if b"\0" not in text:
            found[name] = text.decode(errors="replace")
    return found


def _lines(names: set[str]) -> bytes:
    return "".join(f"{name}\n" for name in sorted(names)).encode()
