"""What the steps of a deployment do: task handlers under the names `zen.deploy.…`, each safe to perform again.

A refusal of a step that goes forward says that nothing of it stands. One of a compensation asks for a person.
"""

from __future__ import annotations

from functools import partial

from pydantic import JsonValue

from orchestration.actions.errors import Refused
from orchestration.projects.deployment.claims import claim, last_version
from orchestration.projects.deployment.local import releases, replicas, traffic
from orchestration.projects.deployment.local.folder import locked, read
from orchestration.projects.deployment.probe import ask_url
from orchestration.projects.deployment.questions import own_questions, question_of, users_of
from orchestration.projects.deployment.window import Question, judged
from orchestration.projects.deployment.work import Work, handler


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
        questions = own_questions(work, [place.replica for place in work.places()])
    return judged(questions, work.config, work.context.cancelled, seconds=work.window_seconds)


def _watch(work: Work) -> JsonValue:
    """The new release as it serves: its processes are asked, and what users get is counted."""
    record = read(work.folder)
    if not any(place.release == work.release for place in record.routing):
        raise Refused(f"release {work.release} gets no requests, so there is nothing to watch")
    questions = own_questions(work, [place.replica for place in record.routing if place.release == work.release])
    if all(place.release == work.release for place in record.routing):
        questions.append(question_of(work, record.port, "the users' port"))
    return judged(questions, work.config, work.context.cancelled, seconds=work.window_seconds, users=users_of(work))


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


release, release_back = handler(_release), handler(_release_back)
start, start_back = handler(_start), handler(_start_back)
health, watch, claimed = handler(_health), handler(_watch), handler(_claim)
shift, shift_back = handler(_switch), handler(_switch_back)
drain, drain_back = handler(_drain), handler(_drain_back)

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
