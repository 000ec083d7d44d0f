"""Open a request: find the policy and its people, freeze both, and store it; its run's engine keeps the time."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.db import IntegrityError

from approvals.core.approval.events import Opened
from approvals.core.approval.plan import PLAN, Plan
from approvals.core.approval.state import STATE, State
from approvals.core.content import Ask, content_hash
from approvals.core.policy.chain import plan_of
from approvals.evidence import audit_records
from approvals.models import Policy, Request
from approvals.policies import conditions, principals
from approvals.policies.checks import require_feasible
from approvals.policies.holidays import holidays_of
from approvals.policies.principals import ResolvedPrincipals, person_id
from approvals.policies.publish import store_policy
from approvals.requests.amend import renew, sound, title_of
from approvals.requests.messages.callback_payload import register
from approvals.requests.policy_choice import as_it_was_asked, barred_by, given_by, policy_of, refuse_strangers
from approvals.requests.state.locked_request import STEP, LockedRequest, lock_request
from foundation import audit
from foundation.clock import now
from foundation.db import statements
from foundation.errors import BadInput
from foundation.identity import permissions
from foundation.identity.actor import Actor
from orchestration.models import Run
from orchestration.runs.archive.removed import used_before
from orchestration.runs.contributors import asked_anew_by
from orchestration.runs.external import chosen_engine, open_external_run
from orchestration.runs.new_run import Parent
from orchestration.runs.start_inputs import handle_of

LONGEST_HANDLE = 200
LONGEST_STEM = LONGEST_HANDLE - 11
KIND = "approval"
"""The kind of its run, as ZEN_FLOWS names it."""

SHOWN: dict[str, Any] = {
    "saga_id": "approval",
    "name": "Approval",
    "description": "The run of an approval: its one step is the decision.",
    "steps": [{"step_id": STEP, "forward_action": {"type": "approval"}}],
}
"""What the run of a request shows as its definition; who decides is in the policy."""


def ask(
    *, given: Ask, actor: Actor, request_id: str = "", engine: str = "", parent: Parent | None = None
) -> tuple[Request, bool]:
    """The request, and whether this call opened it.

    `request_id`: a used one with the same content returns its request; '' gets a new one. `engine`: of the request's
    run; '' is the site's setting. `parent`: the step that waits for the answer.

    Raises:
        NotAllowed: the actor may not ask.
        BadInput: an unknown policy or person, a policy that nobody could pass, content that cannot be stored, or a
            `request_id` that is used with other content.
        Unreachable: an engine that was asked for by name is away.
    """
    permissions.require(actor, "approval.ask")
    content = _content(given)
    handle = handle_of(request_id, _stem(given), field="request_id")
    found = Request.objects.filter(request_id=handle).select_related("run").first() if request_id else None
    if found is not None:
        return _same(found, content, parent), False
    try:
        return _opened(given, content, actor, handle=handle, engine=engine, parent=parent), True
    except IntegrityError:  # another call took the handle at this moment, or a run has it
        found = Request.objects.filter(request_id=handle).select_related("run").first()
        if found is not None:
            return _same(found, content, parent), False
        if not Run.objects.filter(workflow_id=handle).exists():
            removed = used_before(handle, field="request_id")
            if removed is None:
                raise
            raise removed from None
        raise BadInput(
            f"request_id '{handle}' is in use by a run", field="request_id", remedy="choose another, or none"
        ) from None


def _opened(
    given: Ask, content: dict[str, Any], actor: Actor, *, handle: str, engine: str, parent: Parent | None
) -> Request:
    with as_it_was_asked(given):
        stored, policy = policy_of(given)
        whom = principals.resolve(policy)
        refuse_strangers(given, whom)
        barred = barred_by(given, actor, parent)
        plan = plan_of(policy, whom.named, barred=barred, holidays=holidays_of(policy, now()))
        require_feasible(plan, policy, whom)
    chosen = chosen_engine(engine)
    with statements.writing():
        if stored is None:
            stored = store_policy(policy, by=actor)
        run = open_external_run(kind=KIND, workflow_id=handle, shown=SHOWN, engine=chosen, actor=actor, parent=parent)
        request = _create(given, content, actor, run=run, policy=stored, plan=plan, whom=whom)
        audit.record(actor=actor, action="approval.ask", workflow_id=handle, **audit_records.opened_record(request))
        _register_callback(request, given, actor)
        locked = LockedRequest(
            run=run, request=request, plan=plan, state=State(), seats={}
        )  # ours alone until the commit
        locked.apply(Opened(at=run.created_at, by_rule=conditions.rule_for(policy, request, request.content)))
    return _refreshed(request)


def ask_again(*, request: Request, given: Ask, actor: Actor, even_same: bool = False) -> bool:
    """A gate's content has changed: begin a round, in which everybody decides again.

    False when the content is the same, unless `even_same`: then what was to be changed was changed elsewhere.

    Raises:
        BadInput: the content cannot be stored.
    """
    content = _content(given)
    with statements.writing():
        locked = lock_request(request.run_id)
        if locked.request.content_hash == content_hash(content) and not even_same:
            return False
        run = locked.request.run.parent
        again = asked_anew_by(run, locked.request.run.parent_step, since=request.created_at) if run else []
        return renew(locked, content, actor, authors=principals.ids_of([*given_by(given, actor), *again]))


def _content(given: Ask) -> dict[str, Any]:
    content = sound(given.content())
    if not given.stage or len(given.stage) > 100:
        raise BadInput("a request needs a stage", field="stage", remedy="a word for the decision, such as deployment")
    return content


def _stem(given: Ask) -> str:
    """How a new handle begins. Any stage and `about` will do, since no person has chosen them as a handle."""
    told = f"{given.about or 'approval'}.{given.stage}"
    return re.sub(r"[^A-Za-z0-9_.:~-]+", "-", told).lstrip("_.:~-")[:LONGEST_STEM] or "approval"


def _same(found: Request, content: dict[str, Any], parent: Parent | None) -> Request:
    if parent is not None and not parent.owns(found.run):
        raise BadInput(f"request_id '{found}' is in use by another request", field="request_id")
    if found.content_hash != content_hash(content):
        raise BadInput(
            f"request_id '{found}' is in use by a request with another content",
            field="request_id", remedy="choose another, or none to get a new one",
        )  # fmt: skip
    return found


def _create(
    given: Ask, content: dict[str, Any], actor: Actor, *, run: Run, policy: Policy, plan: Plan, whom: ResolvedPrincipals
) -> Request:
    return Request.objects.create(
        run=run,
        request_id=run.workflow_id,
        policy=policy,
        about=given.about,
        step_id=given.step_id,
        stage=given.stage,
        title=title_of(content),
        content=content,
        content_hash=content_hash(content),
        shown_hash=content_hash(content),
        facts=dict(given.facts),
        plan=PLAN.dump_python(plan, mode="json"),
        people={person.id: person.plain() for person in whom.people.values()},
        named={name: sorted(found) for name, found in whom.named.items() if not name.startswith("group:")},
        groups=dict(whom.groups),
        state=STATE.dump_python(State(), mode="json"),
        requester=actor.name,
        requester_person=person_id(actor.user_id) if actor.user_id is not None else "",
        created_at=run.created_at,
    )


def _register_callback(request: Request, given: Ask, actor: Actor) -> None:
    if given.callback_url:
        try:
            register(request, given.callback_url, actor)
        except BadInput as error:  # who asks has sent it by another name
            raise BadInput(error.message, field="callback_url", remedy=error.remedy) from None


def _refreshed(request: Request) -> Request:
    """As it was stored; the endpoint stays the object that may hold a secret to be shown once."""
    endpoint = request.endpoint
    request.refresh_from_db()
    if endpoint is not None:
        request.endpoint = endpoint
    return request


def handle_for_gate(workflow_id: str, step_id: str, iteration: int, number: int) -> str:
    """The request's handle: the same for every attempt of a step. A long one ends in its hash."""
    return shortened(f"{workflow_id}.{step_id}.{iteration}.approval" + (f"-{number}" if number else ""))


def shortened(handle: str) -> str:
    """The handle, or a long one's beginning and its hash."""
    if len(handle) <= LONGEST_HANDLE:
        return handle
    return f"{handle[: LONGEST_HANDLE - 33]}~{hashlib.sha256(handle.encode()).hexdigest()[:32]}"
