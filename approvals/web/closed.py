"""Why a link opens nothing any more, in words that name who decided, and when."""

from __future__ import annotations

from datetime import datetime

from approvals.badges import in_words
from approvals.core.approval.state import State
from approvals.core.enums import Choice, Status
from approvals.models import Link, Request, Vote
from approvals.policies.local_times import time_in
from approvals.queries.requests import name_in, plan_of_request, state_of
from approvals.requests.state.lock import state_once_due


def shut(link: Link, at: datetime) -> str:
    """Why the link opens nothing; '' while it does, or while the request's own deadline decides that."""
    request, state = link.request, state_of(link.request)
    own = request.votes.filter(round=link.round, person=link.person).last()
    if link.used_at or own is not None:
        by = f"{own.name} {in_words(own.choice)}" if own else "the earlier decision no longer counts"
        said = f"This link was used at {_time(request, link.used_at)}: {by}." if link.used_at else f"{by} already."
        return f"{said} {outcome(request, state)}"
    if state.status.is_end or state.status is Status.CHANGES_REQUESTED:
        return outcome(request, state)
    if (link.round, link.stage) != (state.round, state.stage):
        return f"{_passed(link, state)} A newer link was sent if you are still asked. {outcome(request, state)}"
    if state.seat_of(link.person) is None:
        return f"You are no longer among those who decide. {outcome(request, state)}"
    if link.expires_at <= at and not late(request, at):
        ask = f"ask {request.requester} to have you reminded, and the reminder brings a new one"
        return f"This link was good until {_time(request, link.expires_at)}. If you still want to decide, {ask}."
    return ""


def late(request: Request, at: datetime) -> str:
    """The time for the request is over, although its timer has not fired yet."""
    plan, state = plan_of_request(request), state_of(request)
    ended = state_once_due(plan, state, at)
    if not ended.status.is_end:
        return ""
    if ended.status is Status.APPROVED:  # by silence, or because there was no objection
        return f"It is approved: {ended.last_words or 'nobody has objected in time'}."
    return f"Nobody decided in time: it was over at {_time(request, request.expires_at)}."


def outcome(request: Request, state: State) -> str:
    """How it stands: who decided, and when."""
    by = f" by {request.decided_by}" if request.decided_by else ""
    since = _time(request, request.decided_at)
    match state.status:
        case Status.EXPIRED:
            return f"Nobody decided in time: the request is expired, since {since}."
        case Status.COOLING_OFF:
            return f"The request is approved{by}, since {since}, and holds from {_time(request, state.settles_at)}."
        case Status.CHANGES_REQUESTED:
            said = request.votes.filter(round=state.round, choice=Choice.REQUEST_CHANGES).last()
            return f"{_said(said)} Waiting for {request.requester}." if said else f"Waiting for {request.requester}."
        case Status.PENDING:
            asked = sorted(name_in(request, one) for one in state.awaited)
            return f"It is not decided yet; asked are {', '.join(asked)}."
        case Status.RESCUE:
            return f"It is not decided yet, and needs an administrator: {request.words}."
        case _:
            return f"The request is {state.status} already{by}, since {since}."


def _passed(link: Link, state: State) -> str:
    """What closed the stage or round that it was for."""
    request, plan = link.request, plan_of_request(link.request)
    what = "round" if link.round != state.round else "stage"
    last = request.votes.filter(round=link.round, stage=plan.stages[link.stage].name).last()
    by = (
        _said(last)
        if last
        else f"Nobody decided there; the {what} that is open began at {_time(request, state.opened_at)}."
    )
    return f"This link belongs to an earlier {what}. {by}"


def _said(vote: Vote) -> str:
    return f"{vote.name} {in_words(vote.choice)} at {_time(vote.request, vote.at)}."


def _time(request: Request, at: datetime | None) -> str:
    return time_in(request, at) if at else "a time unknown"
