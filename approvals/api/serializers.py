"""Shapes of approvals: what comes in is checked here, what goes out is described here."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from approvals.core.enums import Choice, Status
from approvals.requests.acts import KINDS
from orchestration.api.fields import Anything, Mapping, Number, Text
from orchestration.api.forms import WORKFLOW_ID, Form

STATUSES = [status.value for status in Status]
LONGEST_TEXT = 10_000


class AskIn(Form):
    stage = Text(max_length=100)
    description = Text(required=False, allow_blank=True, max_length=20_000)
    title = Text(required=False, allow_blank=True, max_length=300)
    context = Mapping(required=False)  # type: ignore[assignment]
    about = Text(required=False, allow_blank=True, max_length=200)
    policy = Text(required=False, allow_blank=True, max_length=100)
    approvers = s.ListField(child=Text(max_length=300), required=False, max_length=100)
    how_many = Anything(required=False)
    editable = s.ListField(child=Text(max_length=300), required=False, max_length=50)
    timeout_seconds = Number(required=False, min_value=0.001, max_value=366 * 86_400)
    callback_url = Text(required=False, allow_blank=True, max_length=2000)
    author = Text(required=False, allow_blank=True, max_length=150)
    agent_owner = Text(required=False, allow_blank=True, max_length=150)
    request_id = Text(required=False, max_length=200, validators=[WORKFLOW_ID])
    engine = s.ChoiceField(required=False, choices=["auto", "temporal", "celery"])


class DecideIn(Form):
    decision = s.ChoiceField(choices=[choice.value for choice in Choice])
    comment = Text(required=False, allow_blank=True, max_length=LONGEST_TEXT)
    edits = Mapping(required=False)
    answers = Mapping(required=False)
    seen = Text(
        required=False,
        max_length=64,
        help_text="content_hash as shown; a yes needs it",
    )


class NoteIn(Form):
    note = Text(required=False, allow_blank=True, max_length=LONGEST_TEXT)


class ResubmitIn(NoteIn):
    description = Text(required=False, allow_blank=True, max_length=20_000)
    context = Mapping(required=False)  # type: ignore[assignment]


class ReassignIn(NoteIn):
    to = Text(max_length=150)
    person = Text(required=False, allow_blank=True, max_length=150)


class NamePeopleIn(NoteIn):
    users = s.ListField(child=Text(max_length=150), min_length=1, max_length=100)


class RemarkIn(Form):
    kind = s.ChoiceField(choices=list(KINDS))
    text = Text(max_length=LONGEST_TEXT)


class DelegationIn(Form):
    to = Text(max_length=150)
    owner = Text(required=False, allow_blank=True, max_length=150)
    starts_at = s.DateTimeField()
    ends_at = s.DateTimeField()
    policies = s.ListField(child=Text(max_length=100), required=False, max_length=100)
    reason = Text(required=False, allow_blank=True, max_length=300)


class DelegationOut(s.Serializer[Any]):
    id = s.IntegerField()
    owner = s.CharField()
    to = s.CharField()
    starts_at = s.DateTimeField()
    ends_at = s.DateTimeField()
    ended_at = s.DateTimeField(allow_null=True)
    policies = s.ListField(child=s.CharField())
    reason = s.CharField(allow_blank=True)


class RequestRow(s.Serializer[Any]):
    request_id = s.CharField()
    status = s.ChoiceField(choices=STATUSES)
    title = s.CharField()
    stage = s.CharField()
    about = s.CharField(allow_null=True)
    requester = s.CharField()
    policy = s.CharField()
    created_at = s.DateTimeField()
    expires_at = s.DateTimeField(allow_null=True)
    decided_at = s.DateTimeField(allow_null=True)
    decided_by = s.CharField(allow_null=True)


class VoteOut(s.Serializer[Any]):
    name = s.CharField()
    person = s.CharField()
    on_behalf_of = s.CharField(allow_null=True)
    decision = s.ChoiceField(choices=[choice.value for choice in Choice])
    comment = s.CharField(allow_blank=True)
    edits = Mapping()
    answers = Mapping()
    stage = s.CharField()
    round = s.IntegerField()
    door = s.CharField()
    strength = s.CharField(allow_blank=True)
    content_hash = s.CharField()
    at = s.DateTimeField()


class StageOut(s.Serializer[Any]):
    name = s.CharField()
    state = s.CharField(help_text="passed, open, not reached, ended")
    people = s.ListField(child=s.CharField())
    how_many = s.CharField()
    at_the_end = s.CharField()


class RemarkOut(s.Serializer[Any]):
    kind = s.CharField()
    name = s.CharField()
    text = s.CharField()
    at = s.DateTimeField()


class NotReachedOut(s.Serializer[Any]):
    name = s.CharField()
    why = s.CharField(allow_blank=True)


class ToldOut(s.Serializer[Any]):
    name = s.CharField()
    stage = s.CharField()
    at = s.DateTimeField()


class ProposedActOut(s.Serializer[Any]):
    verb = s.CharField()
    workflow_id = s.CharField()
    step_id = s.CharField(allow_blank=True)
    answer = s.CharField(allow_blank=True)
    state = s.CharField(help_text="proposed, under way, done, not done")
    why = s.CharField(allow_blank=True, help_text="why it is not done")


class RequestOut(RequestRow):
    kind = s.CharField()
    engine = s.CharField()
    words = s.CharField(allow_blank=True)
    round = s.IntegerField()
    step_id = s.CharField(allow_null=True)
    content = Mapping()
    content_hash = s.CharField()
    changes = s.CharField(allow_blank=True, help_text="a unified diff to the round before")
    facts = Mapping()
    edits = Mapping()
    editable = s.ListField(child=s.CharField())
    form = s.ListField(child=Mapping(), help_text="what the open stage asks of whoever decides")
    stages = StageOut(many=True)
    waiting_for = s.ListField(child=s.CharField())
    not_reached = NotReachedOut(
        many=True, help_text="of those who are waited for: no message has arrived, or will in time"
    )
    told = ToldOut(
        many=True, help_text="where silence is a yes: who was reached about it in this round, and when first"
    )
    passed_by_silence = s.ListField(child=s.CharField(), help_text="the stages of this round that nobody decided")
    missing = s.IntegerField(help_text="approvals that the open stage still lacks")
    votes = VoteOut(many=True)
    remarks = RemarkOut(many=True)
    next_at = s.DateTimeField(allow_null=True)
    zone = s.CharField(help_text="of its policy: the one that messages and pages show times in")
    spent_by = s.CharField(allow_null=True)
    spent_at = s.DateTimeField(allow_null=True)
    act = ProposedActOut(allow_null=True, help_text="what an agent proposes, which a yes does")
    delivered = s.BooleanField(help_text="whether the run that waits has been told")
    allowed_actions = s.ListField(
        child=s.CharField(),
        help_text="what the caller may do now: decisions by their words, other acts by the end of their paths",
    )
    callback_secret = s.CharField(required=False, help_text="of a new callback address, shown this once")


class RequestPage(s.Serializer[Any]):
    next = s.CharField(allow_null=True)
    previous = s.CharField(allow_null=True)
    results = RequestRow(many=True)


class PolicyRow(s.Serializer[Any]):
    policy = s.CharField()
    version = s.IntegerField()
    hash = s.CharField()
    published_by = s.CharField()
    published_at = s.DateTimeField()


class PolicyOut(PolicyRow):
    body = Mapping()


class PolicyPublished(PolicyOut):
    warnings = s.ListField(child=s.CharField(), help_text="what is valid and will hardly be meant")


class PolicyPage(s.Serializer[Any]):
    next = s.CharField(allow_null=True)
    previous = s.CharField(allow_null=True)
    results = PolicyRow(many=True)


class DelegationList(s.Serializer[Any]):
    results = DelegationOut(many=True)
