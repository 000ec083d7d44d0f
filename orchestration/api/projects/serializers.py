"""What comes in and goes out of the doors of projects, described for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from orchestration.api.fields import Anything, Mapping, Spec, SpecConfig, Text
from orchestration.api.forms import WORKFLOW_ID, Form
from orchestration.api.serializers import RunOut


class ProjectIn(Form):
    project_spec = Spec()
    config = SpecConfig(required=False)
    workflow_id = Text(required=False, max_length=200, validators=[WORKFLOW_ID])
    engine = s.ChoiceField(required=False, choices=["auto", "temporal", "celery"])


class ProjectSpecIn(Form):
    project_spec = Spec()
    config = SpecConfig(required=False)


class GatePlace(s.Serializer[Any]):
    gate_id = s.CharField()
    name = s.CharField()
    side = s.CharField(help_text="`before` or `after`")
    at = s.CharField(help_text="a phase, or the id of a task")


class ProjectChecked(s.Serializer[Any]):
    valid = s.BooleanField(help_text="true: what is not valid is answered with 422")
    project_id = s.CharField()
    plan = Anything(help_text="the plan that it would have; null where an agent has yet to make it")
    gates = GatePlace(many=True, help_text="where each gate stands; those of `plan` are the ones within the build")
    warnings = s.ListField(child=s.CharField())


class ProjectTask(s.Serializer[Any]):
    task_id = s.CharField()
    title = s.CharField()
    agent_type = s.CharField()
    status = s.CharField()
    verdict = s.CharField(allow_null=True)
    attempts = s.IntegerField(help_text="how many sessions agents had at it")
    endpoint = s.CharField(allow_null=True)
    branch = s.CharField(allow_null=True)
    commit = s.CharField(allow_null=True)
    merged = s.CharField(allow_null=True)
    requirements = s.ListField(child=s.CharField())
    dependencies = s.ListField(child=s.CharField())
    error = s.CharField(allow_blank=True)


class Tokens(s.Serializer[Any]):
    input = s.IntegerField()
    output = s.IntegerField()
    cached = s.IntegerField()


class ProjectAttempt(s.Serializer[Any]):
    session = s.IntegerField(help_text="its number among the sessions at the task, from 1")
    attempt = s.IntegerField(help_text="counts the times that no endpoint was free, too")
    iteration = s.IntegerField()
    agent_type = s.CharField()
    endpoint = s.CharField()
    session_id = s.CharField(allow_null=True)
    verdict = s.CharField(allow_null=True)
    ended = s.CharField(allow_null=True, help_text="how its session ended; null while it goes on")
    error = s.CharField(allow_blank=True)
    turns = s.IntegerField()
    tokens = Tokens()
    cost = s.CharField(allow_null=True, help_text="a decimal; null where nothing tells it")
    branch = s.CharField(allow_null=True)
    base = s.CharField(allow_null=True)
    commit = s.CharField(allow_null=True)
    diff = Mapping(help_text="files_changed, added, removed, and the files: all, tests, config")
    checks = s.ListField(child=Mapping())
    tampering = s.ListField(child=s.CharField(), help_text="what was done to tests")
    evidence = s.DictField(child=s.CharField(), help_text="check → SHA-256 of what it printed")
    seconds = s.FloatField(allow_null=True, help_text="how long it took")
    started_at = s.DateTimeField()
    ended_at = s.DateTimeField(allow_null=True)


class ProjectTaskTried(ProjectTask):
    attempts = ProjectAttempt(many=True)  # type: ignore[assignment]


class ProjectRequirement(s.Serializer[Any]):
    id = s.CharField()
    text = s.CharField()
    tasks = s.ListField(child=s.CharField())
    status = s.CharField()


class ProjectCriterion(s.Serializer[Any]):
    id = s.CharField()
    text = s.CharField()
    check = s.CharField(allow_null=True)
    status = s.CharField()
    why = s.CharField(allow_blank=True)
    evidence = Mapping()


class ProjectGate(s.Serializer[Any]):
    gate_id = s.CharField()
    name = s.CharField()
    run = s.CharField(help_text="the run that asks: the project, or one below it")
    status = s.CharField()
    request_id = s.CharField(allow_null=True)
    approvers = s.ListField(child=s.CharField())
    decided_at = s.CharField(allow_null=True)
    error = s.CharField(allow_blank=True)


class ProjectCost(s.Serializer[Any]):
    spent = s.CharField(help_text="a decimal")
    budget = s.CharField(allow_null=True, help_text="a decimal; null: no limit")
    held = s.CharField(allow_null=True, help_text="what sessions at work have reserved")
    tokens = Tokens()
    unknown = s.IntegerField(help_text="attempts whose cost nothing tells")


class ProjectSpent(s.Serializer[Any]):
    name = s.CharField()
    attempts = s.IntegerField()
    spent = s.CharField()
    tokens = Tokens()


class ProjectOut(RunOut):
    project_id = s.CharField()
    name = s.CharField()
    phase = s.CharField()
    progress = s.DictField(child=s.IntegerField())
    cost = ProjectCost()
    forecast = s.DictField(child=s.FloatField(allow_null=True))
    tasks = ProjectTask(many=True)
    requirements = ProjectRequirement(many=True)
    criteria = ProjectCriterion(many=True)
    gates = ProjectGate(many=True)


class PlanOut(s.Serializer[Any]):
    workflow_id = s.CharField()
    planner = s.CharField()
    refused = s.ListField(child=s.CharField(), help_text="what was wrong with the plans that an agent proposed")
    made = s.BooleanField(help_text="false: as it would be made now")
    plan_hash = s.CharField(allow_null=True)
    coverage = s.DictField(child=s.ListField(child=s.CharField()))
    tasks = s.ListField(child=Mapping())
    gates = s.ListField(child=Mapping())


class EvidenceOut(s.Serializer[Any]):
    workflow_id = s.CharField()
    commit = s.CharField(allow_null=True)
    evidence_digest = s.CharField(allow_null=True)
    criteria = ProjectCriterion(many=True)
    checks = s.ListField(child=Mapping())
    tampering = s.ListField(child=s.CharField())
    pack = Anything(help_text="what is signed; null before the report")
    hash = s.CharField(allow_null=True)
    signature = s.CharField(allow_null=True)


class CostsOut(ProjectCost):
    workflow_id = s.CharField()
    tasks = ProjectSpent(many=True)
    endpoints = ProjectSpent(many=True)
