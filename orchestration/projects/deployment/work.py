"""What every step of a deployment needs to know, and how an act becomes a task handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from orchestration.actions.errors import Refused
from orchestration.actions.task import TaskContext
from orchestration.core.definition import DefinitionErrors
from orchestration.core.deployment import DeploymentConfig, deployment_saga_id, handed
from orchestration.models import Run
from orchestration.projects.deployment.local import ports, processes, replicas, switch, traffic
from orchestration.projects.deployment.local.checkout import NoCheckout
from orchestration.projects.deployment.local.folder import Folder, Place, folder_of, release_id

Payload = Mapping[str, JsonValue]
EXPECTED = (
    NoCheckout, ports.NoPort, processes.NotStarted, replicas.NotUp, switch.SwitchFault, traffic.NotBack
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What every handler needs to know. `key`: of its step and iteration, the same for the way back."""

    name: str
    config: DeploymentConfig
    context: TaskContext
    payload: Payload

    @property
    def folder(self) -> Folder:
        return folder_of(self.name)

    @property
    def release(self) -> str:
        return release_id(self.context.workflow_id)

    @property
    def key(self) -> str:
        return f"{self.context.step_id}:{self.context.idempotency_key.rpartition(':')[2]}"

    @property
    def window_seconds(self) -> float:
        """How long the step asks: its part of the window."""
        given = self.payload.get("seconds")
        return float(given) if isinstance(given, int | float) else self.config.window_seconds

    def places(self) -> list[Place]:
        """The processes that the step is about."""
        given = self.payload.get("replicas")
        numbers = [int(str(one)) for one in given] if isinstance(given, list) else []
        return [Place(release=self.release, replica=number) for number in numbers]


Act = Callable[[Work], JsonValue]


def handler(act: Act) -> Callable[[Payload, TaskContext], JsonValue]:
    """A handler of this act: what is expected to go wrong is a refusal in words."""

    def handle(payload: Payload, context: TaskContext) -> JsonValue:
        try:
            return act(_work(payload, context))
        except EXPECTED as error:
            raise Refused(str(error)) from None

    return handle


def _work(payload: Payload, context: TaskContext) -> Work:
    name = str(payload.get("project") or "")
    try:
        _refuse_others(deployment_saga_id(name), context.workflow_id)
        config = handed(payload.get("deployment"))
    except DefinitionErrors as error:
        raise Refused(str(error)) from None
    return Work(name=name, config=config, context=context, payload=payload)


def _refuse_others(saga_id: str, workflow_id: str) -> None:
    """A saga of another name would deploy beside the one that goes on."""
    found = Run.objects.filter(workflow_id=workflow_id).values_list("definition__saga_id", flat=True).first()
    if found != saga_id:
        raise Refused(f"these steps belong to the saga '{saga_id}', and this run is of '{found}'")
