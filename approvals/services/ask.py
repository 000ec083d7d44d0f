"""Open a request: find the policy and its people, freeze both, store it; its run's engine keeps the clocks."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.db import IntegrityError, transaction

from approvals import audited, folding, people, rules
from approvals.calendars import holidays_of
from approvals.content import content_hash
from approvals.core.chain import plan_of
from approvals.core.codec import PLAN, STATE
from approvals.core.events import Opened
from approvals.core.plan import Plan
from approvals.core.policy import PolicyDefinition
from approvals.core.state import State
from approvals.folding import Held
from approvals.hopeless import refuse_hopeless
from approvals.models import Policy, Request
from approvals.outgoing import register
from approvals.people import Found, person_id
from approvals.services.choose import as_it_was_asked, barred_by, given_by, policy_of, refuse_strangers
from approvals.services.policies import store_policy
from approvals.services.question import Ask
from approvals.services.renew import renew, sound
from approvals.title import title_of
from orchestration import audit, roles, sql
from orchestration.audit import Actor
from orchestration.clock import now
from orchestration.engines.registry import ENGINES, choose
from orchestration.errors import BadInput, Unreachable
from orchestration.givers import asked_anew_by
from orchestration.models import Run
from orchestration.services.definitions import checked, store
from orchestration.services.start import Parent, handle_of

LONGEST_HANDLE = 200
LONGEST_STEM = LONGEST_HANDLE - 11
SHOWN: dict[str, Any] = {
    "saga_id": "approval",
    "name": "Approval",
    "description": "The run of an approval: its one step is the decision.",
    "steps": [{"step_id": folding.STEP, "forward_action": {"type": "approval"}}],
}
"""What the run of a request shows as its definition; who decides is in the policy."""


def ask(
    *, given: Ask, actor: Actor, request_id: str = "", engine: str = "", parent: Parent | None = None
) -> tuple[Request, bool]:
    """The request, and whether this call opened it.

    A used `request_id` with the same content returns its request; with another it is BadInput.
    Raises BadInput, NotAllowed, Unreachable (an engine that was asked for by name and is away).
    """
    roles.require(actor, "approval.ask")
    content = _content(given)
    handle = handle_of(request_id, _stem(given), field="request_id")
    found = Request.objects.filter(request_id=handle).select_related("run").first() if request_id else None
    if found is not None:
        return _same(found, content, parent), False
    try:
        return _opened(given, content, actor, handle=handle, engine=engine, parent=parent), True
    except IntegrityError:  # somebody took the handle at this very moment, or a run has it
        found = Request.objects.filter(request_id=handle).select_related("run").first()
        if found is not None:
            return _same(found, content, parent), False
        if not Run.objects.filter(workflow_id=handle).exists():
            raise
        raise BadInput(
            f"request_id '{handle}' is in use by a run", field="request_id", remedy="choose another, or none"
        ) from None


def _opened(
    given: Ask, content: dict[str, Any], actor: Actor, *, handle: str, engine: str, parent: Parent | None
) -> Request:
    with as_it_was_asked(given):
        stored, policy = policy_of(given)
        whom = people.find(policy)
        refuse_strangers(given, whom)
        barred = barred_by(given, actor, parent)
        plan = plan_of(policy, whom.named, barred=barred, holidays=holidays_of(policy, now()))
        refuse_hopeless(plan, policy, whom)
    chosen = choose(engine)
    with sql.writing():
        if stored is None:
            stored = store_policy(policy, by=actor)
        definition, _ = store(checked(SHOWN), actor=actor)
        moment = now()
        run = Run.objects.create(
            workflow_id=handle, kind="approval", engine=chosen.name, definition=definition, context={}, config={},
            created_at=moment, created_by=actor.name, created_for=actor.owner, handed_over=not chosen.is_told,
            created_by_id=actor.user_id, created_for_id=actor.owner_id,
            **(parent.fields() if parent else {}),
        )  # fmt: skip
        request = _create(given, content, actor, run=run, policy=stored, plan=plan, whom=whom)
        audit.record(actor=actor, action="approval.ask", workflow_id=handle, **audited.asked(request))
        _register_callback(request, given, actor)
        held = Held(run=run, request=request, plan=plan, state=State(), seats={})  # ours alone until the commit
        folding.fold(held, Opened(at=moment, by_rule=_rule(policy, request)))
        transaction.on_commit(lambda: _hand_over(run), robust=True)
    return _refreshed(request)


def ask_again(*, request: Request, given: Ask, actor: Actor) -> bool:
    """A gate's content has changed: a new round, in which everybody decides anew. False: it is the same content."""
    content = _content(given)
    with sql.writing():
        held = folding.hold(request.run_id)
        if held.request.content_hash == content_hash(content):
            return False
        run = held.request.run.parent
        again = asked_anew_by(run, held.request.run.parent_step, since=request.created_at) if run else []
        return renew(held, content, actor, authors=people.ids_of([*given_by(given, actor), *again]))


def _content(given: Ask) -> dict[str, Any]:
    content = sound(given.content())
    if not given.stage or len(given.stage) > 100:
        raise BadInput("a request needs a stage", field="stage", remedy="a word for the decision, such as deployment")
    return content


def _stem(given: Ask) -> str:
    """How a handle of our own begins: any stage and `about` will do, since nobody has chosen them as a handle."""
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
    given: Ask, content: dict[str, Any], actor: Actor, *, run: Run, policy: Policy, plan: Plan, whom: Found
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


def _rule(policy: PolicyDefinition, request: Request) -> str:
    content = request.content
    seen = {"stage": request.stage, "context": content["context"], "action": content.get("action", {})}
    about = {**seen, "requester": request.requester, "facts": request.facts, "about": request.about}
    return policy.auto_approve if rules.holds(policy.auto_approve, about) else ""


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


def _hand_over(run: Run) -> None:
    """An engine that finds its alarms in the rows has the run already."""
    engine = ENGINES[run.engine]
    try:
        if run.handed_over:
            engine.wake()
        else:
            engine.take(run)
    except Unreachable:
        return  # the relay hands it over later


def handle_for_gate(workflow_id: str, step_id: str, iteration: int, number: int) -> str:
    """The same for every attempt of a step that asks the same; a long one ends in its hash."""
    handle = f"{workflow_id}.{step_id}.{iteration}.approval" + (f"-{number}" if number else "")
    if len(handle) <= LONGEST_HANDLE:
        return handle
    return f"{handle[: LONGEST_HANDLE - 33]}~{hashlib.sha256(handle.encode()).hexdigest()[:32]}"
