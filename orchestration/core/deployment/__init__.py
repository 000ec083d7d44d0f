"""Deployments as sagas: what a configuration may say, and the steps of a strategy.

`validate_deployment(data, strategy)` is the only entry for what a person wrote: it finds every problem at once, each
with field, value and remedy. `compile_deployment(spec)` gives the saga, or None for the strategy `none`: release, start
new, health window, switch, watch, drain old, each step with the compensation that takes it back. `warnings_of(spec)`
says what is chosen for the author, and what a strategy costs. `routing` is who gets how much of the traffic, as one
value per change; `window` judges the answers of a health check.

Steps of the driver `local` are tasks of `orchestration.projects.deployment`; those of `api` and `script` are the
actions that the configuration names. Pure: no clock, file or process. Imported by `orchestration.projects`.
"""

from orchestration.core.deployment.compile import DeploymentSpec, compile_deployment, deployment_saga_id, warnings_of
from orchestration.core.deployment.config import DeploymentConfig
from orchestration.core.deployment.validate import STRATEGIES, handed, validate_deployment

__all__ = [
    "STRATEGIES",
    "DeploymentConfig",
    "DeploymentSpec",
    "compile_deployment",
    "deployment_saga_id",
    "handed",
    "validate_deployment",
    "warnings_of",
]
