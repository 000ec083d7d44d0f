from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView


def livez(request: HttpRequest) -> HttpResponse:
    """The process answers; whether its servers do is the doctor's question."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("livez", livez, name="livez"),
    path("favicon.ico", RedirectView.as_view(url=static("zen_project/favicon.svg")), name="favicon"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("approvals.api.urls")),
    path("", include("approvals.web.urls")),
    path("api/v1/", include("orchestration.api.urls")),
]
