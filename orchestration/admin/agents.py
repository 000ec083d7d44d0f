from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display  # type: ignore[import-untyped]

from foundation.admin.base import ReadOnlyAdmin
from foundation.templatetags.zen import clip
from orchestration.models import AgentAttempt, AgentEndpoint
from orchestration.models.agent import AgentAttempts

HEALTH = {"healthy": "success", "failing": "warning", "out_of_service": "danger", "unknown": "info"}
VERDICTS = {
    "done": "success",
    "lied": "danger",
    "auth": "danger",
    "blocked": "info",
    "denied": "info",
    "": "info",
} | dict.fromkeys(("empty", "stalled", "crashed", "rate_limited", "over_budget"), "warning")


@admin.register(AgentEndpoint)
class AgentEndpointAdmin(ReadOnlyAdmin):
    """How endpoints are. They are set by `manage.py agent`, or over REST, each act with its row in the audit."""

    list_display = ["name", "agent_type", "driver", "enabled", "health_word", "sessions", "version", "short_error"]
    list_filter = ["agent_type", "driver", "enabled", "health"]
    search_fields = ["name", "model"]
    search_help_text = "name or model"
    fields = readonly_fields = [
        "name", "agent_type", "driver", "command", "args", "url", "env", "model", "concurrency", "prices", "sandbox",
        "network", "hosts", "writable", "stall_seconds", "enabled", "health", "health_error", "health_at", "version",
        "out_since", "failures", "open_until", "not_before", "created_at", "created_by",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("leases")

    @display(description="health", ordering="health", label=HEALTH)  # type: ignore[untyped-decorator]
    def health_word(self, row: AgentEndpoint) -> tuple[str, str]:
        return row.health, row.health.replace("_", " ")

    @display(description="sessions")  # type: ignore[untyped-decorator]
    def sessions(self, row: AgentEndpoint) -> str:
        return f"{len(row.leases.all())} of {row.concurrency}"

    @display(description="error")  # type: ignore[untyped-decorator]
    def short_error(self, row: AgentEndpoint) -> str:
        return clip(row.health_error, 100)


@admin.register(AgentAttempt)
class AgentAttemptAdmin(ReadOnlyAdmin):
    """Sessions of agents, and how each was judged."""

    list_display = [
        "started_at",
        "run",
        "step_id",
        "session",
        "endpoint_name",
        "agent_type",
        "verdict_word",
        "ended",
        "cost",
    ]
    ordering = ["-id"]
    list_filter = ["verdict", "agent_type"]
    search_fields = ["run__workflow_id", "step_id", "endpoint_name", "commit"]
    search_help_text = "workflow id, step, endpoint or commit"
    list_select_related = ["run"]
    fields = readonly_fields = [
        "run", "step_id", "purpose", "iteration", "session", "agent_type", "endpoint_name", "session_id", "verdict",
        "ended", "short_error", "branch", "base", "commit", "turns", "input_tokens", "output_tokens", "cached_tokens",
        "cost", "started_at", "ended_at", "facts", "checks", "diff", "tampering", "denied", "question", "said",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> AgentAttempts:
        return AgentAttempt.objects.numbered()

    @display(description="session")  # type: ignore[untyped-decorator]
    def session(self, row: AgentAttempt) -> int:
        return row.session

    @display(description="verdict", ordering="verdict", label=VERDICTS)  # type: ignore[untyped-decorator]
    def verdict_word(self, row: AgentAttempt) -> tuple[str, str]:
        return row.verdict, row.verdict.replace("_", " ") or "at work"

    @display(description="error")  # type: ignore[untyped-decorator]
    def short_error(self, row: AgentAttempt) -> str:
        return clip(row.error, 2000)

    @display(description="last message")  # type: ignore[untyped-decorator]
    def said(self, row: AgentAttempt) -> str:
        return clip(row.text, 4000)
