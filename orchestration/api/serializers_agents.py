"""Endpoints of agents: what comes in, and what goes out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from orchestration.agents.endpoints.given import LONGEST, MOST_ARGS, MOST_ENV
from orchestration.agents.process.allow_list import LONGEST_HOST, MOST_HOSTS
from orchestration.api.fields import Mapping, Number, Text
from orchestration.api.forms import Form
from orchestration.core.agent.agent_type import AgentType
from orchestration.models import AgentEndpoint


class Whole(s.IntegerField):
    """A whole number and nothing that could be turned into one."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise s.ValidationError("Not a whole number.")
        return int(super().to_internal_value(data))


class AgentIn(Form):
    name = Text(max_length=100)
    agent_type = Text(max_length=100, help_text=f"in any case: {', '.join(AgentType)}")
    driver = Text(max_length=100, help_text=", ".join(AgentEndpoint.DRIVERS))
    command = Text(required=False, allow_blank=True, max_length=1000)
    args = s.ListField(child=Text(max_length=LONGEST, trim_whitespace=False), required=False, max_length=MOST_ARGS)
    url = Text(required=False, allow_blank=True, max_length=1000)
    env = s.DictField(
        child=Text(max_length=LONGEST, allow_blank=True, trim_whitespace=False), required=False,
        help_text=f"at most {MOST_ENV} variables; a credential as {{secret:NAME}}",
    )  # fmt: skip
    model = Text(required=False, allow_blank=True, max_length=200)
    concurrency = Whole(required=False, min_value=1, max_value=100)
    prices = Mapping(required=False, help_text="of a million tokens: input, output and cached, as texts or numbers")
    sandbox = Text(required=False, max_length=12, help_text=", ".join(AgentEndpoint.SANDBOXES))
    network = Text(required=False, max_length=8, help_text=", ".join(AgentEndpoint.NETWORKS))
    hosts = s.ListField(
        child=Text(max_length=LONGEST_HOST), required=False, max_length=MOST_HOSTS,
        help_text="with network hosts: host, host:port or *.domain[:port]; without a port 443 and 80",
    )  # fmt: skip
    writable = s.ListField(child=Text(max_length=LONGEST), required=False, max_length=MOST_ARGS)
    stall_seconds = Number(required=False, allow_null=True, min_value=1, max_value=86_400)


class AgentOut(s.Serializer[Any]):
    name = s.CharField()
    agent_type = s.CharField()
    driver = s.CharField()
    command = s.CharField()
    args = s.ListField(child=s.CharField())
    url = s.CharField()
    env = s.DictField(child=s.CharField())
    model = s.CharField()
    concurrency = s.IntegerField()
    prices = s.DictField(child=s.CharField())
    sandbox = s.CharField()
    network = s.CharField()
    hosts = s.ListField(child=s.CharField())
    writable = s.ListField(child=s.CharField())
    stall_seconds = s.FloatField(allow_null=True)
    enabled = s.BooleanField()
    active = s.IntegerField(help_text="sessions that it has now")
    health = s.ChoiceField(choices=AgentEndpoint.HEALTH)
    health_error = s.CharField()
    health_at = s.DateTimeField(allow_null=True)
    version = s.CharField()
    out_since = s.DateTimeField(allow_null=True, help_text="it waits for a person, such as to sign in")
    circuit = s.ChoiceField(choices=["closed", "open", "half_open"])
    failures = s.IntegerField(help_text="attempts in a row that its program broke")
    open_until = s.DateTimeField(allow_null=True)
    not_before = s.DateTimeField(allow_null=True, help_text="its provider's limit is reached until then")
    created_at = s.DateTimeField()
    created_by = s.CharField()


class AgentChecked(AgentOut):
    installed = s.BooleanField()
    signed_in = s.BooleanField(allow_null=True, help_text="null: not known before a session")
    usable = s.BooleanField(help_text="a session may begin")
