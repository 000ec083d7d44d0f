"""What `allowed_actions` says is what `act` does: for every verb, role and kind of run, in its states."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction
from django.test import Client

from approvals.models import Request
from foundation.errors import NotAllowed, WrongState
from foundation.identity.actor import Actor
from foundation.models import ApiToken
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act, preview
from orchestration.runs.acts import NEEDS_STEP
from tests.approvals.scenes import asked, published
from tests.orchestration.admin import scenes
from tests.orchestration.admin.visitor import person
from tests.support.peer import Peer
from tests.system.contract.cast import account, actor, says
from tests.system.contract.hosts import celery_host

pytestmark = pytest.mark.django_db(transaction=True)
ROLES = ("viewer", "operator", "approver", "administrator")


def saga(scene: Callable[[Peer], Run]) -> Callable[[Peer], Run]:
    def made(peer: Peer) -> Run:
        with celery_host():
            return scene(peer)

    return made


def approval(*words: str) -> Callable[[Peer], Run]:
    def made(peer: Peer) -> Run:
        account("bob", "approver")
        stage = {"name": "one", "who": {"users": ["bob"]}, "must_comment_on": []}
        published({"policy": "p", "stages": [stage], **({"cooling_off": "1h"} if "cooling" in words else {})})
        found: Request = asked(policy="p", request_id="a-1", description="May we?")
        for word in words:
            if word == "abort":
                act(workflow_id="a-1", verb=Verb.ABORT, actor=actor(account("ann", "operator")))
            elif word != "cooling":
                says("bob", word, found)
        return found.run

    return made


SCENES: dict[str, Callable[[Peer], Run]] = {
    "waiting": saga(scenes.waiting),
    "held": saga(scenes.held),
    "blocked": saga(scenes.blocked),
    "needs attention": saga(scenes.needing_attention),
    "rolled back": saga(scenes.rolled_back),
    "completed": saga(scenes.completed),
    "approval, open": approval(),
    "approval, changes asked for": approval("request-changes"),
    "approval, cooling off": approval("cooling", "approve"),
    "approval, given": approval("approve"),
    "approval, rejected": approval("reject"),
    "approval, aborted": approval("abort"),
}


class _Undone(Exception):
    """Ends the transaction of an act that was tried."""


def done(run: Run, verb: Verb, who: Actor, step_id: str) -> bool:
    """Whether `act` does it; it is rolled back."""
    try:
        with transaction.atomic():
            act(workflow_id=run.workflow_id, verb=verb, actor=who, step_id=step_id, note="-", answer="retry")
            raise _Undone
    except _Undone:
        return True
    except (NotAllowed, WrongState):
        return False


def cases(run: Run) -> list[tuple[Verb, str]]:
    steps = list(run.definition.body["steps"])
    return [
        (verb, step["step_id"] if step else "") for verb in Verb for step in (steps if verb in NEEDS_STEP else [{}])
    ]


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_said_is_what_is_done(scene: str, peer: Peer) -> None:
    run = SCENES[scene](peer)
    run.refresh_from_db()
    for role in ROLES:
        user = account(f"the-{role}", role)
        view = Client(headers={"Authorization": f"Bearer {ApiToken.issue(user)[1]}"}).get(f"/api/v1/runs/{run}/").json()
        said = {(verb, "") for verb in view["allowed_actions"]}
        said |= {(verb, step["step_id"]) for step in view["steps"] for verb in step["allowed_actions"]}
        assert said == {(str(v), s) for v, s in cases(run) if done(run, v, actor(user), s)}, role
        if role == "administrator":
            legal = {(str(v), s) for v, s in cases(run) if not _foretold(run, v, actor(user), s)}
            assert said == legal, "the preview says otherwise"


def _foretold(run: Run, verb: Verb, who: Actor, step_id: str) -> str:
    return preview(workflow_id=run.workflow_id, verb=verb, actor=who, step_id=step_id, answer="retry").refusal


@pytest.mark.parametrize("scene", [name for name in SCENES if name.startswith("approval")])
def test_the_page_of_an_approvals_run_has_the_buttons_that_work(scene: str, peer: Peer) -> None:
    run, client = SCENES[scene](peer), Client()
    client.force_login(person("administrator"))
    page = client.get(f"/admin/orchestration/run/{run.pk}/change/").content.decode()
    run.refresh_from_db()
    legal = set() if run.finished_at else {Verb.ABORT, Verb.FORCE_STOP}
    assert {verb for verb in Verb if f"/run/{run.pk}/act/{verb}/" in page} == legal
