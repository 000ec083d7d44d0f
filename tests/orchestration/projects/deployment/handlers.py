"""The phases of a project that this room needs, as a project's own handlers would end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TASKS = {"verified": f"{__name__}.verified", "accepted": f"{__name__}.accepted"}


def verified(payload: Mapping[str, Any], context: object) -> dict[str, Any]:
    return {"commit": payload["head"]}


def accepted(payload: Mapping[str, Any], context: object) -> None: ...
