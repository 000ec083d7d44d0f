"""Whether an agent has a key or a sign-in, as far as its environment and its files tell. Their contents are not read.

An agent that has neither cannot begin; one that has may still be refused by its service, which only a session shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

CLAUDE = (
    "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY",
)  # fmt: skip
CODEX = ("CODEX_API_KEY", "OPENAI_API_KEY")
GEMINI = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_GCA")


def claude(env: Mapping[str, str]) -> bool | None:
    """A key, a cloud or a sign-in of its own; on macOS that lies in the keychain, and cannot be told."""
    home = Path(env.get("CLAUDE_CONFIG_DIR") or Path(env["HOME"]) / ".claude")
    if _any(env, CLAUDE) or (home / ".credentials.json").is_file():
        return True
    return None if (home / "settings.json").is_file() or Path("/Library/Keychains").is_dir() else False


def codex(env: Mapping[str, str]) -> bool | None:
    """A key or a sign-in; a configuration may name a provider with a key of its own."""
    home = Path(env.get("CODEX_HOME") or Path(env["HOME"]) / ".codex")
    if _any(env, CODEX) or (home / "auth.json").is_file():
        return True
    return None if (home / "config.toml").is_file() else False


def gemini(env: Mapping[str, str]) -> bool | None:
    """A key, a cloud or a sign-in of its own."""
    home = Path(env["HOME"]) / ".gemini"
    if _any(env, GEMINI) or any((home / name).is_file() for name in ("oauth_creds.json", ".env")):
        return True
    return None if (home / "settings.json").is_file() else False


def opencode(env: Mapping[str, str]) -> bool | None:
    """It has free models and providers of many kinds, so that it has no sign-in of its own means nothing."""
    data = Path(env.get("XDG_DATA_HOME") or Path(env["HOME"]) / ".local" / "share")
    return True if (data / "opencode" / "auth.json").is_file() or _has_key(env) else None


def aider(env: Mapping[str, str]) -> bool | None:
    """The key of any provider."""
    return True if _has_key(env) else None


def _any(env: Mapping[str, str], names: tuple[str, ...]) -> bool:
    return any(env.get(name) for name in names)


def _has_key(env: Mapping[str, str]) -> bool:
    return any(value for name, value in env.items() if name.endswith(("_API_KEY", "_AUTH_TOKEN")))
