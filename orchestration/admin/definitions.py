from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display  # type: ignore[import-untyped]

from foundation.admin.base import PageAdmin
from foundation.errors import BadInput
from foundation.identity import permissions
from foundation.identity.authentication import actor_of
from foundation.templatetags.zen import clip
from orchestration.admin.forms import PublishForm
from orchestration.admin.graph import graph
from orchestration.core.definition import SagaDefinition
from orchestration.core.saga.compile import compile_plan
from orchestration.ledger.plan_cache import plan_for
from orchestration.models import Definition
from orchestration.runs import check_definition, failure_matrix, publish
from orchestration.runs.definitions import warnings_now
from orchestration.runs.documents import load_text

LATEST_RUNS = 20


@admin.register(Definition)
class DefinitionAdmin(PageAdmin):
    page_template = "orchestration/admin/definition.html"
    list_display = ["title", "version", "short_name", "published_by", "published_at"]
    list_display_links = ["title", "version"]
    search_fields = ["saga_id", "name", "hash"]
    search_help_text = "saga, name or hash"

    @display(description="saga", ordering="saga_id")  # type: ignore[untyped-decorator]
    def title(self, definition: Definition) -> str:
        return definition.saga_id

    @display(description="name", ordering="name")  # type: ignore[untyped-decorator]
    def short_name(self, definition: Definition) -> str:
        return clip(definition.name, 80)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return permissions.may(actor_of(request.user, door="admin"), "definition.publish")

    def page(self, definition: Definition, request: HttpRequest) -> dict[str, Any]:
        return {
            "definition": definition,
            "warnings": definition.warnings,
            "matrix": failure_matrix.stored_matrix(definition.pk),
            "graph": graph(plan_for(definition.pk, {})),
            "body": json.dumps(definition.body, indent=2, ensure_ascii=False),
            "runs": definition.runs.all()[:LATEST_RUNS],
        }

    def new_page(self, request: HttpRequest) -> HttpResponse:
        """Check shows what publishing shows, and stores nothing."""
        form = PublishForm(request.POST if request.method == "POST" else None)
        context = {**self.page_context(request, "Publish a definition"), "form": form}
        if form.is_valid():
            try:
                data = load_text(form.cleaned_data["text"])
                if "publish" in request.POST:
                    return self._published(request, data)
                context |= _foreseen(check_definition(data))
            except BadInput as error:
                context["fault"] = error
        return TemplateResponse(request, "orchestration/admin/publish.html", context)

    def _published(self, request: HttpRequest, data: object) -> HttpResponse:
        stored, new = publish(data=data, actor=actor_of(request.user, door="admin"))
        messages.success(request, f"{stored} {'is published' if new else 'is there already, with the same content'}")
        return HttpResponseRedirect(reverse("admin:orchestration_definition_change", args=[stored.pk]))


def _foreseen(definition: SagaDefinition) -> dict[str, Any]:
    return {
        "checked": definition,
        "warnings": warnings_now(definition),
        "matrix": failure_matrix.matrix_of(definition),
        "graph": graph(compile_plan(definition)),
    }
