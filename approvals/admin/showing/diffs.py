"""Unified diffs, line by line."""

from __future__ import annotations

import re

from orchestration.templatetags.zen import visible

MOST_LINES = 400
LONGEST_LINE = 400
_HUNK = re.compile(r"^@@ -\d+(,\d+)? \+\d+(,\d+)? @@", re.MULTILINE)
_FILES = re.compile(r"^--- .*\n\+\+\+ .*\n", re.MULTILINE)


def is_diff(text: str) -> bool:
    start = text[:20_000]
    return bool(_HUNK.search(start) and (_FILES.search(start) or start.startswith("@@")))


def diff_lines(text: str) -> tuple[list[tuple[str, str]], bool]:
    """Tone and text of each line, and whether some were left out."""
    head = text[: MOST_LINES * (LONGEST_LINE + 1)]
    lines = head.removesuffix("\n").split("\n")  # what else some call an end of a line is spelled out
    cut = len(head) < len(text) or len(lines) > MOST_LINES or any(len(line) > LONGEST_LINE for line in lines)
    return [(_tone(line), _clipped(line)) for line in lines[:MOST_LINES]], cut


def _tone(line: str) -> str:
    if line.startswith(("+++", "---", "diff ", "index ")):
        return "file"
    if line.startswith("@@"):
        return "hunk"
    return {"+": "plus", "-": "minus"}.get(line[:1], "same")


def _clipped(line: str) -> str:
    return visible(line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…")
