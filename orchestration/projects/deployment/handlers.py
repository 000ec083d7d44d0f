"""What the steps of a deployment do: task handlers under the names `zen.deploy.…`, each safe to perform again.

A refusal of a step that goes forward says that nothing of it stands. One of a compensation asks for a person.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import JsonValue

from orchestration.actions.errors import Refused
from orchestration.actions.task import TaskContext
from orchestration.core.definition import DefinitionErrors
from orchestration.core.deployment import DeploymentConfig, deployment_saga_id, handed
from orchestration.core.deployment.window import Answer
from orchestration.models import Run
from orchestration.projects.deployment.claims import claim, last_version
from orchestration.projects.deployment.local import ports, processes, releases, replicas, switch, traffic
from orchestration.projects.deployment.local.checkout import NoCheckout
from orchestration.projects.deployment.local.folder import Folder, Place, folder_of, locked, read, release_id
from orchestration.projects.deployment.probe import ask_port, ask_url
from orchestration.projects.deployment.window import Question, Users, judged

log = logging.getLogger(__name__)
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

    def places(self) -> list[Place]:
        """The processes that the step is about."""
        given = self.payload.get("replicas")
        numbers = [int(str(one)) for one in given] if isinstance(given, list) else []
        return [Place(release=self.release, replica=number) for number in numbers]


Act = Callable[[Work], JsonValue]


def _handler(act: Act) -> Callable[[Payload, TaskContext], JsonValue]:
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


def _claim(work: Work) -> JsonValue:
    """For actions of the author's: what is deployed, and what was before."""
    claim(work.name, work.context.workflow_id)
    previous = work.config.previous_version or last_version(work.name)
    if not previous and work.payload.get("needs_previous") is True:
        raise Refused(
            f"no deployment of '{work.name}' has completed, so nobody knows what {{previous_version}} is; "
            "say it in config.deployment.previous_version"
        )
    return {"version": str(work.payload.get("commit") or ""), "previous_version": previous}


def _release(work: Work) -> JsonValue:
    claim(work.name, work.context.workflow_id)
    given = {key: str(work.payload.get(key) or "") for key in ("commit", "repository")}
    return releases.make(work.folder, work.release, work.config, workflow_id=work.context.workflow_id, **given)


def _release_back(work: Work) -> JsonValue:
    if newer := _newer(work):
        return newer  # it may come back to this one; the deployment after it takes the files away
    if work.release in _serving(work):
        raise Refused(f"release {work.release} still gets requests; bring the traffic back first, then retry")
    return releases.unmake(work.folder, work.release)


def _start(work: Work) -> JsonValue:
    """What was started is ended again where it does not come up: a refused step is not undone."""
    try:
        up = replicas.bring_up(work.folder, work.places(), work.context.cancelled)
    except replicas.NotUp as error:
        replicas.end(work.folder, work.places(), keep_ports=False)
        raise Refused(str(error), evidence={"started": False, "error": str(error)}) from None
    return {"release": work.release, "processes": list(up)}  # type: ignore[arg-type]


def _start_back(work: Work) -> JsonValue:
    numbers = {place.replica for place in work.places()}
    if any(one.release == work.release and one.replica in numbers for one in read(work.folder).routing):
        raise Refused(f"release {work.release} still gets requests; bring the traffic back first, then retry")
    if work.release in read(work.folder).releases:
        replicas.end(work.folder, work.places(), keep_ports=False)
    return {"ended": [replicas.title(place) for place in work.places()]}


def _health(work: Work) -> JsonValue:
    urls = work.payload.get("urls")
    questions: list[Question] = []
    if isinstance(urls, list):
        questions = [partial(ask_url, str(url), seconds=work.config.answer_seconds) for url in urls]
    else:
        questions = _own_questions(work, [place.replica for place in work.places()])
    return judged(questions, work.config, work.context.cancelled)


