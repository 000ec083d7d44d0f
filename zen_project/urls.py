from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import include, path
from django.views import defaults
from django.views.generic import RedirectView

from foundation.api.errors import CONTENT_TYPE, problem
from monitoring.admin import overview
from monitoring.api.views_metrics import Metrics
from orchestration.admin import projects
from zen_project.web.readiness import readyz, startupz


def livez(request: HttpRequest) -> HttpResponse:
    """The process answers; whether its servers do is the doctor's question."""
    return HttpResponse("ok", content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours: a page for people, problem details for programs. Django has logged it."""
    if not _by_a_program(request):
        return defaults.server_error(request)
    return _told(request, 500, "this is an error of the server; its log has the details")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django refuses before any view sees it: a host that is not this site's, too many parameters."""
    if not _by_a_program(request):
        return defaults.bad_request(request, exception)
    detail = str(exception) if settings.DEBUG else "the request's host, address or parameters are not valid"
    return _told(request, 400, detail)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _by_a_program(request):
        return defaults.page_not_found(request, exception)
    return _told(request, 404, "there is no such address; GET /api/v1/schema/ lists the addresses")


def _by_a_program(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def _told(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    return JsonResponse(problem(status, detail, instance=request.path), status=status, content_type=CONTENT_TYPE)


handler400, handler404, handler500 = bad_request, not_found, server_error

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("startupz", startupz, name="startupz"),
    path("metrics", Metrics.as_view(), name="metrics"),
    path("favicon.ico", RedirectView.as_view(url=static("zen_project/favicon.svg")), name="favicon"),
    path("admin/", admin.site.admin_view(overview.home)),
    path("admin/monitoring/", admin.site.admin_view(overview.overview), name="monitoring-overview"),
    path("admin/monitoring/now/", admin.site.admin_view(overview.overview_now), name="monitoring-overview-now"),
    path("admin/orchestration/project/", admin.site.admin_view(projects.projects), name="project-list"),
    path("admin/orchestration/project/<int:pk>/", admin.site.admin_view(projects.project), name="project-page"),
    path("admin/orchestration/project/<int:pk>/now/", admin.site.admin_view(projects.project_now), name="project-now"),
    path(
        "admin/orchestration/project/<int:pk>/diff/<str:task_id>/",
        admin.site.admin_view(projects.project_diff),
        name="project-diff",
    ),
    path(
        "admin/orchestration/project/<int:pk>/decide/<str:workflow_id>/",
        admin.site.admin_view(projects.project_decide),
        name="project-decide",
    ),
    path("admin/", admin.site.urls),
    path("api/v1/", include("monitoring.api.urls")),
    path("api/v1/", include("approvals.api.urls")),
    path("", include("approvals.web.urls")),
    path("api/v1/", include("orchestration.api.urls")),
]
