from django.urls import path

from approvals.api import views_policies, views_requests
from orchestration.api import urls as _  # noqa: F401 - the converters

REQUEST = "approvals/<workflow_id:request_id>/"

urlpatterns = [
    path("approvals/", views_requests.Requests.as_view(), name="api-approvals"),
    path(REQUEST, views_requests.RequestDetail.as_view(), name="api-approval"),
    path(f"{REQUEST}decide/", views_requests.Decide.as_view(), name="api-decide"),
    path(f"{REQUEST}remarks/", views_requests.Remarks.as_view(), name="api-remarks"),
    path(f"{REQUEST}remind/", views_requests.Remind.as_view(), name="api-remind"),
    path(f"{REQUEST}withdraw/", views_requests.Withdraw.as_view(), name="api-withdraw"),
    path(f"{REQUEST}resubmit/", views_requests.Resubmit.as_view(), name="api-resubmit"),
    path(f"{REQUEST}revoke/", views_requests.Revoke.as_view(), name="api-revoke"),
    path(f"{REQUEST}reassign/", views_requests.Reassign.as_view(), name="api-reassign"),
    path(f"{REQUEST}name-people/", views_requests.NamePeople.as_view(), name="api-name-people"),
    path("policies/", views_policies.Policies.as_view(), name="api-policies"),
    path("policies/<workflow_id:name>/", views_policies.PolicyDetail.as_view(), name="api-policy"),
    path("delegations/", views_policies.Delegations.as_view(), name="api-delegations"),
    path("delegations/<version:delegation_id>/end/", views_policies.EndDelegation.as_view(), name="api-end-delegation"),
]
