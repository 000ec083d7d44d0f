"""What a message about a request says, and its buttons."""

from __future__ import annotations

from collections.abc import Iterator

from approvals.core.approval.plan import PLAN
from approvals.core.approval.state import State
from approvals.core.approval.timers import SAYS_YES, silence_is_yes
from approvals.core.content import shows
from approvals.core.enums import Choice, Telling
from approvals.core.policy.definition import PolicyDefinition
from approvals.models import Request
from approvals.policies.local_times import time_in
from approvals.requests.messages.links import page_of
from foundation.templatetags.zen import visible
from foundation.visible_text import clean
from notifications.channels.mrkdwn import escape, mrkdwn
from notifications.message import Button, Message

MOST_TOLD = 20

ON_ITS_PAGE = "This is not all that is asked: a yes is given on its page."

HEADS = {
    Telling.ASKED: "Approval needed",
    Telling.REMINDER: "Reminder: approval needed",
    Telling.ESCALATED: "Escalated: approval needed",
    Telling.CHANGES_REQUESTED: "Changes requested",
    Telling.RESCUE: "An approval needs an administrator",
}


def message_of(request: Request, state: State, why: Telling, buttons: tuple[Button, ...] = ()) -> Message:
    """The message that tells of the request as it is now. `buttons`: as of `buttons_for`."""
    head = HEADS.get(why) or f"{request.status.replace('_', ' ').capitalize()}"
    text = _text(request, state)
    if buttons and not tells_all(request):
        text = f"{text}\n{ON_ITS_PAGE}"
    return Message(title=f"{head}: {request.title}"[:300], text=text, url=page_of(request), buttons=buttons)


def _text(request: Request, state: State) -> str:
    """No more than what is asked: the context stays on the page, behind the login."""
    lines = [str(request.content.get("description") or request.title)[:LONGEST_EXTRACT], ""]
    about = f" for `{request.about}`" if request.about else ""
    lines.append(f"Asked by {request.requester}{about}, stage *{request.stage}*.")
    if request.edits:
        lines.append("An earlier approver has edited it: see its page.")
    if request.status not in ("pending", "rescue"):
        by = f" by {request.decided_by}" if request.decided_by else ""
        lines.append(f"It is **{request.status.replace('_', ' ')}**{by}.")
        lines += _silence(request, state)
    elif request.expires_at:
        silence = f" {SAYS_YES}" if silence_is_yes(PLAN.validate_python(request.plan), state) else ""
        lines.append(f"Until {time_in(request, request.expires_at)}.{silence}")
    return "\n".join(lines)


def _silence(request: Request, state: State) -> Iterator[str]:
    """Whose silence it was: who was told of each stage that nobody decided, and when."""
    stages = PolicyDefinition.model_validate(request.policy.body).stages if state.silent else ()
    for number in state.silent:
        told = [one for one in state.heard if one.stage == number]
        names = [
            f"{request.people.get(one.person, {}).get('name', one.person)} ({time_in(request, one.at)})"
            for one in told[:MOST_TOLD]
        ]
        more = f" and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
        yield f"Stage *{stages[number].name}* passed by silence. Told of it: {', '.join(names) or 'nobody else'}{more}."


def buttons_for(request: Request) -> tuple[Button, ...]:
    """For Slack. The person who presses one is looked up and judged; the value only says what is meant.

    None for an approval where the message does not show all that it would be to.
    """
    yes = Button(label="Approve", value=button_of(request, Choice.APPROVE), style="primary")
    no = Button(label="Reject", value=button_of(request, Choice.REJECT), style="danger")
    return (yes, no) if tells_all(request) else (no,)


def button_of(request: Request, word: str) -> str:
    """The value of a button: the request, its round, the hash of what was shown, and the decision."""
    return f"{request.request_id}|{request.round}|{request.shown_hash[:16]}|{word}"


LONGEST_EXTRACT = 1500
LONGEST_TITLE = 250
"""What is left of a message's title behind the words that say what it is about."""


def tells_all(request: Request) -> bool:
    """Whether a yes may be given in Slack at once; otherwise it is given on the request's page."""
    content = request.content
    if content.get("context") or content.get("action") or request.edits:
        return False
    title, description = str(content.get("title", "")), str(content.get("description", ""))
    if len(escape(title)) > LONGEST_TITLE or len(description) > LONGEST_EXTRACT:
        return False
    told = mrkdwn(clean(description), LONGEST_EXTRACT)
    return shows(visible(title), clean(title)) and shows(visible(description), told)
