"""The tests in a file of tests: their names, how much each asserts, whether it is skipped. Nothing is run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestration.agents.workspace.checks import python_tests
from orchestration.agents.workspace.checks.found_test import FoundTest


@dataclass(frozen=True, slots=True)
class Language:
    """How tests look in a language: `test` has their name in its last group, `skip` matches whatever skips one."""

    test: re.Pattern[str]
    skip: re.Pattern[str]
    check: re.Pattern[str]
    comment: re.Pattern[str]


SLASHES = re.compile(r"/\*.*?\*/|(?<![:'\"\\])//[^\n]*", re.DOTALL)
SCRIPT = Language(
    test=re.compile(r"(?<![\w.])(?:x?it|x?test|specify)(?:\.\w+)*\s*\(\s*(?:'([^'\n]*)'|\"([^\"\n]*)\"|`([^`]*)`)"),
    skip=re.compile(r"(?<![\w.])(?:x(?:it|test|describe)\s*\(|(?:it|test|describe|suite)(?:\.\w+)*\.(?:skip|todo|only|failing|fails)\b)"),
    check=re.compile(r"(?<![\w.])(?:expect|assert)(?:\.\w+)*\s*\(|\.should\b"),
    comment=SLASHES,
)  # fmt: skip
GO = Language(
    test=re.compile(r"^func (Test\w+|Fuzz\w+|Example\w*)\(", re.MULTILINE),
    skip=re.compile(r"\b\w+\.(?:Skip|Skipf|SkipNow)\(|^//go:build ignore", re.MULTILINE),
    check=re.compile(r"\b\w+\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\(|\b(?:assert|require)\.\w+\("),
    comment=re.compile(r"/\*.*?\*/|(?<!:)//(?!go:build)[^\n]*", re.DOTALL),
)
RUST = Language(
    test=re.compile(r"#\[(?:\w+::)*test\b[^\]]*\](?:\s*#\[[^\]]*\])*\s*(?:pub )?(?:async )?fn (\w+)"),
    skip=re.compile(r"#\[ignore\b|#\[cfg\((?:any\(\)|FALSE)\)\]"),
    check=re.compile(r"\b(?:assert|assert_eq|assert_ne|assert_matches|panic|debug_assert)!|#\[should_panic"),
    comment=SLASHES,
)
JAVA = Language(
    test=re.compile(r"@(?:Test|ParameterizedTest|RepeatedTest)\b[^;{]*?(?:void|fun)\s+(\w+|`[^`]+`)\s*\("),
    skip=re.compile(r"@(?:Disabled|Ignore)\b|\bassume(?:True|False|That)\s*\("),
    check=re.compile(r"\b(?:assert\w*|verify|fail)\s*\(|\.should\w*"),
    comment=SLASHES,
)
RUBY = Language(
    test=re.compile(r"^\s*(?:x?it|x?specify|test)\s+(?:'([^'\n]*)'|\"([^\"\n]*)\")|^\s*def (test_\w+)", re.MULTILINE),
    skip=re.compile(r"^\s*(?:xit|xdescribe|xcontext|xspecify|skip|pending)\b", re.MULTILINE),
    check=re.compile(r"\b(?:assert\w*|refute\w*|expect)\b|\.should\b|\bmust_\w+"),
    comment=re.compile(r"^\s*#[^\n]*", re.MULTILINE),
)
LANGUAGES: Mapping[str, Language] = {
    **dict.fromkeys(("js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts"), SCRIPT),
    "go": GO,
    "rs": RUST,
    **dict.fromkeys(("java", "kt"), JAVA),
    "rb": RUBY,
}


class Unreadable(Exception):
    """The file cannot be read as what its name says; the message says why."""


def found_in(path: str, text: str) -> dict[str, FoundTest]:
    """The tests of the file by name; none of a language that is not known.

    Raises:
        Unreadable: it has a fault that keeps any runner from reading it.
    """
    suffix = path.rpartition(".")[2]
    if suffix == "py":
        try:
            return python_tests.found_in(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise Unreadable(f"it is no Python: {error or type(error).__name__}") from error
    language = LANGUAGES.get(suffix)
    return {} if language is None else _by_pattern(language, text)


def _by_pattern(language: Language, text: str) -> dict[str, FoundTest]:
    """A test reaches from its name to the next one; what stands before it on its line or above it belongs to it too."""
    plain = language.comment.sub("", text)
    found: dict[str, FoundTest] = {}
    matches = list(language.test.finditer(plain))
    skipped = _in_skipped(language, plain, [match.start() for match in matches])
    for number, match in enumerate(matches):
        end = matches[number + 1].start() if number + 1 < len(matches) else len(plain)
        body = plain[match.start() : end]
        name = next((group for group in match.groups() if group is not None), "")
        name = f"{name} ({number})" if name in found else name
        found[name] = FoundTest(
            checks=len(language.check.findall(body)),
            skipped=bool(language.skip.search(body)) or skipped[number],
            body=re.sub(r"\s+", " ", plain[match.end() : end]).strip(),
        )
    return found


def _in_skipped(language: Language, plain: str, places: Sequence[int]) -> list[bool]:
    """For each place whether a skipped group that encloses it was opened, and not closed, before."""
    opened = [(match.end(), match[0]) for match in language.skip.finditer(plain)]
    whole = next((end for end, words in opened if words.startswith("//go:build")), len(plain) + 1)
    groups = [end for end, words in opened if "describe" in words]
    depth, at, least = 0, 0, None
    found = []
    for place, is_test in sorted([(end, False) for end in groups] + [(place, True) for place in places]):
        depth += plain.count("{", at, place) - plain.count("}", at, place)
        at = place
        if is_test:
            found.append(place >= whole or (least is not None and depth > least))
        else:
            least = depth if least is None else min(least, depth)
    return found
