"""A multi-agent project as data: what is asked, how it is planned, and the sagas that it becomes (docs/adr/0018).

`validate_spec` and `validate_config` are the entries for data from outside: each finds every problem at once and names
field, value and remedy. `compile_project(spec, config)` is the outer saga; `compile_tasks(plan, config)` is the saga
that its step `build` runs. A project has no other flow: deadlines, retries, gates and undos are those of sagas.

`spec`, `config` and `plan` are the models; `quantities` reads what people write; `criteria` and `gates`
say what a sentence of the spec means; `requirements` is the ledger; `rules_planner` plans without an agent.

Promises: pure functions of their arguments, no clock and no chance, so that the same spec gives the same definition
and its hash. Imported by `orchestration.projects` and by doors; imports `core.definition`, `core.agent` and pydantic.
"""

from orchestration.core.project.config import ProjectConfig, validate_config
from orchestration.core.project.plan import PlanTask, ProjectPlan
from orchestration.core.project.planning import planned, validate_plan
from orchestration.core.project.sagas.acceptance import compile_acceptance
from orchestration.core.project.sagas.project import compile_project
from orchestration.core.project.sagas.tasks import compile_tasks
from orchestration.core.project.spec import ProjectSpec
from orchestration.core.project.spec_checks import validate_spec

__all__ = [
    "PlanTask",
    "ProjectConfig",
    "ProjectPlan",
    "ProjectSpec",
    "compile_acceptance",
    "compile_project",
    "compile_tasks",
    "planned",
    "validate_config",
    "validate_plan",
    "validate_spec",
]
