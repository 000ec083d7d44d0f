from django.urls import path

from approvals.web import views

urlpatterns = [
    path("approvals/link/<str:token>/", views.link, name="approval-link"),
    path("approvals/<workflow_id:request_id>/", views.page, name="approval-page"),
]
