"""Which files decide what a check says: tests, and what configures their runners. Told by names alone, without git."""

from __future__ import annotations

import re

from orchestration.core.agent.evidence import FileKind

TEST_FOLDERS = frozenset({b"test", b"tests", b"__tests__", b"spec", b"specs", b"testing", b"e2e", b"testdata"})
TEST_FILES = re.compile(
    rb"test_[^/]*\.py|[^/]*_test\.(py|go|rb|dart|exs|cc|cpp|c)|[^/]*\.(test|spec)\.[cm]?[jt]sx?|[^/]*(Test|Tests|IT|Spec)"
    rb"\.(java|kt|scala|cs|swift|php)|[^/]*_spec\.rb|tests?\.(py|js|ts|sh|rs)|conftest\.py",
)
RUNNER_FILES = re.compile(
    rb"pytest\.ini|\.pytest\.ini|pytest\.toml|\.pytest\.toml|tox\.ini|\.coveragerc|noxfile\.py|nose\.cfg|nose2\.cfg"
    rb"|(jest|vitest|karma|playwright|cypress|ava|wdio)\.(config|conf)\.[^/]+|\.(mocharc|c8rc|nycrc|taprc)[^/]*"
    rb"|phpunit\.xml(\.dist)?|\.rspec|\.simplecov|nextest\.toml|tarpaulin\.toml|codecov\.ya?ml",
)
MIXED_FILES = frozenset({b"pyproject.toml", b"setup.cfg", b"package.json", b"Makefile", b"makefile", b"GNUmakefile"})
"""They configure the tests among other things: an agent may change them, but not what they say of tests."""


def kind_of(path: bytes) -> FileKind:
    """The kind of a file, by its path from the root of the repository."""
    *folders, name = path.split(b"/")
    if RUNNER_FILES.fullmatch(name) or name in MIXED_FILES:
        return FileKind.CONFIG
    if TEST_FILES.fullmatch(name) or TEST_FOLDERS & {folder.lower() for folder in folders}:
        return FileKind.TEST
    return FileKind.CODE


def is_mixed(path: bytes) -> bool:
    """Whether only a part of the file is about tests."""
    return path.rpartition(b"/")[2] in MIXED_FILES


def is_frozen(path: bytes) -> bool:
    """Whether checks use the base's copy of the file, where the base has one."""
    return kind_of(path) is not FileKind.CODE and not is_mixed(path)
