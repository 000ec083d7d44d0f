"""The receipt of an ended request: who decided what on which content, signed, so that others can check it without us.

docs/receipts.md says what is in it, and gives the program that checks it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from approvals import receipt_check
from approvals.audited import names_of, ordered
from approvals.content import content_hash
from approvals.core.words import Status
from approvals.models import Request, Vote
from orchestration import signing, sql
from orchestration.audit_chain.canonical import canonical, moment, settled, sha256
from orchestration.audit_chain.export import seal_view
from orchestration.audit_chain.heads import heads_of
from orchestration.audit_chain.walk import stored_rows
from orchestration.clock import now
from orchestration.errors import WrongState
from orchestration.models import SealedHead


def receipt(request: Request, *, heads: bool = False) -> dict[str, Any]:
    """`heads`: also all the heads of its seal, which prove that the seal covers it and name other runs.

    Raises WrongState while it is open, and when its rows contradict its audit: nothing false is signed.
    """
    with sql.writing():  # a grant that is being spent comes in whole or not at all
        held = Request.objects.select_for_update(no_key=True, of=("self",)).select_related("policy").get(pk=request.pk)
        if not Status(held.status).is_end:
            remedy = "wait until it is decided"
            raise WrongState(
                f"'{held}' is {held.status}; an open request has no receipt", field="status", remedy=remedy
            )
        content = _content(held)
    if heads and content["seal"]:  # outside: there may be many, a seal never changes, and nobody has to wait for it
        content["seal"]["heads"] = [list(one) for one in heads_of(content["seal"]["number"])]
    content = settled(content)
    faults = receipt_check.contradictions(content)
    if faults:
        raise WrongState(f"there is no receipt: {faults[0]}", field="audit", remedy="see `manage.py audit verify`")
    known = sha256(canonical(content))
    return {**content, "hash": known, "signature": signing.sign(receipt_check.signed_bytes(known))}


def _content(request: Request) -> dict[str, Any]:
    names = names_of(request.people)
    return {
        "kind": receipt_check.KIND,
        "version": receipt_check.VERSION,
        "made_at": moment(now()),
        "key_id": signing.key_id(),
        "request": _request(request),
        "policy": {
            "name": request.policy.name,
            "version": request.policy.version,
            "hash": request.policy.hash,
            "body": request.policy.body,
        },
        "plan": ordered(request.plan),
        "people": names,
        "rounds": [
            {"round": number, "content": content, "content_hash": content_hash(content)}
            for number, content in enumerate([*request.earlier, request.content], 1)
        ],
        "votes": [_vote(vote, names) for vote in request.votes.select_related("delegation__owner", "delegation__to")],
        "grant": {"spent_by": request.spent_by, "spent_at": _iso(request.spent_at)} if request.spent_at else None,
        "audit": [{**row.link.as_dict(), "hash": row.hash} for row in stored_rows(request.request_id) if row.link],
        "seal": _seal(request.request_id),
    }


def _request(request: Request) -> dict[str, Any]:
    return {
        "request_id": request.request_id,
        "status": request.status,
        "words": request.words,
        "title": request.title,
        "stage": request.stage,
        "about": request.about,
        "step_id": request.step_id,
        "requester": request.requester,
        "content_hash": request.content_hash,
        "facts": request.facts,
        "edits": request.edits,
        "created_at": _iso(request.created_at),
        "decided_at": _iso(request.decided_at),
        "decided_by": request.decided_by,
    }


def _vote(vote: Vote, names: dict[str, str]) -> dict[str, Any]:
    """Under the name that the audit vouches for."""
    rule = vote.delegation
    return {
        "round": vote.round,
        "stage": vote.stage,
        "person": vote.person,
        "name": names.get(vote.person, vote.person),
        "on_behalf_of": vote.owner if vote.owner != vote.person else "",
        "delegation": {
            "id": rule.pk,
            "from": rule.owner.get_username(),
            "to": rule.to.get_username(),
            "starts_at": _iso(rule.starts_at),
            "ends_at": _iso(rule.ends_at),
        }
        if rule
        else None,
        "decision": vote.choice,
        "comment": vote.comment,
        "edits": vote.edits,
        "answers": vote.answers,
        "content_hash": vote.content_hash,
        "door": vote.door,
        "strength": vote.strength,
        "at": _iso(vote.at),
    }


def _seal(chain: str) -> dict[str, Any] | None:
    """The latest seal that holds the end of this chain as it then was. One that is being made is none yet."""
    head = SealedHead.objects.filter(chain=chain, seal__hash__gt="").select_related("seal").order_by("-seal_id").first()
    return None if head is None else {**seal_view(head.seal), "head": [head.chain, head.seq, head.hash]}


def _iso(at: datetime | None) -> str | None:
    return moment(at) if at else None
