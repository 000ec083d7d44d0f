"""What a yes to an agent's proposal does: the act is stored for its run in the transaction of the yes.

So no process can die between the two, and one yes is one act. A run that has moved on since is left alone; the request
says why.
"""

from __future__ import annotations

from django.db import transaction

from approvals.core.content import apply_edits
from approvals.core.enums import Choice
from approvals.evidence.audit_records import ITSELF
from approvals.models import Request, Vote
from approvals.policies import principals
from approvals.queries.agent_act import FACT, message_id
from foundation import audit
from foundation.clock import now
from foundation.errors import NotAllowed, WrongState, ZenError
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.visible_text import cut
from orchestration.core.enums import Verb
from orchestration.runs.acts import permission_for, store_act

LONGEST_WORDS = 200


def perform(request: Request, *, barred: frozenset[str]) -> None:
    """Store the act of a request that was approved just now, or why not. Inside the transaction of the yes.

    `barred`: the person ids of those who wanted it.
    """
    try:
        with transaction.atomic():
            _store(request, barred)
    except ZenError as error:
        _note_refusal(request, error)
    else:
        _spend(request)


def _store(request: Request, barred: frozenset[str]) -> None:
    act, proposed = request.facts[FACT], request.content["action"]
    verb = Verb(act["verb"])
    vote = request.votes.filter(round=request.round, choice=Choice.APPROVE).order_by("pk").last()
    if vote is None:
        raise NotAllowed("nobody has said yes to it", remedy="a policy of agents' acts has people decide")
    if apply_edits(request.content, request.edits)["action"] != proposed:
        raise WrongState("what an agent proposes is done as it is, or not", remedy="do it yourself as it should be")
    store_act(
        workflow_id=act["workflow_id"],
        verb=verb,
        actor=_approver(request, vote, verb),
        step_id=act["step_id"],
        answer=act["answer"],
        note=_note(request, proposed["note"]),
        request_id=message_id(request),
        shown=proposed["would"],
        asked_by=[(pk, one) for one in sorted(barred) if (pk := principals.user_id_of(one)) is not None],
    )


def _approver(request: Request, vote: Vote, verb: Verb) -> Actor:
    """Whose act it is: theirs who said yes last. They, or whoever proposed it, have the right to act still.

    Raises:
        NotAllowed: neither has.
    """
    asker = principals.user_id_of(request.requester_person) if request.requester_person else None
    what = permission_for(verb)
    found = {user.pk: user for user in principals.accounts().filter(pk__in=[pk for pk in (vote.user_id, asker) if pk])}
    if not any(permissions.roles_of(user) & permissions.MAY[what] for user in found.values()):
        words = permissions.IN_WORDS[what]
        raise NotAllowed(f"neither {request.requester}, who proposed it, nor {vote.name} may {words} any more")
    name = found[vote.user_id].get_username() if vote.user_id in found else vote.name
    return Actor(name=name, door=vote.door, roles=permissions.MAY[what], user_id=vote.user_id)


def _note(request: Request, note: str) -> str:
    told = f"proposed by {request.requester}, approved by {request.request_id}"
    return f"{note} ({told})" if note.strip() else told


def _spend(request: Request) -> None:
    request.spent_by, request.spent_at = message_id(request), now()
    request.save(update_fields=["spent_by", "spent_at"])
    audit.record(
        actor=ITSELF, action="approval.spend", workflow_id=request.request_id, key=request.spent_by,
        content=request.content_hash,
    )  # fmt: skip


def _note_refusal(request: Request, error: ZenError) -> None:
    request.words = cut(f"not done: {error.message}", LONGEST_WORDS)
    request.save(update_fields=["words"])
    audit.record(
        actor=ITSELF, action="approval.act-refused", workflow_id=request.request_id, note=error.in_words(),
        act=request.facts[FACT],
    )  # fmt: skip
