"""Paths inside a repository, as specs, plans and actions name them."""

from __future__ import annotations


def leads_outside(path: str) -> bool:
    """Whether a path leads out of the repository that it is written for, or into what git keeps there."""
    parts = path.split("/")
    return path.startswith(("/", "~")) or "\x00" in path or ".." in parts or ".git" in map(str.lower, parts)
