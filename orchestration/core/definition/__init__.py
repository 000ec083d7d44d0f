"""A saga as its author writes it: the models, their checks, the hash and the published JSON Schema.

`validate_definition(data)` is the only entry for data from outside: it finds every problem at once, and each names
step, field, value and remedy. A stored definition comes back by `SagaDefinition.model_validate(body)`.

`models` and `actions` are the models; `checks`, `step_checks`, `action_checks`, `template_checks`, `calls` and
`call_bodies` find what models cannot; `fillable` finds placeholders that nothing can fill, `remarks` what is valid and
probably not meant.

The hash is of the content, so the same content is one version; what the models accept may grow and never shrink, since
stored definitions are read with it. Imported by everything in orchestration; imports pydantic and `orchestration.core`.
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
