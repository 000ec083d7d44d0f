"""What is wrong with a text, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Unreadable(Exception):
    """`line` and `column` count from 1; line 0 where there is none."""

    problem: str
    remedy: str = ""
    line: int = 0
    column: int = 0
