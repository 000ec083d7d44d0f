"""A saga as its author writes it: the models, their checks, the hash and the published JSON Schema.

`validate_definition(data)` is the one way in: it finds every problem at once and each names step, field, value and
remedy. A stored definition comes back by `SagaDefinition.model_validate(body)`.
"""

from orchestration.core.definition.actions import Action, ApiCall, ChildSaga, Script, Task, UndoAction, Wait
from orchestration.core.definition.models import SagaDefinition, StepDefinition, json_schema
from orchestration.core.definition.problems import DefinitionErrors, Problem
from orchestration.core.definition.remarks import warnings_of
from orchestration.core.definition.shape import MOST_BYTES, MOST_LEVELS, canonical_json, definition_hash
from orchestration.core.definition.validate import validate_action, validate_definition

__all__ = [
    "MOST_BYTES",
    "MOST_LEVELS",
    "Action",
    "ApiCall",
    "ChildSaga",
    "DefinitionErrors",
    "Problem",
    "SagaDefinition",
    "Script",
    "StepDefinition",
    "Task",
    "UndoAction",
    "Wait",
    "canonical_json",
    "definition_hash",
    "json_schema",
    "validate_action",
    "validate_definition",
    "warnings_of",
]
