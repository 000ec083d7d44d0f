"""What comes in and goes out of the doors of projects, described for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from orchestration.api.fields import Anything, Mapping, Text
from orchestration.api.forms import WORKFLOW_ID, Form
from orchestration.api.serializers import RunOut


class ProjectIn(Form):
    project_spec = Mapping()
    config = Mapping(required=False)
    workflow_id = Text(required=False, max_length=200, validators=[WORKFLOW_ID])
    engine = s.ChoiceField(required=False, choices=["auto", "temporal", "celery"])


class ProjectSpecIn(Form):
    project_spec = Mapping()
    config = Mapping(required=False)


class ProjectChecked(s.Serializer[Any]):
    project_id = s.CharField()
    plan = Anything(help_text="the plan that it would have; null where an agent has yet to make it")
    warnings = s.ListField(child=s.CharField())


class Task(s.Serializer[Any]):
    task_id = s.CharField()
    title = s.CharField()
    agent_type = s.CharField()
    status = s.CharField()
    verdict = s.CharField(allow_null=True)
    attempts = Anything(help_text="how many; in the list of tasks each of them")
    endpoint = s.CharField(allow_null=True)
    branch = s.CharField(allow_null=True)
    commit = s.CharField(allow_null=True)
    merged = s.CharField(allow_null=True)
    requirements = s.ListField(child=s.CharField())
    dependencies = s.ListField(child=s.CharField())
    error = s.CharField(allow_blank=True)


class Requirement(s.Serializer[Any]):
    id = s.CharField()
    text = s.CharField()
    tasks = s.ListField(child=s.CharField())
    status = s.CharField()


class Criterion(s.Serializer[Any]):
    id = s.CharField()
    text = s.CharField()
    check = s.CharField(allow_null=True)
    status = s.CharField()
    why = s.CharField(allow_blank=True)
    evidence = Mapping()


class Gate(s.Serializer[Any]):
    gate_id = s.CharField()
    name = s.CharField()
    run = s.CharField(help_text="the run that asks: the project, or one below it")
    status = s.CharField()
    request_id = s.CharField(allow_null=True)
    approvers = s.ListField(child=s.CharField())
    decided_at = s.CharField(allow_null=True)
    error = s.CharField(allow_blank=True)


class ProjectOut(RunOut):
    project_id = s.CharField()
    name = s.CharField()
    phase = s.CharField()
    progress = s.DictField(child=s.IntegerField())
    cost = Mapping(help_text="spent and budget as decimal texts, tokens, attempts of unknown cost")
    forecast = s.DictField(child=s.FloatField(allow_null=True))
    tasks = Task(many=True)
    requirements = Requirement(many=True)
    criteria = Criterion(many=True)
    gates = Gate(many=True)


class PlanOut(s.Serializer[Any]):
    workflow_id = s.CharField()
    planner = s.CharField()
    made = s.BooleanField(help_text="false: as it would be made now")
    plan_hash = s.CharField(allow_null=True)
    coverage = s.DictField(child=s.ListField(child=s.CharField()))
    tasks = s.ListField(child=Mapping())
    gates = s.ListField(child=Mapping())


class EvidenceOut(s.Serializer[Any]):
    workflow_id = s.CharField()
    commit = s.CharField(allow_null=True)
    evidence_digest = s.CharField(allow_null=True)
    criteria = Criterion(many=True)
    checks = s.ListField(child=Mapping())
    tampering = s.ListField(child=s.CharField())
    pack = Anything(help_text="what is signed; null before the report")
    hash = s.CharField(allow_null=True)
    signature = s.CharField(allow_null=True)


class CostsOut(s.Serializer[Any]):
    workflow_id = s.CharField()
    spent = s.CharField()
    budget = s.CharField(allow_null=True)
    tokens = s.DictField(child=s.IntegerField())
    unknown = s.IntegerField()
    tasks = s.ListField(child=Mapping())
    endpoints = s.ListField(child=Mapping())
