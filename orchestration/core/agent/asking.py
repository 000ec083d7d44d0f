"""What people are asked about an attempt of an agent, and what their words mean to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from pydantic import JsonValue

from orchestration.core.agent.session import Answer, Option, Question
from orchestration.core.agent.verdict import Asked
from orchestration.core.inquiry import InquiryField, Reply, ReplyStatus

ANSWER, BUDGET = "answer", "budget"
"""Names of the fields of the forms."""
MOST_CHOICES, LONGEST_CHOICE = 50, 75
"""As forms of requests have them (approvals/core/policy/form.py)."""
SILENCE = "Nobody answered in time. Use your own judgement."

STAGES: Mapping[Asked, str] = {
    Asked.PERMISSION: "agent-permission",
    Asked.QUESTION: "agent-question",
    Asked.BUDGET: "over-budget",
    Asked.TASK_FAILED: "task-failed",
}
"""The stage of each request. A policy published under this name says who decides."""


class Choice(StrEnum):
    """What people decide about a task that failed, or that has spent its budget."""

    AGAIN = "again"
    ANOTHER = "another endpoint"
    RAISE = "go on"
    DROP = "drop the task"
    END = "end"


FAILED_CHOICES = (Choice.AGAIN, Choice.ANOTHER, Choice.DROP, Choice.END)
BUDGET_CHOICES = (Choice.RAISE, Choice.DROP, Choice.END)


def labels(options: Sequence[Option]) -> dict[str, Option]:
    """The options by the words that people choose, each of its own and short enough for a list."""
    found: dict[str, Option] = {}
    for one in options[:MOST_CHOICES]:
        words = " ".join((one.label or one.id).split())[: LONGEST_CHOICE - 5] or one.id[: LONGEST_CHOICE - 5]
        name, number = words, 1
        while name in found:
            number += 1
            name = f"{words} ({number})"
        found[name] = one
    return found


def fields_for(asked: Asked, question: Question | None) -> tuple[InquiryField, ...]:
    """The form of the request."""
    if asked is Asked.TASK_FAILED:
        return (InquiryField(name=ANSWER, label="What now?", kind="choice", choices=FAILED_CHOICES),)
    if asked is Asked.BUDGET:
        raised = InquiryField(name=BUDGET, label="What all its attempts may cost", kind="number", required=False)
        return (InquiryField(name=ANSWER, label="What now?", kind="choice", choices=BUDGET_CHOICES), raised)
    if question is None:
        return (InquiryField(name=ANSWER, label="What is it to do?"),)
    offered = labels(question.options)
    if question.kind == "permission":
        allowing = tuple(name for name, one in offered.items() if one.allows)
        one_way = len(allowing) <= 1
        if not allowing:
            return (InquiryField(name=ANSWER, label="What it is told", required=False),)
        return (
            InquiryField(name=ANSWER, label="What is allowed", kind="choice", choices=allowing, required=not one_way),
        )
    if offered:
        return (InquiryField(name=ANSWER, label="Your answer", kind="choice", choices=tuple(offered)),)
    return (InquiryField(name=ANSWER, label="Your answer"),)


def answer_to(question: Question, reply: Reply) -> Answer | None:
    """What the agent is told by a reply; None while there is none that it could be told."""
    if reply.status not in (ReplyStatus.ANSWERED, ReplyStatus.REFUSED):
        return None
    yes = reply.status is ReplyStatus.ANSWERED
    offered, said = labels(question.options), reply.text(ANSWER)
    if question.kind == "permission":
        chosen = offered.get(said) if yes and said in offered and offered[said].allows else None
        chosen = chosen or _of_kind(question.options, allows=yes)
        return Answer(option=chosen.id if chosen else "", text=reply.comment)
    if not yes:
        return Answer()
    if offered:
        return Answer(option=offered[said].id, text=said) if said in offered else Answer()
    return Answer(text=said or SILENCE)


def _of_kind(options: Sequence[Option], *, allows: bool) -> Option | None:
    """The least that says so: once, rather than for good."""
    fitting = [one for one in options if one.allows is allows]
    return min(fitting, key=lambda one: one.for_good, default=None)


def told(asked: Asked, question: Question | None, reply: Reply) -> str:
    """What a session that goes on is told first."""
    words = reply.comment.strip()
    if asked is Asked.BUDGET:
        return "Go on with the task: you may take more rounds." + (f" {words}" if words else "")
    if reply.status is ReplyStatus.REFUSED:
        what = f"you may not: {question.text}" if question and question.kind == "permission" else "no answer to that"
        return f"No, {what}" + (f"\nWhat people said: {words}" if words else "") + "\nGo on without it, or say why not."
    said = reply.text(ANSWER)
    if question is not None and question.kind == "permission":
        return f"You may: {question.text}" + (f"\nWhat people said: {words}" if words else "") + "\nGo on."
    return (said or words or SILENCE) + (f"\n{words}" if said and words else "")


def choice_of(asked: Asked, reply: Reply) -> Choice:
    """What is to become of the task. A no ends it; a yes without a word goes on as before."""
    if reply.status is not ReplyStatus.ANSWERED:
        return Choice.END
    said = reply.text(ANSWER)
    usual = Choice.RAISE if asked is Asked.BUDGET else Choice.AGAIN
    return Choice(said) if said in set(Choice) else usual


def raised_to(reply: Reply, budget: Decimal) -> Decimal:
    """The budget from now on: the number that was given, where it is more; else as much again."""
    given: JsonValue = reply.answers.get(BUDGET)
    try:
        amount = Decimal(str(given)) if given is not None else budget * 2
    except InvalidOperation:
        amount = budget * 2
    return max(amount, budget) if amount.is_finite() else budget * 2


def question_from(stored: Mapping[str, JsonValue]) -> Question:
    """The question as the row of its attempt has it."""
    options = stored.get("options")
    return Question(
        id=str(stored.get("digest") or ""),
        kind="permission" if stored.get("kind") == "permission" else "question",
        text=str(stored.get("text") or ""),
        tool=str(stored.get("tool") or ""),
        options=tuple(
            Option(
                id=str(one.get("id")), label=str(one.get("label") or ""),
                allows=None if one.get("allows") is None else bool(one["allows"]),
                for_good=bool(one.get("for_good")),
            )
            for one in (options if isinstance(options, list) else ())
            if isinstance(one, dict)
        ),
    )  # fmt: skip