def _watch(work: Work) -> JsonValue:
    """The new release as it serves: its processes are asked, and what users get is counted."""
    record = read(work.folder)
    if not any(place.release == work.release for place in record.routing):
        raise Refused(f"release {work.release} gets no requests, so there is nothing to watch")
    questions = _own_questions(work, [place.replica for place in record.routing if place.release == work.release])
    if all(place.release == work.release for place in record.routing):
        questions.append(_question(work, record.port, "the users' port"))
    return judged(questions, work.config, work.context.cancelled, users=_users(work))


def _own_questions(work: Work, numbers: list[int]) -> list[Question]:
    known = read(work.folder).releases[work.release].ports
    return [
        _question(work, known[number], replicas.title(Place(release=work.release, replica=number)))
        for number in numbers
    ]


def _question(work: Work, port: int, target: str) -> Question:
    path = work.config.health if isinstance(work.config.health, str) else "/"

    def ask() -> Answer:
        return ask_port(port, path, seconds=work.config.answer_seconds, target=target)

    return ask


def _counted(work: Work) -> dict[str, Any]:
    try:
        told = switch.ask(work.folder, "status")
    except switch.SwitchFault:
        return {}
    found: dict[str, Any] = told["releases"].get(work.release, {})
    return {**found, "since": told["since"]}


def _users(work: Work) -> Callable[[], Users]:
    """What the switch counts from now on; a switch that was started again counts from 0."""
    first = _counted(work)

    def seen() -> Users:
        last = _counted(work)
        same = last.get("since") == first.get("since")
        good, bad = (int(last.get(key, 0)) - (int(first.get(key, 0)) if same else 0) for key in ("good", "bad"))
        failures = last.get("failures", [])[-min(bad, 5) :] if bad > 0 else []
        return Users(good=max(0, good), bad=max(0, bad), failures=tuple(failures))

    return seen


def _switch(work: Work) -> JsonValue:
    how = {key: value for key, value in work.payload.items() if key in ("weight", "replica", "of", "off")}
    return traffic.change(work.folder, work.release, work.key, how)


def _switch_back(work: Work) -> JsonValue:
    if newer := _newer(work):
        return newer
    return traffic.change_back(work.folder, work.release, work.key)


def _drain(work: Work) -> JsonValue:
    is_last = work.payload.get("last") is True
    seconds, cancelled = work.config.drain_seconds, work.context.cancelled
    return traffic.drain(work.folder, work.release, work.key, seconds=seconds, last=is_last, cancelled=cancelled)


def _drain_back(work: Work) -> JsonValue:
    if newer := _newer(work):
        return newer
    return traffic.drain_back(work.folder, work.release, work.key)


def _newer(work: Work) -> dict[str, JsonValue] | None:
    """What to say where a later deployment has taken over: its traffic is not ours to give away."""
    with locked(work.folder) as record:
        if record.holder in ("", work.context.workflow_id):
            return None
        return {"changed": False, "superseded_by": record.holder, "serving": list[JsonValue](_serving(work))}


def _serving(work: Work) -> list[str]:
    return list(dict.fromkeys(place.release for place in read(work.folder).routing))


release, release_back = _handler(_release), _handler(_release_back)
start, start_back = _handler(_start), _handler(_start_back)
health, watch, claimed = _handler(_health), _handler(_watch), _handler(_claim)
shift, shift_back = _handler(_switch), _handler(_switch_back)
drain, drain_back = _handler(_drain), _handler(_drain_back)

TASKS = {
    "zen.deploy.claim": f"{__name__}.claimed",
    "zen.deploy.release": f"{__name__}.release",
    "zen.deploy.release_back": f"{__name__}.release_back",
    "zen.deploy.start": f"{__name__}.start",
    "zen.deploy.start_back": f"{__name__}.start_back",
    "zen.deploy.health": f"{__name__}.health",
    "zen.deploy.watch": f"{__name__}.watch",
    "zen.deploy.switch": f"{__name__}.shift",
    "zen.deploy.switch_back": f"{__name__}.shift_back",
    "zen.deploy.drain": f"{__name__}.drain",
    "zen.deploy.drain_back": f"{__name__}.drain_back",
}
"""What the reserved names stand for."""
