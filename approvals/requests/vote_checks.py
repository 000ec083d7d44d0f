"""Checks of what comes with a decision: the comment, what was seen, edits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from approvals.core.approval.quorum import first_yes
from approvals.core.content import edited
from approvals.core.enums import Choice
from approvals.core.policy.definition import Stage
from approvals.models import Request
from approvals.queries.impact_at_work import asked_at_work
from approvals.requests.amend import open_to_all
from approvals.requests.state.locked_request import REWORK, REWORKED, LockedRequest
from foundation.canonical_json import settled
from foundation.errors import BadInput, WrongState
from orchestration.core.definition import DefinitionErrors
from orchestration.core.definition.shape import plain_json
from orchestration.runs.external import too_early_for_rework

LONGEST_COMMENT = 10_000
MOST_REWORKS = 5
"""Rounds of changes at a gate that has a step done again."""


def is_out_of_place(request: Request, word: Choice) -> bool:
    """Whether this decision makes no sense here: what a step asks at work has no content that could be changed, and
    what was reworked MOST_REWORKS times is decided."""
    return word is Choice.REQUEST_CHANGES and (asked_at_work(request) or _is_worn_out(request))


def _is_worn_out(request: Request) -> bool:
    return REWORK in request.facts and request.facts.get(REWORKED, 0) + request.round > MOST_REWORKS


def check_place(request: Request, word: Choice, comment: str) -> None:
    """What cannot be asked for here, or not now.

    Raises:
        BadInput: a decision that is out of place, or changes that nobody could make.
        WrongState: what would be done again is followed by work that has not ended.
    """
    if word is not Choice.REQUEST_CHANGES:
        return
    if _is_worn_out(request):
        message = f"it was reworked {MOST_REWORKS} times already"
        raise BadInput(message, field="decision", remedy="approve it as it is, or reject it")
    if REWORK in request.facts and not comment.strip():
        message = f"step '{request.facts[REWORK]}' is done again with your words, and there are none"
        raise BadInput(message, field="comment", remedy="say what has to change")
    if is_out_of_place(request, word):
        message = "this is a question, so there is nothing that could be changed"
        raise BadInput(message, field="decision", remedy="approve with your answer, or reject and say why")
    if REWORK in request.facts and (why := too_early_for_rework(request.run, str(request.facts[REWORK]))):
        raise WrongState(
            f"it cannot be done again yet: {why}", field="decision", remedy="ask for it when that has ended"
        )


def check_comment(stage: Stage, word: Choice, comment: str) -> None:
    """Raises BadInput when a comment is missing or longer than LONGEST_COMMENT."""
    if word in stage.must_comment_on and not comment.strip():
        raise BadInput(f"{word} needs a comment here", field="comment", remedy="say why, in a sentence")
    if len(comment) > LONGEST_COMMENT:
        raise BadInput("the comment is too long", field="comment", remedy=f"at most {LONGEST_COMMENT} characters")


def check_seen(locked: LockedRequest, word: Choice, seen: str) -> None:
    """A yes is to what was shown, with the edits of others: at every door, in every round.

    Raises:
        WrongState: the content has changed since.
        BadInput: a yes without `seen`.
    """
    if seen and seen != locked.request.shown_hash:
        raise WrongState("what is asked has changed since it was shown", field="seen", remedy="look at it again")
    if not seen and word is Choice.APPROVE:
        raise BadInput(
            "an approval has to name the content it is for", field="seen",
            remedy=f"read the request (GET approvals/{locked.request}/), and give its content_hash as seen",
        )  # fmt: skip


def change_by(locked: LockedRequest, stage: Stage, word: Choice, edits: Mapping[str, Any]) -> dict[str, Any]:
    """The edits of this yes, checked. Nobody who has approved already is made to approve something else by them.

    Raises:
        BadInput: with another decision than approve, or what the policy does not let be edited.
        WrongState: another person has approved the content without these edits.
    """
    if not edits:
        return {}
    if word is not Choice.APPROVE:
        raise BadInput("edits are only possible with an approval", field="edits", remedy="approve, or leave them out")
    try:
        change: dict[str, Any] = settled(plain_json(dict(edits)))
    except DefinitionErrors as errors:
        first = errors.problems[0]
        raise BadInput(f"an edit {first.message}", field="edits", remedy=first.remedy) from None
    open_to_all(change, "edits")
    edited(locked.request.content, change, stage.editable)
    before = first_yes(locked.state)
    if before or change.keys() & locked.request.edits.keys():
        whose = locked.request.people[before.person]["name"] if before else "a person in an earlier stage"
        raise WrongState(
            f"{whose} has approved it as it is now, and your edit would change that", field="edits",
            remedy="approve it without edits, or ask for changes",
        )  # fmt: skip
    return change
