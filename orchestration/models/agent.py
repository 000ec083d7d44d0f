"""Agents: where they can be reached, who has one now, and what each attempt with one came to."""

from __future__ import annotations

from django.db import models

from orchestration.core.agent.agent_type import AgentType
from orchestration.core.enums import Purpose
from orchestration.models.run import OF_A_RUN, Run, choices


class AgentEndpoint(models.Model):
    """One way to run an agent of a type: a program that workers start, or the address of one that runs already.

    `env`: {NAME: value}; credentials as `{secret:NAME}`. `prices`: {"input", "output", "cached"} as decimal texts, of a
    million tokens. `sandbox`, `network`, `hosts`, `writable`: of its sandbox (agents/base.py). `failures`: attempts in
    a row that its program broke; `open_until`: the circuit is open, no attempt begins before, and then one at a time
    until one succeeds. `not_before`: its provider's limit is reached until then. `out_since`: it needs a person, such
    as a sign-in, and gets no attempt until `agent check` finds it well.
    """

    UNKNOWN, HEALTHY, FAILING, OUT_OF_SERVICE = "unknown", "healthy", "failing", "out_of_service"
    HEALTH = (UNKNOWN, HEALTHY, FAILING, OUT_OF_SERVICE)
    DRIVERS = ("acp", "cli", "agentapi", "scripted")
    SANDBOXES, NETWORKS = ("if_possible", "required", "off"), ("host", "none", "hosts")

    name = models.CharField(max_length=100, unique=True)
    agent_type = models.CharField(max_length=12, choices=choices(AgentType))
    driver = models.CharField(max_length=12, choices=[(one, one) for one in DRIVERS])
    command = models.CharField(max_length=1000, blank=True, default="")
    args = models.JSONField(default=list, blank=True)
    url = models.CharField(max_length=1000, blank=True, default="")
    env = models.JSONField(default=dict, blank=True)
    model = models.CharField(max_length=200, blank=True, default="")
    concurrency = models.PositiveSmallIntegerField(default=1, help_text="sessions at once")
    prices = models.JSONField(default=dict, blank=True)
    sandbox = models.CharField(max_length=12, default="if_possible", choices=[(one, one) for one in SANDBOXES])
    network = models.CharField(max_length=8, default="host", choices=[(one, one) for one in NETWORKS])
    hosts = models.JSONField(default=list, db_default=[], blank=True, help_text="that it may reach: host[:port]")
    writable = models.JSONField(default=list, blank=True, help_text="folders that it may write to beside its worktree")
    stall_seconds = models.FloatField(null=True, blank=True, help_text="seconds without an event; as the site's")
    enabled = models.BooleanField(default=True)
    health = models.CharField(max_length=16, default=UNKNOWN, choices=[(one, one.replace("_", " ")) for one in HEALTH])
    health_error = models.TextField(blank=True, default="")
    health_at = models.DateTimeField(null=True, blank=True)
    version = models.CharField(max_length=200, blank=True, default="", help_text="of the agent, as it says")
    out_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    leased_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AgentLease(models.Model):
    """That an attempt has an endpoint, until `until` of the database's clock; whoever has it renews it.

    `claim`: the epoch of the attempt's claim. Whoever performs the same attempt under a later claim takes its lease.
    """

    endpoint = models.ForeignKey(AgentEndpoint, on_delete=models.CASCADE, related_name="leases")
    run = models.ForeignKey(Run, related_name="agent_leases", **OF_A_RUN)
    step_id = models.CharField(max_length=100)
    purpose = models.CharField(max_length=10, choices=choices(Purpose), default=Purpose.FORWARD)
    iteration = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField()
    claim = models.PositiveIntegerField()
    holder = models.CharField(max_length=200, blank=True, default="", help_text="host and process")
    taken_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "step_id", "purpose", "iteration", "attempt"], name="one_lease_per_attempt"
            )
        ]

    def __str__(self) -> str:
        return f"a session at work for {self.step_id}"


class AgentAttempts(models.QuerySet["AgentAttempt"]):
    """Sessions of agents."""

    def numbered(self) -> AgentAttempts:
        """Each with `session`: its number among the sessions of its step in its run, from 1.

        The number of its attempt is no such thing: that counts each time that no endpoint was free.
        """
        of_its_step = {name: models.OuterRef(name) for name in ("run", "step_id", "purpose")}
        up_to_it = AgentAttempt.objects.filter(**of_its_step, pk__lte=models.OuterRef("pk")).order_by().values("run")
        number: dict[str, models.Subquery] = {
            "session": models.Subquery(up_to_it.annotate(n=models.Count("pk")).values("n"))
        }
        return self.annotate(**number)


class AgentAttempt(models.Model):
    """One session of an agent, and how it was judged.

    `verdict`: of core/agent/verdict.py; '' while it goes on. `ended`: why the session ended. `cost`: in the site's
    money, None where neither the agent nor its endpoint's prices tell. `reserved`: what it holds of its project's
    budget until it has ended. `checks`: one {"command", "passed", "exit_code", "seconds", "digest", "output"} each.
    `evidence`: {name: SHA-256}. `question`: what it asked, and nobody answered. `transcript`: its events as JSON,
    bounded, without secrets; `left_out`: how many more there were. `session`: on rows that were `numbered`.
    """

    session: int

    run = models.ForeignKey(Run, related_name="agent_attempts", **OF_A_RUN)
    step_id = models.CharField(max_length=100)
    purpose = models.CharField(max_length=10, choices=choices(Purpose), default=Purpose.FORWARD)
    iteration = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField()
    claim = models.PositiveIntegerField()
    agent_type = models.CharField(max_length=12)
    endpoint = models.ForeignKey(AgentEndpoint, null=True, on_delete=models.SET_NULL, related_name="attempts")
    endpoint_name = models.CharField(max_length=100)
    session_id = models.CharField(max_length=200, blank=True, default="")
    verdict = models.CharField(max_length=16, blank=True, default="")
    ended = models.CharField(max_length=16, blank=True, default="")
    error = models.TextField(blank=True, default="")
    text = models.TextField(blank=True, default="", help_text="the last that it said")
    branch = models.CharField(max_length=300, blank=True, default="")
    base = models.CharField(max_length=64, blank=True, default="")
    commit = models.CharField(max_length=64, blank=True, default="")
    turns = models.PositiveIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cached_tokens = models.BigIntegerField(default=0)
    cost = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    reserved = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    diff = models.JSONField(default=dict, blank=True)
    checks = models.JSONField(default=list, blank=True)
    tampering = models.JSONField(default=list, blank=True)
    denied = models.JSONField(default=list, blank=True)
    facts = models.JSONField(default=list, blank=True, help_text="what the verdict rests on, a line each")
    question = models.JSONField(null=True, blank=True)
    evidence = models.JSONField(default=dict, blank=True)
    transcript = models.JSONField(default=list, blank=True)
    left_out = models.PositiveIntegerField(default=0)

    objects = AgentAttempts.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "step_id", "purpose", "iteration", "attempt", "claim"],
                name="one_row_per_agent_attempt",
            )
        ]

    def __str__(self) -> str:
        how = self.verdict.replace("_", " ") or ("ended" if self.ended_at else "at work")
        return f"{self.step_id} by {self.endpoint_name}: {how}"
