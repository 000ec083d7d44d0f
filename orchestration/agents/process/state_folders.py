"""Where known agents keep their sign-in and their sessions, below HOME: without these they cannot begin or resume."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

STATE: dict[str, tuple[str, ...]] = {
    "claude": (".claude/", ".claude.json"),
    "claude-agent-acp": (".claude/", ".claude.json"),
    "codex": (".codex/",),
    "codex-acp": (".codex/",),
    "opencode": (
        ".local/share/opencode/", ".local/state/opencode/", ".config/opencode/", ".cache/opencode/",
    ),
    "aider": (".aider/",),
    "gemini": (".gemini/",),
    "goose": (".config/goose/", ".local/share/goose/", ".local/state/goose/"),
    "cursor-agent": (".cursor/", ".config/cursor/"),
    "copilot": (".copilot/",),
}  # fmt: skip
"""By the name of the program. A folder ends in a slash."""


def state_folders(program: str, env: Mapping[str, str]) -> list[Path]:
    """What this program has to be able to write besides its worktree. Folders that are not there yet are made."""
    home = Path(env["HOME"])
    found = []
    for name in STATE.get(Path(program).name, ()):
        place = home / name
        if name.endswith("/"):
            with contextlib.suppress(OSError):
                place.mkdir(parents=True, exist_ok=True)
        found.append(place)
    return found
