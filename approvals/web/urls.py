from django.urls import path

from approvals.web import views
from notifications.slack import views as slack

urlpatterns = [
    path("integrations/slack/actions", slack.actions, name="slack-actions"),
    path("approvals/link/<str:token>/", views.link, name="approval-link"),
    path("approvals/<workflow_id:request_id>/", views.page, name="approval-page"),
]
