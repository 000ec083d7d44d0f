"""What the scripted agent reads in a prompt."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

BEHAVIOUR = re.compile(r"^[ \t>*-]*scripted:[ \t]*([a-z_, \t]+?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
BLOCK = re.compile(r"^```write[ \t]+(\S+)[ \t]*\n(.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(
    r"^[ \t#>*-]*task(?:[ \t]+id)?[ \t]*:?[ \t]+`?([A-Za-z0-9][\w.-]{0,80})", re.IGNORECASE | re.MULTILINE
)
CLAIMS = re.compile(r"^[ \t#>*-]*files?(?:[ \t]+to[ \t]+write)?[ \t]*:[ \t]*(\S.*)$", re.IGNORECASE | re.MULTILINE)
DEFAULT = "write"
WRITTEN_BY = "Written by the scripted agent: a program that follows a script, not a model. It was asked:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """`files`: what to write, by path below the working folder."""

    name: str
    prompt: str
    files: Mapping[str, str]


def task_of(prompt: str, env: Mapping[str, str]) -> Task:
    """The task of a prompt: its blocks "```write PATH", else the files that it claims, else one file of its own."""
    words = BEHAVIOUR.sub("", prompt).strip()
    found = NAMED.search(prompt)
    digest = hashlib.sha256(words.encode()).hexdigest()[:8]
    name = env.get("ZEN_TASK_ID") or (found[1] if found else f"task-{digest}")
    name = re.sub(r"[^\w.-]+", "-", name).strip(".-") or f"task-{digest}"
    blocks = {path: text for path, text in BLOCK.findall(prompt) if is_below(path)}
    if blocks:
        return Task(name=name, prompt=words, files=blocks)
    text = f"{WRITTEN_BY}\n\n{words}\n"
    claimed = [one.strip("`\"' ") for line in CLAIMS.findall(prompt) for one in line.split(",")]
    paths = [one for one in claimed if is_below(one) and " " not in one and "*" not in one] or [f"{name}.md"]
    return Task(name=name, prompt=words, files={path: _as_comment(path, text) for path in paths})


def behaviour_of(prompt: str, fallback: str, env: Mapping[str, str]) -> str:
    """The name of the behaviour for this attempt."""
    found = BEHAVIOUR.findall(prompt)
    names = [one.strip().lower() for one in (found[-1] if found else fallback).split(",") if one.strip()] or [DEFAULT]
    attempt = env.get("ZEN_ATTEMPT", "1")
    number = int(attempt) if attempt.isdecimal() else 1
    return names[min(max(number, 1), len(names)) - 1]


def is_below(path: str) -> bool:
    """Whether it is a path below the working folder, and none of git's own."""
    pure = PurePosixPath(path)
    return bool(path) and not pure.is_absolute() and ".." not in pure.parts and ".git" not in pure.parts


def _as_comment(path: str, text: str) -> str:
    """So that a file of code is still one."""
    mark = {".py": "#", ".sh": "#", ".toml": "#", ".yaml": "#", ".yml": "#", ".js": "//", ".ts": "//", ".go": "//"}
    comment = mark.get(PurePosixPath(path).suffix)
    return text if comment is None else "".join(f"{comment} {line}".rstrip() + "\n" for line in text.splitlines())
