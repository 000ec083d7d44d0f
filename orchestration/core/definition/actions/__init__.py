"""The models of actions. Keys that the model of a task does not know are passed to its handler.

One module a kind: `api_call`, `own_code` (`script` and `task`), `wait`, `child` (`saga`), `people` (`approval`, and the
gates of other steps), `agent`; `base` has what they share. To add one: a module here, its place in the union and in
MODELS below, and its action in `orchestration/actions`.
What a model accepts may grow and never shrinks: stored definitions are read with it. Imported by everything that reads
a definition; imports pydantic alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, Field

from orchestration.core.definition.actions.agent import Agent
from orchestration.core.definition.actions.api_call import LONGEST_CONDITION, ApiCall, Auth, Content, Part
from orchestration.core.definition.actions.base import LONGEST_SECONDS, SAGA_ID, ActionModel
from orchestration.core.definition.actions.child import ChildSaga, is_placeholder
from orchestration.core.definition.actions.own_code import VARIABLE_NAME, Script, Task
from orchestration.core.definition.actions.people import Approval, Ask
from orchestration.core.definition.actions.wait import UNITS, Wait, wait_seconds

Action = Annotated[ApiCall | Script | Task | Wait | ChildSaga | Approval | Agent, Field(discriminator="type")]
UndoAction = Annotated[ApiCall | Script | Task, Field(discriminator="type")]

MODELS: Mapping[str, type[ActionModel]] = {
    "api_call": ApiCall,
    "script": Script,
    "task": Task,
    "wait": Wait,
    "saga": ChildSaga,
    "approval": Approval,
    "agent": Agent,
}
INNER: Mapping[str, type[BaseModel]] = {"auth": Auth, "body": Content, "multipart": Part}
"""Key of an api_call → the model of the mapping, or of the mappings in the list, that may stand there."""
UNDO_TYPES = ("api_call", "script", "task")
LATER_TYPES = ("event",)

__all__ = [
    "INNER",
    "LATER_TYPES",
    "LONGEST_CONDITION",
    "LONGEST_SECONDS",
    "MODELS",
    "SAGA_ID",
    "UNDO_TYPES",
    "UNITS",
    "VARIABLE_NAME",
    "Action",
    "Agent",
    "ApiCall",
    "Approval",
    "Ask",
    "Auth",
    "ChildSaga",
    "Content",
    "Part",
    "Script",
    "Task",
    "UndoAction",
    "Wait",
    "is_placeholder",
    "wait_seconds",
]
