"""What goes out, described for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from orchestration.api.fields import Anything, Mapping
from orchestration.core.enums import Outcome, Purpose
from orchestration.core.saga.failure_matrix import MISHAPS
from orchestration.runs.run_log import LEVELS


class DefinitionOut(s.Serializer[Any]):
    saga_id = s.CharField()
    version = s.IntegerField()
    hash = s.CharField()
    name = s.CharField()
    warnings = s.ListField(child=s.CharField())
    published_by = s.CharField()
    published_at = s.DateTimeField()


class DefinitionFull(DefinitionOut):
    body = Mapping()


class Checked(s.Serializer[Any]):
    saga_id = s.CharField()
    steps = s.IntegerField()
    warnings = s.ListField(child=s.CharField())


class MatrixRow(s.Serializer[Any]):
    step_id = s.CharField()
    mishap = s.ChoiceField(choices=MISHAPS)
    status = s.CharField()
    undone = s.ListField(child=s.ListField(child=s.CharField()), help_text="in waves")
    stands = s.ListField(child=s.CharField(), help_text="executed, or possibly, and not undone")
    refused = s.BooleanField(help_text="the abort came too late")


class Matrix(s.Serializer[Any]):
    saga_id = s.CharField()
    rows = MatrixRow(many=True)
    left_out = s.ListField(
        child=s.CharField(), help_text="steps whose rows would have taken too long; `manage.py saga preview` has them"
    )


class RunRow(s.Serializer[Any]):
    workflow_id = s.CharField()
    kind = s.CharField()
    engine = s.CharField()
    status = s.CharField()
    cause = s.CharField(allow_null=True)
    started_at = s.DateTimeField(allow_null=True)
    finished_at = s.DateTimeField(allow_null=True)


class Compensation(s.Serializer[Any]):
    status = s.CharField()
    attempts = s.IntegerField()
    error = s.CharField(allow_blank=True)


class Iteration(s.Serializer[Any]):
    iteration = s.IntegerField()
    compensation = s.CharField()


class StepOut(s.Serializer[Any]):
    step_id = s.CharField()
    status = s.CharField()
    attempts = s.IntegerField()
    output = Anything()
    error = s.CharField(allow_blank=True)
    compensation = Compensation()
    allowed_actions = s.ListField(
        child=s.CharField(),
        required=False,
        help_text="the verbs that the caller may use on this step now; not told for runs of more than 500 steps",
    )
    possibly_repeated = s.IntegerField(
        required=False,
        help_text="how many workers took an attempt up, when one was lost: the call may have been made before",
    )
    earlier = Iteration(
        many=True, required=False, help_text="after a rerun: the iterations before it, and what became of their effects"
    )


class Archived(s.Serializer[Any]):
    at = s.DateTimeField()
    sha256 = s.CharField(help_text="of its record, a JSON line for each row that there was")
    file = s.CharField(allow_null=True, help_text="the record, below ZEN_ARCHIVE_DIR")
    left_out = s.ListField(child=s.CharField(), help_text="what was too large to be shown from here on")


class RunOut(RunRow):
    saga_id = s.CharField()
    definition_version = s.IntegerField()
    context = Mapping(help_text="its input, without secrets; what has a credential's name is masked")  # type: ignore[assignment]
    config = Mapping()
    hold_reason = s.CharField(allow_blank=True)
    warnings = s.ListField(child=s.CharField())
    result = s.DictField(child=Anything(), allow_null=True)
    error = s.CharField(allow_blank=True)
    created_at = s.DateTimeField()
    allowed_actions = s.ListField(
        child=s.CharField(), help_text="the verbs that the caller may use on the run now, without naming a step"
    )
    archived = Archived(
        allow_null=True, help_text="of a run that ended long ago: its events, attempts and log are gone"
    )
    steps = StepOut(many=True)


class EventOut(s.Serializer[Any]):
    seq = s.IntegerField()
    at = s.DateTimeField()
    kind = s.CharField()
    step_id = s.CharField(allow_null=True)
    data = Mapping()  # type: ignore[assignment]


class RunPage(s.Serializer[Any]):
    next = s.CharField(allow_null=True)
    previous = s.CharField(allow_null=True)
    results = RunRow(many=True)


class DefinitionPage(s.Serializer[Any]):
    next = s.CharField(allow_null=True)
    previous = s.CharField(allow_null=True)
    results = DefinitionOut(many=True)


class RequestShown(s.Serializer[Any]):
    method = s.CharField(required=False)
    url = s.CharField(required=False)
    headers = s.DictField(child=s.CharField(), required=False)
    handler = s.CharField(required=False)
    body = s.CharField(help_text="its beginning, 2,000 characters at most")


class AnswerShown(s.Serializer[Any]):
    status = s.IntegerField(required=False)
    seconds = s.FloatField(required=False)
    headers = s.DictField(child=s.CharField(), required=False)
    exit_code = s.IntegerField(required=False, allow_null=True)
    stderr = s.CharField(required=False)
    truncated = s.BooleanField(required=False)
    body = s.CharField(required=False, help_text="its beginning, 2,000 characters at most")


class AttemptOut(s.Serializer[Any]):
    number = s.IntegerField(help_text="rises with each attempt of the run")
    step_id = s.CharField()
    purpose = s.ChoiceField([one.value for one in Purpose])
    iteration = s.IntegerField()
    attempt = s.IntegerField()
    session = s.IntegerField(allow_null=True, help_text="of the agent that made the attempt: 1, 2 … for each step")
    outcome = s.ChoiceField([one.value for one in Outcome], allow_null=True)
    status = s.ChoiceField(["ready", "running", "done"])
    worker = s.CharField(allow_null=True)
    tries = s.IntegerField()
    started_at = s.DateTimeField(allow_null=True)
    ended_at = s.DateTimeField(allow_null=True)
    error = s.CharField(allow_blank=True)
    request = RequestShown(allow_null=True, help_text="what was asked, secrets as references")
    answer = AnswerShown(allow_null=True)


class AttemptPage(s.Serializer[Any]):
    next = s.CharField(allow_null=True)
    results = AttemptOut(many=True)


class EventPage(s.Serializer[Any]):
    next = s.CharField(allow_null=True)
    results = EventOut(many=True)


class LogEntry(s.Serializer[Any]):
    at = s.DateTimeField()
    seq = s.CharField(help_text="the cursor behind this entry")
    source = s.ChoiceField(["event", "attempt", "line", "audit"])  # type: ignore[assignment]
    level = s.ChoiceField([level.upper() for level in LEVELS])
    step_id = s.CharField(allow_null=True)
    attempt = s.IntegerField(allow_null=True)
    session = s.IntegerField(allow_null=True, help_text="of the agent that made the attempt: 1, 2 … for each step")
    worker = s.CharField(allow_null=True)
    message = s.CharField()
    data = Mapping()  # type: ignore[assignment]
    trace_id = s.CharField(allow_null=True)


class LogPage(s.Serializer[Any]):
    next = s.CharField(allow_null=True)
    results = LogEntry(many=True)


class Why(s.Serializer[Any]):
    workflow_id = s.CharField()
    status = s.CharField()
    lines = s.ListField(child=s.CharField())


class PreviewOut(s.Serializer[Any]):
    verb = s.CharField()
    workflow_id = s.CharField()
    refusal = s.CharField(allow_blank=True)
    lines = s.ListField(child=s.CharField())
    data = Mapping()  # type: ignore[assignment]
