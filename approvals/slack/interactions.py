"""What notifications ask of approvals about a press in Slack."""

from __future__ import annotations

from approvals.policies.principals import person_of
from approvals.requests import Evidence, decide
from approvals.slack import meaning
from foundation.errors import ZenError
from foundation.identity import permissions
from notifications.models import Press
from notifications.ports import Modal


class Interactions:
    """The setting ZEN_INTERACTION_HANDLER names the one there is (`notifications.ports.InteractionHandler`)."""

    def modal(self, press: Press) -> Modal | None:
        return meaning.modal_for(press)

    def problems(self, press: Press) -> dict[str, str]:
        return meaning.problems(press)

    def answer(self, press: Press) -> str:
        """Decide, and say how that went. Doing it twice is a double click, which `decide` knows."""
        found = meaning.meant(press)
        if isinstance(found, str):
            return found
        user, request = found.user, found.request
        actor = permissions.actor_for(user, door="slack")
        evidence = Evidence(strength="slack", detail={"team": press.team, "slack_user": press.slack_user})
        try:
            after = decide(
                request_id=request.request_id, actor=actor, person=person_of(user), choice=found.word,
                comment=press.comment, answers=press.answers, evidence=evidence, seen=request.shown_hash,
            )  # fmt: skip
        except ZenError as error:
            return f"{error.message[:1].upper()}{error.message[1:]}. {error.remedy}".strip()
        return f"Recorded: {found.word}. The request is {after.status.replace('_', ' ')}."


INTERACTIONS = Interactions()
