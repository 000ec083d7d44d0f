from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import include, path
from django.views import defaults
from django.views.generic import RedirectView

from orchestration.api.errors import CONTENT_TYPE, problem


def livez(request: HttpRequest) -> HttpResponse:
    """The process answers; whether its servers do is the doctor's question."""
    return HttpResponse("ok", content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours: a page for people, problem details for programs. Django has logged it."""
    if not request.path.startswith("/api/"):
        return defaults.server_error(request)
    detail = "the fault is ours; the server's log has it"
    return JsonResponse(problem(500, detail, instance=request.path), status=500, content_type=CONTENT_TYPE)


handler500 = server_error

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("livez", livez, name="livez"),
    path("favicon.ico", RedirectView.as_view(url=static("zen_project/favicon.svg")), name="favicon"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("approvals.api.urls")),
    path("", include("approvals.web.urls")),
    path("api/v1/", include("orchestration.api.urls")),
]
