"""What can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked. `about`: the workflow it belongs to. `author`: who wrote what is to be approved; `agent_owner`:
    whose agent asks; neither of them can decide. `action`: what the yes is for. `facts`: computed by us.
    """

    stage: str
    description: str = ""
    title: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    action: Mapping[str, Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""
    step_id: str = ""
    policy: str = ""
    approvers: tuple[str, ...] = ()
    how_many: str | int = "any"
    editable: tuple[str, ...] = ()
    timeout_seconds: float | None = None
    callback_url: str = ""
    author: str = ""
    agent_owner: str = ""

    def content(self) -> dict[str, Any]:
        """What is shown, and what a yes is bound to."""
        shown: dict[str, Any] = {"stage": self.stage, "description": self.description, "context": dict(self.context)}
        if self.title:
            shown["title"] = self.title
        return {**shown, "action": dict(self.action)} if self.action is not None else shown
