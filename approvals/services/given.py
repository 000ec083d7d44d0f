"""What comes with a decision besides the word: comment, what was seen, edits. Refused as `decide` refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from approvals.content import edited
from approvals.core.policy import Stage
from approvals.core.quorum import first_yes
from approvals.core.words import Choice
from approvals.folding import Held
from approvals.services.renew import open_to_all
from orchestration.audit_chain.canonical import settled
from orchestration.core.definition import DefinitionErrors
from orchestration.core.definition.shape import plain_json
from orchestration.errors import BadInput, WrongState

LONGEST_COMMENT = 10_000


def check_comment(stage: Stage, word: Choice, comment: str) -> None:
    if word in stage.must_comment_on and not comment.strip():
        raise BadInput(f"{word} needs a comment here", field="comment", remedy="say why, in a sentence")
    if len(comment) > LONGEST_COMMENT:
        raise BadInput("the comment is too long", field="comment", remedy=f"at most {LONGEST_COMMENT} characters")


def check_seen(held: Held, word: Choice, seen: str) -> None:
    """A yes is to what was shown, with what others have changed in it: at every door, in every round."""
    if seen and seen != held.request.shown_hash:
        raise WrongState("what is asked has changed since it was shown", field="seen", remedy="look at it again")
    if not seen and word is Choice.APPROVE:
        raise BadInput(
            "a yes has to say what it is to", field="seen",
            remedy=f"read the request (GET approvals/{held.request}/), and give its content_hash as seen",
        )  # fmt: skip


def change_by(held: Held, stage: Stage, word: Choice, edits: Mapping[str, Any]) -> dict[str, Any]:
    """What this yes changes. Nobody's yes is made one to something else: who has said it did not see this."""
    if not edits:
        return {}
    if word is not Choice.APPROVE:
        raise BadInput("only a yes can come with edits", field="edits", remedy="approve, or leave them out")
    try:
        change: dict[str, Any] = settled(plain_json(dict(edits)))
    except DefinitionErrors as errors:
        first = errors.problems[0]
        raise BadInput(f"an edit {first.message}", field="edits", remedy=first.remedy) from None
    open_to_all(change, "edits")
    edited(held.request.content, change, stage.editable)
    before = first_yes(held.state)
    if before or change.keys() & held.request.edits.keys():
        whose = held.request.people[before.person]["name"] if before else "somebody in an earlier stage"
        raise WrongState(
            f"{whose} has approved it as it is now, and your edit would change that", field="edits",
            remedy="approve it without edits, or ask for changes",
        )  # fmt: skip
    return change
