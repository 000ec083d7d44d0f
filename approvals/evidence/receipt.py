"""The receipt of an ended request: who decided what on which content, signed, so that others can check it without us.

docs/reference/receipts.md says what is in it, and gives the program that checks it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from approvals.core.content import content_hash
from approvals.core.enums import Status
from approvals.evidence import verify_receipt
from approvals.evidence.audit_records import names_of, ordered
from approvals.models import Request, Vote
from foundation.audit import signing_key
from foundation.audit.chain import stored_rows
from foundation.audit.export import seal_view
from foundation.audit.heads import heads_of
from foundation.canonical_json import FORMS, form_of, moment, settled, sha256
from foundation.clock import now
from foundation.db import statements
from foundation.errors import WrongState
from foundation.models import SealedHead


def receipt(request: Request, *, heads: bool = False) -> dict[str, Any]:
    """The receipt of an ended request as JSON, with `hash` and `signature`.

    `heads`: also all heads of its seal, which prove that the seal covers it, and name other runs.

    Raises:
        WrongState: the request is open, or its rows contradict its audit: nothing false is signed.
    """
    with statements.writing():  # a grant that is being spent comes in whole or not at all
        held = Request.objects.select_for_update(no_key=True, of=("self",)).select_related("policy").get(pk=request.pk)
        if not Status(held.status).is_end:
            remedy = "wait until it is decided"
            raise WrongState(
                f"'{held}' is {held.status}; an open request has no receipt", field="status", remedy=remedy
            )
        content = _content(held)
    if heads and content["seal"]:  # outside the transaction: there may be many, and a seal never changes
        content["seal"]["heads"] = [list(one) for one in heads_of(content["seal"]["number"])]
    content = settled(content)
    faults = verify_receipt.contradictions(content)
    if faults:
        raise WrongState(f"there is no receipt: {faults[0]}", field="audit", remedy="see `manage.py audit verify`")
    content["version"] = form_of(content)
    known = sha256(FORMS[content["version"]](content))
    return {**content, "hash": known, "signature": signing_key.sign(verify_receipt.signed_bytes(known))}


def _content(request: Request) -> dict[str, Any]:
    names = names_of(request.people)
    return {
        "kind": verify_receipt.KIND,
        "version": verify_receipt.LATEST,
        "made_at": moment(now()),
        "key_id": signing_key.key_id(),
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
